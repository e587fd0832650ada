package vault

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"filippo.io/age"
)

// A sealed blob is an age file (age-encryption.org/v1: chunks of 64 KiB under ChaCha20-Poly1305, so that it can be read from anywhere)
// with one stanza of our own, `-> muhafiz-blob KEY`, whose body is the file's key as sealWith makes it under the data key KEY of the
// class blobs.
const blobStanza = "muhafiz-blob"

// errDamagedSeal: a sealed blob does not open, although its key is there.
var errDamagedSeal = errors.New("it does not open with its key: it was changed")

// blobReader is a blob in the clear.
type blobReader interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
}

type sealedBlob struct {
	*io.SectionReader
	f *os.File
}

func (b sealedBlob) Close() error { return b.f.Close() }

// blobRecipient wraps the keys of files under a data key.
type blobRecipient struct{ key *dataKey }

// Wrap implements age.Recipient.
func (r blobRecipient) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	id := r.key.id.String()
	return []*age.Stanza{{Type: blobStanza, Args: []string{id}, Body: sealWith(r.key.blob, nil, fileKey, []byte(blobStanza+" "+id))}}, nil
}

// blobIdentity opens what any key of the ring wrapped.
type blobIdentity struct{ ring *ring }

// Unwrap implements age.Identity.
func (i blobIdentity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, s := range stanzas {
		if s.Type != blobStanza || len(s.Args) != 1 {
			continue
		}
		id, err := parseKeyID(s.Args[0])
		if err != nil {
			return nil, err
		}
		k, err := i.ring.key(id)
		if err != nil {
			return nil, err
		}
		return openWith(k.blob, s.Body, []byte(blobStanza+" "+s.Args[0]))
	}
	return nil, age.ErrIncorrectIdentity
}

// sealFile returns what to write a blob to, so that it arrives sealed in f.
func (r *ring) sealFile(f io.Writer, month string) (io.WriteCloser, error) {
	keys, err := r.ensure(keyName{classBlobs, month})
	if err != nil {
		return nil, err
	}
	return age.Encrypt(f, blobRecipient{keys[0]})
}

// sealedError keeps apart that a key is missing and that a file is damaged.
func sealedError(err error) error {
	if errors.Is(err, ErrNoKey) || errors.Is(err, ErrSealed) || errors.Is(err, errDestroyed) || errors.Is(err, os.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w (%w)", errDamagedSeal, err)
}

// monthOf is how keys name a month.
func monthOf(t time.Time) string { return t.UTC().Format("2006-01") }

func (v *Vault) recheck(d *draft) error {
	if v.blobs == nil { // before record 0
		return nil
	}
	return v.blobs.recheck(d)
}
