package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// stanzaReader finds which key wrapped a blob's own.
type stanzaReader struct{ id *keyID }

var errStanza = errors.New("only looking")

// Unwrap implements age.Identity.
func (s stanzaReader) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, x := range stanzas {
		if x.Type == blobStanza && len(x.Args) == 1 {
			id, err := parseKeyID(x.Args[0])
			*s.id = id
			return nil, errors.Join(err, errStanza)
		}
	}
	return nil, age.ErrIncorrectIdentity
}

// keyOf returns the key that a sealed blob depends on; false where there is no such file or it is plain.
func (b *blobs) keyOf(d evidence.Digest) (id keyID, ok bool) {
	path, sealed, err := b.find(d)
	if err != nil || !sealed {
		return 0, false
	}
	id, err = fileKey(path)
	return id, err == nil
}

func fileKey(path string) (id keyID, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := age.Decrypt(f, stanzaReader{&id}); !errors.Is(err, errStanza) {
		return 0, fmt.Errorf("%s is not a sealed blob (%w): run muhafiz fsck", path, err)
	}
	return id, nil
}

// blobs gives another key to the blobs that depend on one which goes, and seals plain ones. Each file is complete and synced before it
// takes the place of the other.
func (c *compaction) blobs(ctx context.Context) error {
	b := c.v.blobs
	if b.ring == nil {
		return nil
	}
	done := int64(0)
	return filepath.WalkDir(b.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		d, err := evidence.ParseDigest(e.Name())
		if err != nil {
			return nil // fsck says that it does not belong there
		}
		done++
		c.progress("blobs", done, 0)
		switch path {
		case b.path(sealedBlobs, d):
			id, err := fileKey(path)
			if err != nil || !c.dirty[id] {
				return err
			}
			k, err := c.replacement(id)
			if err != nil {
				return err
			}
			return c.resealBlob(d, path, true, k)
		case b.path(plainBlobs, d):
			st, err := e.Info()
			if err != nil {
				return err
			}
			k, err := c.first(keyName{classBlobs, monthOf(st.ModTime())})
			if err != nil {
				return err
			}
			if err := c.resealBlob(d, path, false, k); err != nil {
				return err
			}
			return errors.Join(os.Remove(path), syncDir(filepath.Dir(path)))
		}
		return nil
	})
}

// resealBlob writes a blob anew under a key.
func (c *compaction) resealBlob(d evidence.Digest, path string, sealed bool, k *dataKey) (err error) {
	b := c.v.blobs
	from, _, err := b.ring.openFile(path, sealed)
	if err != nil {
		return fmt.Errorf("blob %s: %w", d, err)
	}
	defer from.Close()
	f, err := os.CreateTemp(b.tmp(), "reseal-*")
	if err != nil {
		return err
	}
	defer func() {
		if e := os.Remove(f.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	w, err := age.Encrypt(f, blobRecipient{k})
	if err != nil {
		return errors.Join(err, f.Close())
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(w, h), from)
	if err = errors.Join(err, w.Close(), f.Sync(), f.Close()); err != nil {
		return err
	}
	if evidence.Digest(h.Sum(nil)) != d {
		return fmt.Errorf("blob %s: %w: restore it from a backup and run muhafiz fsck", d, ErrDamagedBlob)
	}
	to := b.path(sealedBlobs, d)
	if err := b.mkdir(filepath.Dir(to)); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}
