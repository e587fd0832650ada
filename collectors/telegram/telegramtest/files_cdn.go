package telegramtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// cdnScript is how the delivery network behaves.
type cdnScript struct {
	on     bool
	cold   bool             // the network has to be given the file first
	sealed map[int64][]byte // encrypted bytes, by file
	warm   map[int64]bool
}

// cdnWindow is how much one hash covers.
const cdnWindow = 128 * kib

// ServeFromCDN redirects every download to the delivery network of Options.CDN, whether or not the client says that it supports it.
// With cold, the network first asks for the file to be given to it.
func (s *Server) ServeFromCDN(cold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.cdn = cdnScript{on: true, cold: cold, sealed: map[int64][]byte{}, warm: map[int64]bool{}}
}

func (s *Server) redirect(id int64, data []byte) bin.Encoder {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.script.cdn
	if !c.on {
		return nil
	}
	key := sha256.Sum256([]byte("key " + strconv.FormatInt(id, 10)))
	iv := make([]byte, aes.BlockSize) // its last four bytes count blocks
	copy(iv, key[8:20])
	if c.sealed[id] == nil {
		block, err := aes.NewCipher(key[:])
		if err != nil {
			return nil
		}
		c.sealed[id] = make([]byte, len(data))
		cipher.NewCTR(block, iv).XORKeyStream(c.sealed[id], data)
	}
	return &tg.UploadFileCDNRedirect{
		DCID: s.opts.CDN, FileToken: cdnToken(id), EncryptionKey: key[:], EncryptionIv: iv, FileHashes: hashes(c.sealed[id], 0, 1),
	}
}

func cdnToken(id int64) []byte { return binary.BigEndian.AppendUint64([]byte("token"), uint64(id)) }

func (s *Server) cdnFile(token []byte) (id int64, sealed []byte, err error) {
	if len(token) != 13 {
		return 0, nil, tgerr.New(400, "FILE_TOKEN_INVALID")
	}
	id = int64(binary.BigEndian.Uint64(token[5:]))
	s.mu.Lock()
	defer s.mu.Unlock()
	sealed = s.script.cdn.sealed[id]
	if sealed == nil {
		return 0, nil, tgerr.New(400, "FILE_TOKEN_INVALID")
	}
	return id, sealed, nil
}

// hashes covers at most n stretches from the one in which offset lies.
func hashes(sealed []byte, offset int64, n int) []tg.FileHash {
	var out []tg.FileHash
	for at := offset / cdnWindow * cdnWindow; at < int64(len(sealed)) && len(out) < n; at += cdnWindow {
		b := sealed[at:min(at+cdnWindow, int64(len(sealed)))]
		sum := sha256.Sum256(b)
		out = append(out, tg.FileHash{Offset: at, Limit: len(b), Hash: sum[:]})
	}
	return out
}

func (s *Server) getCDNConfig(_ caller, _ *tg.HelpGetCDNConfigRequest) (bin.Encoder, error) {
	c := &tg.CDNConfig{}
	if s.opts.CDN != 0 {
		c.PublicKeys = append(c.PublicKeys, tg.CDNPublicKey{DCID: s.opts.CDN, PublicKey: string(s.PublicKeyPEM())})
	}
	return c, nil
}

func (s *Server) getCDNFile(by caller, q *tg.UploadGetCDNFileRequest) (bin.Encoder, error) {
	if by.dc != s.opts.CDN {
		return nil, tgerr.New(400, "METHOD_INVALID")
	}
	id, sealed, err := s.cdnFile(q.FileToken)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	cold := s.script.cdn.cold && !s.script.cdn.warm[id]
	s.mu.Unlock()
	if cold {
		return &tg.UploadCDNFileReuploadNeeded{RequestToken: q.FileToken}, nil
	}
	return &tg.UploadCDNFile{Bytes: s.servePart(PartCall{File: id, Offset: q.Offset, Limit: q.Limit, CDN: true}, sealed)}, nil
}

func (s *Server) getCDNFileHashes(_ caller, q *tg.UploadGetCDNFileHashesRequest) (bin.Encoder, error) {
	_, sealed, err := s.cdnFile(q.FileToken)
	if err != nil {
		return nil, err
	}
	return &tg.FileHashVector{Elems: hashes(sealed, q.Offset, 10)}, nil
}

func (s *Server) reuploadCDNFile(_ caller, q *tg.UploadReuploadCDNFileRequest) (bin.Encoder, error) {
	id, sealed, err := s.cdnFile(q.FileToken)
	if err != nil || string(q.RequestToken) != string(q.FileToken) {
		return nil, tgerr.New(400, "REQUEST_TOKEN_INVALID")
	}
	s.mu.Lock()
	s.script.cdn.warm[id] = true
	s.mu.Unlock()
	return &tg.FileHashVector{Elems: hashes(sealed, 0, 10)}, nil
}
