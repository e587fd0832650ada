package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func (s *scrub) blobs(ctx context.Context) error {
	from := s.o.From
	return s.v.SnapshotBlobs(ctx, func(b SnapshotBlob) error {
		if !from.Blob.IsZero() && (from.Sealed && !b.Sealed || from.Sealed == b.Sealed && bytes.Compare(b.Name[:], from.Blob[:]) <= 0) {
			return nil
		}
		what, err := s.v.ring.judgeFile(b.Path, b.Sealed, b.Name, func(n int64) error { return s.o.Pace(ctx, n) })
		if err != nil {
			return err
		}
		if what != "" {
			if err := s.o.Found(ctx, Damage{Part: evidence.DamagedBlob, Blob: b.Name, What: what}); err != nil {
				return err
			}
		}
		// Digests are spread evenly, so that the first bytes of one tell how far its folder is read.
		share := float64(binary.BigEndian.Uint32(b.Name[:])) / (1 << 32)
		return s.o.Moved(ctx, ScrubCursor{Stage: ScrubBlobs, Sealed: b.Sealed, Blob: b.Name}, share)
	})
}

// judgeFile reads a blob's file and says what is wrong with it, nothing where it is whole or was removed meanwhile. An error is pace's,
// or about something other than this file.
func (r *ring) judgeFile(path string, sealed bool, want evidence.Digest, pace func(n int64) error) (wrong string, err error) {
	f, size, err := r.openFile(path, sealed)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errDestroyed):
		return "", nil
	case errors.Is(err, fs.ErrPermission):
		return "", err
	case err != nil:
		return "it cannot be opened: " + err.Error(), nil
	}
	defer f.Close()
	h, buf := sha256.New(), make([]byte, 256<<10)
	for {
		n, rerr := f.Read(buf)
		h.Write(buf[:n])
		if err := pace(int64(n)); err != nil {
			return "", err
		}
		if rerr == io.EOF {
			break
		} else if rerr != nil {
			return fmt.Sprintf("it cannot be read to its end: %v", rerr), nil
		}
	}
	if got := evidence.Digest(h.Sum(nil)); got != want {
		return fmt.Sprintf("its %d bytes have the SHA-256 %s: they were changed", size, got), nil
	}
	return "", nil
}

// maxNaming bounds what Naming returns.
const maxNaming = 16

// Naming returns the numbers of records that name a blob now, the first few, ascending.
func (v *Vault) Naming(ctx context.Context, d evidence.Digest) (seqs []int64, err error) {
	if err := v.followBlobs(ctx); err != nil {
		return nil, err
	}
	err = v.read(ctx, func(t *txn) error {
		refs := t.Bucket([]byte(bucketRefs))
		if refs == nil {
			return nil
		}
		c := refs.Cursor()
		for k, _ := c.Seek(d[:]); bytes.HasPrefix(k, d[:]) && len(k) == len(d)+8 && len(seqs) < maxNaming; k, _ = c.Next() {
			if seq := keySeq(k[len(d):]); t.cutBy(seq) < 0 {
				seqs = append(seqs, seq)
			}
		}
		return nil
	})
	return seqs, err
}
