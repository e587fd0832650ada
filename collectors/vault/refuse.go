package vault

import (
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// Why a vault that is there is not opened. Each error that wraps one of these is a sentence and a next step.
var (
	// ErrFormat: another build wrote the vault, in a format that this one does not read. Nothing is wrong with it.
	ErrFormat = errors.New("this build does not read the vault's format")
	// ErrDamaged: vault.db is empty, cut short, or not what the last commit left.
	ErrDamaged = errors.New("vault.db is damaged")
	// ErrFolder: the folder of the vault or of its key ring has an owner or a mode with which it is not trusted.
	ErrFolder = errors.New("the owner or mode of a folder is not safe")
)

// marked is an error whose sentence says all; is is what callers ask for.
type marked struct {
	is  error
	err error
}

func mark(is error, format string, args ...any) error {
	return &marked{is, fmt.Errorf(format, args...)}
}

func (m *marked) Error() string   { return m.err.Error() }
func (m *marked) Unwrap() []error { return []error{m.is, m.err} }

// formatOf returns the vault's format, and an error where this build does not read it.
func formatOf(tx *bolt.Tx) (string, error) {
	m := tx.Bucket([]byte(bucketMeta))
	if m == nil {
		return "", ErrNotVault
	}
	f := string(m.Get([]byte(metaFormat)))
	switch {
	case f == "":
		return "", ErrNotVault
	case !knownFormat(f):
		return "", mark(ErrFormat, "the vault is of format %q, and this build reads %d to %d: use the muhafiz that wrote it, or a newer one", clip(f), formatDeep, FormatSealed)
	}
	return f, nil
}

// minFile is what bbolt's two meta pages take at the least.
const minFile = 2 * 4096

// checkCut refuses a file that ends before the highest page that the last commit counts. bbolt makes the file longer before it uses a page,
// and longer than it needs: what is cut from beyond that page was never used. Opened for reading alone, bbolt reads no further than its
// meta pages; for writing it would fault on the list of free pages.
func checkCut(file string) error {
	db, err := openBolt(file, &bolt.Options{ReadOnly: true, Timeout: lockWait})
	if err != nil {
		return err
	}
	err = db.View(func(tx *bolt.Tx) error {
		// Under the lock, since a writer may be making it longer.
		st, err := os.Stat(file)
		if err == nil && st.Size() < tx.Size() {
			err = mark(ErrDamaged, "vault.db is cut short: %d of %d bytes are there; restore it from a backup", st.Size(), tx.Size())
		}
		return err
	})
	return errors.Join(err, db.Close())
}
