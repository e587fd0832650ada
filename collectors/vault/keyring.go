package vault

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Sealer guards a key ring: it seals and opens the ring's own key, once each time a vault is opened. Package secrets makes one of an
// age identity or a passphrase.
type Sealer interface {
	Seal(plain []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
}

// Keys say how a vault is sealed.
type Keys struct {
	// Ring is the folder of the data keys; empty: keyring within the vault's folder. It is worth keeping elsewhere, and out of every
	// backup of the vault: what is erased by destroying a key comes back with a copy of the key.
	Ring   string
	Sealer Sealer // of the vault key
	// Restored accepts a vault.db that is older than the one that the key ring last saw, as after a restore from a backup.
	Restored bool
}

func (k *Keys) ring(path string) string {
	if k.Ring == "" {
		return filepath.Join(path, "keyring")
	}
	return k.Ring
}

var (
	// ErrSealed: the vault is sealed, and no key was given.
	ErrSealed = errors.New("this vault is sealed: give its vault key and key ring (vault_key and keyring in the configuration)")
	// ErrNoKey: something is sealed with a data key that is not in the key ring.
	ErrNoKey = errors.New("its data key is not in the key ring: restore the key ring from its own backup")
	// ErrVaultKey: the vault key does not open the key ring.
	ErrVaultKey = errors.New("the vault key does not open the key ring: give the key that the ring was made with")
	// ErrOlder: vault.db is not the one that the key ring saw last.
	ErrOlder = errors.New("vault.db is not the one that its key ring saw last")
)

// keyID names a data key for ever: it is random, and never given twice.
type keyID uint64

func (k keyID) String() string { return fmt.Sprintf("%016x", uint64(k)) }

func parseKeyID(s string) (keyID, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 8 || s != strings.ToLower(s) {
		return 0, fmt.Errorf("%q is not the id of a key", clip(s))
	}
	return keyID(keySeq(b)), nil
}

// keyName is what a key is for: a class of records and the month of their commit, 2026-11. State and views have no month.
type keyName struct{ class, month string }

func (n keyName) String() string {
	if n.month == "" {
		return n.class
	}
	return n.class + "_" + n.month
}

// dataKey is an opened key, with what is derived from it.
type dataKey struct {
	id   keyID
	name keyName
	aead cipher.AEAD // of bodies and values
	mac  []byte      // of names
	blob cipher.AEAD // of the keys of blobs
}

func newDataKey(id keyID, name keyName, secret []byte) (*dataKey, error) {
	k := &dataKey{id: id, name: name}
	var err error
	if k.aead, err = derivedAEAD(secret, "values"); err != nil {
		return nil, err
	}
	if k.blob, err = derivedAEAD(secret, "blobs"); err != nil {
		return nil, err
	}
	k.mac, err = hkdf.Key(sha256.New, secret, nil, "muhafiz names", 32)
	return k, err
}

func derivedAEAD(secret []byte, use string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "muhafiz "+use, 32)
	if err != nil {
		return nil, err
	}
	return newAEAD(key)
}

// ring is the folder of data keys: `ring.json` with the ring's own key, sealed with the vault key, `head.json` with what it saw last of
// the log, and a file for each data key.
type ring struct {
	dir   string
	vault string      // whose ring it is
	wrap  cipher.AEAD // of the data keys
	mac   []byte      // of head.json

	mu     sync.Mutex
	names  map[keyID]keyName // of the keys that are there
	gone   map[keyID]bool    // that were destroyed, as the ring itself remembers
	latest map[keyName]keyID
	opened map[keyID]*dataKey
}

// maxOpened bounds the keys in memory; one takes some two kilobytes. It is well above the channels that write in one month.
const maxOpened = 1 << 14

// The names of a key's file, and of what is left of it: an old copy of vault.db needs to be told that its bodies were erased.
const (
	keyExt  = ".key"
	goneExt = ".destroyed"
)

// errDestroyed: what is sealed with the key was erased.
var errDestroyed = errors.New("its data key was destroyed")

// list reads which keys are there.
func (r *ring) list() error {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	r.names, r.latest, r.opened, r.gone = map[keyID]keyName{}, map[keyName]keyID{}, map[keyID]*dataKey{}, map[keyID]bool{}
	for _, e := range entries {
		base, isKey := strings.CutSuffix(e.Name(), keyExt)
		base, isGone := strings.CutSuffix(base, goneExt)
		if !isKey && !isGone {
			continue
		}
		hexID, rest, ok := strings.Cut(base, "_")
		id, err := parseKeyID(hexID)
		if !ok || err != nil {
			return fmt.Errorf("%s in the key ring %s is not named like a key: move it away", e.Name(), r.dir)
		}
		if isGone {
			r.gone[id] = true
			continue
		}
		class, month, _ := strings.Cut(rest, "_")
		r.add(id, keyName{class, month})
	}
	return nil
}

func (r *ring) add(id keyID, name keyName) {
	r.names[id] = name
	r.latest[name] = max(id, r.latest[name])
}

func (r *ring) file(id keyID, name keyName) string {
	return filepath.Join(r.dir, id.String()+"_"+name.String()+keyExt)
}

