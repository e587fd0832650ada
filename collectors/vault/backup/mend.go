package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// FetchOptions are what Fetch needs.
type FetchOptions struct {
	From       Store
	Run        string // name of the backup; empty: all, the newest first, until every blob is had
	Identities Identities
	LogKey     string // vkey that must have signed a manifest; empty: any is taken, since a digest says whether the bytes are the blob's
	Vault      string // id of the vault that must have made the backup
	Want       []evidence.Digest
	// Keep takes a blob's file as it lay in the vault. An error of it is about these bytes: the next backup is asked for others.
	Keep func(ctx context.Context, d evidence.Digest, sealed bool, r io.Reader) error
}

// Fetched says what Fetch brought.
type Fetched struct {
	Had    map[evidence.Digest]string // and the backup that it came from
	Lacked map[evidence.Digest]string // and why, in a sentence
}

// Fetch brings single blobs back.
func Fetch(ctx context.Context, o FetchOptions) (Fetched, error) {
	f := Fetched{Had: map[evidence.Digest]string{}, Lacked: map[evidence.Digest]string{}}
	m, err := readMarker(ctx, o.From)
	if err == nil && m.Vault != "" && m.Vault != o.Vault {
		err = ErrOtherVault
	}
	names := []string{o.Run}
	if err == nil && o.Run == "" {
		if names, err = Runs(ctx, o.From); err == nil && len(names) == 0 {
			err = ErrNoBackup
		}
	}
	if err != nil {
		return f, fmt.Errorf("fetch from backup: %w", err)
	}
	for _, d := range o.Want {
		f.Lacked[d] = "no backup there holds it"
	}
	for _, name := range names {
		if len(f.Lacked) == 0 {
			break
		}
		if err := fetchRun(ctx, o, name, &f); err != nil {
			return f, fmt.Errorf("fetch from backup %s: %w", name, err)
		}
	}
	return f, nil
}

func fetchRun(ctx context.Context, o FetchOptions, name string, f *Fetched) error {
	m, name, err := readRun(ctx, o.From, name, o.LogKey)
	switch {
	case err != nil:
		return err
	case m.Vault != o.Vault:
		return ErrOtherVault
	case m.encrypted() && len(o.Identities) == 0:
		return ErrNoIdentity
	}
	for _, list := range m.Blobs {
		b, err := fetchOpen(ctx, o.From, m, o.Identities, list)
		if errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) {
			continue // another backup's list may name it
		} else if err != nil {
			return err
		}
		err = eachEntry(b, func(bucket string, key, value []byte) error {
			l, err := blobEntry(key, value)
			if err != nil || bucket != bucketBlobs {
				return errors.Join(errSegment, err)
			}
			if _, lacked := f.Lacked[l.name]; !lacked {
				return nil
			}
			switch err := fetchBlob(ctx, o, m, l); {
			case ctx.Err() != nil, errors.Is(err, ErrIdentity):
				return err
			case err != nil:
				f.Lacked[l.name] = fmt.Sprintf("backup %s: %v", name, err)
			default:
				delete(f.Lacked, l.name)
				f.Had[l.name] = name
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func fetchBlob(ctx context.Context, o FetchOptions, m *Manifest, l blobFile) error {
	if slices.Contains(m.Damaged, l.name.String()) {
		return fmt.Errorf("it was damaged already when that was made")
	}
	in, err := openObject(ctx, o.From, l.ref)
	if err != nil {
		return err
	}
	defer in.Close()
	var r io.Reader = newHashing(&reader{ctx, in}, l.ref.Object)
	if m.encrypted() {
		if r, err = o.Identities.open(r); err != nil {
			return err
		}
	}
	return o.Keep(ctx, l.name, l.sealed, r)
}
