package telegram

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// redirected is a file that the platform serves from its delivery network, whose machines are not trusted: the bytes are encrypted
// with a key that only the home data centre tells, and every stretch is checked against a hash from there
// (https://core.telegram.org/cdn). We do not say that we support it, so that files come from home; where the platform redirects
// nevertheless, it is followed.
type redirected struct {
	mu     sync.Mutex
	to     *tg.UploadFileCDNRedirect
	hashes map[int64]tg.FileHash // by offset
}

func (c *redirected) current() *tg.UploadFileCDNRedirect {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.to
}

func (c *redirected) follow(to *tg.UploadFileCDNRedirect) *tg.UploadFileCDNRedirect {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.to == nil || string(c.to.FileToken) != string(to.FileToken) {
		c.to, c.hashes = to, map[int64]tg.FileHash{}
	}
	c.learn(to.FileHashes)
	return c.to
}

func (c *redirected) learn(hs []tg.FileHash) {
	for _, h := range hs {
		c.hashes[h.Offset] = h
	}
}

// forget goes back to the home data centre, which may redirect anew.
func (c *redirected) forget(to *tg.UploadFileCDNRedirect) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.to == to {
		c.to = nil
	}
}

var (
	errCDNHash  = errors.New("bytes of the platform's delivery network do not match the hash of the home data centre")
	errCDNStale = errors.New("the redirection to the delivery network is no longer valid")
)

// part returns the plain bytes at offset.
func (c *redirected) part(ctx context.Context, r *run, home poolKey, to *tg.UploadFileCDNRedirect, offset int64) ([]byte, error) {
	q := &tg.UploadGetCDNFileRequest{FileToken: to.FileToken, Offset: offset, Limit: partSize}
	for range references {
		key := poolKey{dc: to.DCID, cdn: true}
		v, err := askFile(ctx, r, &key, "upload.getCdnFile", func(ctx context.Context, api *tg.Client) (tg.UploadCDNFileClass, error) {
			return api.UploadGetCDNFile(ctx, q)
		})
		if tgerr.Is(err, "FILE_TOKEN_INVALID", "REQUEST_TOKEN_INVALID") {
			c.forget(to)
			return nil, errCDNStale
		}
		if err != nil {
			return nil, err
		}
		switch u := v.(type) {
		case *tg.UploadCDNFile:
			return c.open(ctx, r, home, to, offset, u.Bytes)
		case *tg.UploadCDNFileReuploadNeeded:
			if err := c.reupload(ctx, r, home, to, u); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("upload.getCdnFile: unexpected %s", v.TypeName())
		}
	}
	return nil, errors.New("the delivery network asks for the file again and again")
}

// reupload has the platform copy its own file to its own delivery network once more. Nobody but the platform sees that.
func (c *redirected) reupload(ctx context.Context, r *run, home poolKey, to *tg.UploadFileCDNRedirect, u *tg.UploadCDNFileReuploadNeeded) error {
	q := &tg.UploadReuploadCDNFileRequest{FileToken: to.FileToken, RequestToken: u.RequestToken}
	hs, err := askFile(ctx, r, &home, "upload.reuploadCdnFile", func(ctx context.Context, api *tg.Client) ([]tg.FileHash, error) {
		return api.UploadReuploadCDNFile(ctx, q)
	})
	if tgerr.Is(err, "FILE_TOKEN_INVALID", "REQUEST_TOKEN_INVALID") {
		c.forget(to)
		return errCDNStale
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.learn(hs)
	return nil
}

// open decrypts and checks bytes. AES-256-CTR; the counter is the redirection's with its last four bytes replaced by offset / 16.
func (c *redirected) open(ctx context.Context, r *run, home poolKey, to *tg.UploadFileCDNRedirect, offset int64, sealed []byte) ([]byte, error) {
	if err := c.check(ctx, r, home, to, offset, sealed); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(to.EncryptionKey)
	if err != nil || len(to.EncryptionIv) != aes.BlockSize {
		return nil, fmt.Errorf("the redirection has no usable key: %w", errors.Join(err, errBadPart))
	}
	iv := append([]byte(nil), to.EncryptionIv...)
	binary.BigEndian.PutUint32(iv[12:], uint32(offset/aes.BlockSize))
	plain := make([]byte, len(sealed))
	cipher.NewCTR(block, iv).XORKeyStream(plain, sealed)
	return plain, nil
}

// check compares every byte with a hash from home, which is asked for those that are missing.
func (c *redirected) check(ctx context.Context, r *run, home poolKey, to *tg.UploadFileCDNRedirect, offset int64, b []byte) error {
	asked := false
	for at := offset; at < offset+int64(len(b)); {
		c.mu.Lock()
		h, ok := c.hashes[at]
		c.mu.Unlock()
		if !ok && !asked {
			if err := c.ask(ctx, r, home, to, at); err != nil {
				return err
			}
			asked = true
			continue
		}
		if !ok || h.Limit <= 0 {
			return fmt.Errorf("%w: there is no hash for offset %d", errCDNHash, at)
		}
		asked = false
		from := at - offset
		stretch := b[from:min(from+int64(h.Limit), int64(len(b)))]
		if sum := sha256.Sum256(stretch); string(sum[:]) != string(h.Hash) {
			return fmt.Errorf("%w at offset %d", errCDNHash, at)
		}
		at += int64(h.Limit)
	}
	return nil
}

func (c *redirected) ask(ctx context.Context, r *run, home poolKey, to *tg.UploadFileCDNRedirect, offset int64) error {
	q := &tg.UploadGetCDNFileHashesRequest{FileToken: to.FileToken, Offset: offset}
	hs, err := askFile(ctx, r, &home, "upload.getCdnFileHashes", func(ctx context.Context, api *tg.Client) ([]tg.FileHash, error) {
		return api.UploadGetCDNFileHashes(ctx, q)
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.learn(hs)
	return nil
}
