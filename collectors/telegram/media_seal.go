package telegram

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// PartKeys seals the keys of files that are not complete yet, as a sealed vault does.
type PartKeys interface {
	SealKey(secret []byte) ([]byte, error)
	OpenKey(sealed []byte) ([]byte, error)
}

const (
	partKeyLen = 32
	// partExtra is what a sealed part is longer than its bytes: the nonce before them and the tag after.
	partExtra = 12 + 16
	// sealedHead begins the journal of a sealed file; what SealKey made of the key and the identity follows in base64.
	sealedHead = "muhafiz sealed parts 1 "
)

// partBox seals the parts of one file, each with AES-256-GCM under a random key of the file, a random nonce before it and its index
// as associated data, so that none can stand for another. The key stands in the journal's head, sealed, with what the parts are of. The
// lengths, and so the size of the file, show. Of what was written, the part that is being read is in memory in the clear, and none else.
type partBox struct {
	aead cipher.AEAD
	head []byte // of the journal

	mu      sync.Mutex
	lengths map[int64]int64 // of the parts in the clear, by index
	index   int64           // of plain
	plain   []byte          // nil: none
}

func newPartBox(key, head []byte) (*partBox, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	a, err := cipher.NewGCMWithRandomNonce(b)
	if err != nil {
		return nil, err
	}
	return &partBox{aead: a, head: head, lengths: map[int64]int64{}}, nil
}

// makePartBox makes a key and the head of a journal that keeps it.
func makePartBox(k PartKeys, id identity) (*partBox, error) {
	about, err := json.Marshal(id)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, partKeyLen, partKeyLen+len(about))
	rand.Read(secret)
	sealed, err := k.SealKey(append(secret, about...))
	if err != nil {
		return nil, fmt.Errorf("seal the key of a file's parts: %w", err)
	}
	return newPartBox(secret, append([]byte(sealedHead), base64.StdEncoding.EncodeToString(sealed)...))
}

// openPartBox opens a journal's head. A key that does not open it is like parts of something else: they can never be read.
func openPartBox(k PartKeys, id identity, head []byte) (*partBox, error) {
	text, ok := bytes.CutPrefix(head, []byte(sealedHead))
	sealed, err := base64.StdEncoding.DecodeString(string(text))
	if !ok || err != nil {
		return nil, errOther
	}
	plain, err := k.OpenKey(sealed)
	if err != nil || len(plain) < partKeyLen {
		return nil, errOther
	}
	about, err := json.Marshal(id)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(plain[partKeyLen:], about) {
		return nil, errOther
	}
	return newPartBox(plain[:partKeyLen], bytes.Clone(head))
}

func partContext(index int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(index)) }

// seal returns what to write of a part.
func (x *partBox) seal(index int64, b []byte) []byte {
	return x.aead.Seal(make([]byte, 0, len(b)+partExtra), nil, b, partContext(index))
}

func (x *partBox) open(index int64, stored []byte) ([]byte, error) {
	return x.aead.Open(make([]byte, 0, len(stored)), nil, stored, partContext(index))
}

// learn remembers how long a part is that was written.
func (x *partBox) learn(index, length int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lengths[index] = length
	if x.index == index {
		x.plain = nil
	}
}

// readAt reads from within one part.
func (x *partBox) readAt(f io.ReaderAt, b []byte, off int64) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	index := off / partSize
	if x.plain == nil || x.index != index {
		stored := make([]byte, x.lengths[index]+partExtra)
		if _, err := f.ReadAt(stored, index*(partSize+partExtra)); err != nil {
			return 0, err
		}
		plain, err := x.open(index, stored)
		if err != nil {
			return 0, errors.New("a part of a file was changed on the disk after it was written")
		}
		x.index, x.plain = index, plain
	}
	n := copy(b, x.plain[min(off-index*partSize, int64(len(x.plain))):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// sweepUnsealed removes parts in the clear, which a vault that is sealed since then must not keep. Those of other accounts only where
// their journal says that they are: a download may be about to begin one.
func sweepUnsealed(dir, alias string) error {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range list {
		base, isData := strings.CutSuffix(e.Name(), dataExt)
		base, isJournal := strings.CutSuffix(base, journalExt)
		if !isData && !isJournal {
			continue
		}
		path := filepath.Join(dir, base)
		sealed, jerr := sealedJournal(path + journalExt)
		switch {
		case sealed:
			continue
		case errors.Is(jerr, fs.ErrNotExist) && (!isData || !strings.HasPrefix(base, partialPrefix(alias))):
			continue
		case jerr != nil && !errors.Is(jerr, fs.ErrNotExist):
			err = errors.Join(err, jerr)
			continue
		}
		err = errors.Join(err, removed(path+dataExt), removed(path+journalExt))
	}
	return err
}

// sealedJournal reports whether a journal is of a sealed file.
func sealedJournal(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	b := make([]byte, len(sealedHead))
	if _, err := io.ReadFull(f, b); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return false, err
	}
	return string(b) == sealedHead, nil
}
