package vault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Create makes a vault in the folder path, which may be there but must hold no vault, and opens it. Record 0 names the key
// that its checkpoints are signed with.
func Create(path string, o Options) (*Vault, error) {
	if err := create(path, o.withDefaults()); err != nil {
		return nil, fmt.Errorf("create vault %s: %w", path, err)
	}
	return Open(path, o)
}

func create(path string, o Options) error {
	if err := checkSigner(o.Signer, o.LogKey); err != nil {
		return err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	file := filepath.Join(path, "vault.db")
	if _, err := os.Lstat(file); err == nil {
		return ErrExists
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// Made under another name, so that a vault.db always has its record 0.
	fresh := file + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := writeFirst(fresh, o); err != nil {
		return err
	}
	if err := os.Link(fresh, file); err != nil {
		if errors.Is(err, os.ErrExist) {
			return ErrExists
		}
		return err
	}
	if err := os.Remove(fresh); err != nil {
		return err
	}
	return syncDir(path)
}

func writeFirst(file string, o Options) (err error) {
	db, err := bolt.Open(file, 0o600, boltOptions(0))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	now := o.Now()
	r := &request{internal: true}
	r.batch.Drafts = []evidence.Draft{{
		ID: evidence.NewID(now), Actor: evidence.Vault(), Subject: evidence.Vault(),
		Body: &evidence.VaultCreated{VaultID: evidence.NewAcq(now), Format: Format, LogKey: o.LogKey, Build: o.Build},
	}}
	v := &Vault{o: o}
	if err := v.prepare(r); err != nil {
		return err
	}
	return db.Update(func(tx *bolt.Tx) error {
		for _, b := range buckets {
			if _, err := tx.CreateBucket([]byte(b)); err != nil {
				return err
			}
		}
		t, err := open(tx)
		if err != nil {
			return err
		}
		if err := t.meta.Put([]byte(metaFormat), []byte(strconv.Itoa(Format))); err != nil {
			return err
		}
		w := &writer{v: v}
		if err := w.put(t, nil, r); err != nil {
			return err
		}
		return w.finish(t)
	})
}

// checkSigner insists that what is recorded verifies what will be signed.
func checkSigner(s note.Signer, vkey string) error {
	if s == nil {
		return errors.New("no signer: a vault needs a log key to sign its checkpoints with")
	}
	ver, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("log key %q: %w", vkey, err)
	}
	if ver.Name() != s.Name() || ver.KeyHash() != s.KeyHash() {
		return fmt.Errorf("the signer is %s+%08x, but the vault's log key is %s+%08x: use the key that belongs to this vault",
			s.Name(), s.KeyHash(), ver.Name(), ver.KeyHash())
	}
	return nil
}