// context is what a data key's file is bound to.
func (r *ring) context(id keyID, name keyName) []byte {
	return []byte("muhafiz data key\n" + r.vault + "\n" + id.String() + "\n" + name.String())
}

// key opens a data key, or fails with ErrNoKey. Without a ring it is ErrSealed.
func (r *ring) key(id keyID) (*dataKey, error) {
	if r == nil {
		return nil, ErrSealed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.load(id)
}

func (r *ring) load(id keyID) (*dataKey, error) {
	if k := r.opened[id]; k != nil {
		return k, nil
	}
	name, ok := r.names[id]
	switch {
	case r.gone[id]:
		return nil, fmt.Errorf("key %s: %w", id, errDestroyed)
	case !ok:
		return nil, fmt.Errorf("key %s: %w", id, ErrNoKey)
	}
	sealed, err := readGuarded(r.file(id, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key %s: %w", id, ErrNoKey)
	} else if err != nil {
		return nil, err
	}
	secret, err := openWith(r.wrap, sealed, r.context(id, name))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged, renamed or of another key ring: restore it from the key ring's backup", r.file(id, name))
	}
	return r.remember(id, name, secret)
}

func (r *ring) remember(id keyID, name keyName, secret []byte) (*dataKey, error) {
	k, err := newDataKey(id, name, secret)
	if err != nil {
		return nil, err
	}
	if len(r.opened) >= maxOpened {
		clear(r.opened)
	}
	r.opened[id] = k
	return k, nil
}

// ensure returns a key for each name; those that are missing are made, and on disk when it returns.
func (r *ring) ensure(names ...keyName) ([]*dataKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var missing []keyName
	for _, n := range names {
		if _, ok := r.latest[n]; !ok {
			missing = append(missing, n)
		}
	}
	if err := r.make(missing); err != nil {
		return nil, err
	}
	out := make([]*dataKey, len(names))
	for i, n := range names {
		var err error
		if out[i], err = r.load(r.latest[n]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fresh makes a key beside those of the same name that are there already.
func (r *ring) fresh(name keyName) (*dataKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.latest, name)
	if err := r.make([]keyName{name}); err != nil {
		return nil, err
	}
	return r.load(r.latest[name])
}

// make writes new keys: each file synced, then all renamed, then the folder synced.
func (r *ring) make(names []keyName) error {
	if len(names) == 0 {
		return nil
	}
	made := make(map[keyID]keyName, len(names))
	secrets := map[keyID][]byte{}
	for _, n := range names {
		var b [8]byte
		rand.Read(b[:])
		id := keyID(keySeq(b[:]))
		secret := make([]byte, 32)
		rand.Read(secret)
		if _, taken := r.names[id]; taken {
			return fmt.Errorf("the key id %s was drawn twice: the random source is broken", id)
		}
		if err := writeSynced(r.file(id, n)+".new", sealWith(r.wrap, nil, secret, r.context(id, n))); err != nil {
			return &diskError{err}
		}
		made[id], secrets[id] = n, secret
	}
	for id, n := range made {
		if err := os.Rename(r.file(id, n)+".new", r.file(id, n)); err != nil {
			return &diskError{err}
		}
	}
	if err := syncDir(r.dir); err != nil {
		return &diskError{err}
	}
	for id, n := range made {
		delete(r.latest, n)
		r.add(id, n)
		if _, err := r.remember(id, n, secrets[id]); err != nil {
			return err
		}
	}
	return nil
}

// destroy overwrites and removes keys. Those that are gone already are no error.
func (r *ring) destroy(ids ...keyID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		name, ok := r.names[id]
		if !ok {
			continue
		}
		if err := overwrite(r.file(id, name)); err != nil {
			return fmt.Errorf("destroy key %s (%s): %w", id, name, err)
		}
		if !strings.HasPrefix(name.class, classView) { // a view is built anew from records, whatever became of its key
			mark := strings.TrimSuffix(r.file(id, name), keyExt) + goneExt
			if err := errors.Join(os.Rename(r.file(id, name), mark), os.Truncate(mark, 0)); err != nil {
				return fmt.Errorf("destroy key %s (%s): %w", id, name, err)
			}
			r.gone[id] = true
		} else if err := os.Remove(r.file(id, name)); err != nil {
			return fmt.Errorf("destroy key %s (%s): %w", id, name, err)
		}
		delete(r.names, id)
		delete(r.opened, id)
		if r.latest[name] == id {
			delete(r.latest, name)
		}
	}
	return syncDir(r.dir)
}

// overwrite makes a file's bytes random. Where the disk keeps old blocks that is all that can be done.
func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err == nil {
		noise := make([]byte, st.Size())
		rand.Read(noise)
		_, err = f.WriteAt(noise, 0)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// of returns what a key is for.
func (r *ring) of(id keyID) (keyName, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, ok := r.names[id]
	return n, ok
}

// ids returns the keys that are there and of which keep says so.
func (r *ring) ids(keep func(keyID, keyName) bool) (out []keyID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, n := range r.names {
		if keep(id, n) {
			out = append(out, id)
		}
	}
	return out
}
