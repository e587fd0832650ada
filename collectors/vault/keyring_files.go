package vault

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// ringFile is ring.json.
type ringFile struct {
	Format int    `json:"format"` // 1
	Vault  string `json:"vault"`  // whose ring it is
	Sealed []byte `json:"sealed"` // ringText and the ring's own key of 32 bytes, sealed with the vault key
}

func ringText(vault string) string { return "muhafiz key ring 1\n" + vault + "\n" }

// ringHead is head.json: what the ring last saw of the log.
type ringHead struct {
	Vault string          `json:"vault"`
	Size  int64           `json:"size"`
	Root  evidence.Digest `json:"root"`
	MAC   []byte          `json:"mac"` // HMAC-SHA256 of the three with a key that only the ring gives
}

const (
	ringName = "ring.json"
	headName = "head.json"
)

// createRing makes a key ring for a vault, or opens the one that is there for the same vault.
func createRing(dir, vault string, s Sealer) (*ring, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(filepath.Join(dir, ringName)); err == nil {
		return openRing(dir, vault, s)
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	sealed, err := s.Seal(append([]byte(ringText(vault)), secret...))
	if err != nil {
		return nil, fmt.Errorf("seal the key ring: %w", err)
	}
	b, err := json.Marshal(ringFile{1, vault, sealed})
	if err != nil {
		return nil, err
	}
	if err := replaceFile(filepath.Join(dir, ringName), b); err != nil {
		return nil, err
	}
	return openRing(dir, vault, s)
}

// openRing opens the key ring of a vault.
func openRing(dir, vault string, s Sealer) (*ring, error) {
	if err := checkRingFolder(dir); err != nil {
		return nil, err
	}
	b, err := readGuarded(filepath.Join(dir, ringName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no key ring in %s: restore it from its own backup, or name its folder (keyring in the configuration); without it nothing sealed can be read", dir)
	} else if err != nil {
		return nil, err
	}
	var f ringFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): restore it from the key ring's backup", filepath.Join(dir, ringName), err)
	}
	switch {
	case f.Format != 1:
		return nil, fmt.Errorf("the key ring %s has the format %d, this build reads 1: use a newer muhafiz", dir, f.Format)
	case f.Vault != vault:
		return nil, fmt.Errorf("the key ring %s belongs to the vault %s, not to %s: name the folder of this vault's own key ring", dir, clip(f.Vault), vault)
	}
	plain, err := s.Open(f.Sealed)
	if err != nil {
		return nil, fmt.Errorf("%w (%s: %w)", ErrVaultKey, dir, err)
	}
	secret, ok := strings.CutPrefix(string(plain), ringText(vault))
	if !ok || len(secret) != 32 {
		return nil, fmt.Errorf("what %s seals is not the key ring of the vault %s: restore it from the key ring's backup", filepath.Join(dir, ringName), vault)
	}
	r := &ring{dir: dir, vault: vault}
	if r.wrap, err = derivedAEAD([]byte(secret), "data keys"); err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("muhafiz head"))
	r.mac = mac.Sum(nil)
	return r, r.list()
}

// RekeyRing seals the key ring in dir with another vault key. The data keys and all that they seal stay as they are; who has the old
// vault key and an old copy of the ring can still read what he could.
func RekeyRing(dir string, old, next Sealer) error {
	b, err := readGuarded(filepath.Join(dir, ringName))
	if err != nil {
		return err
	}
	var f ringFile
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("%s is damaged (%w): restore it from the key ring's backup", filepath.Join(dir, ringName), err)
	}
	plain, err := old.Open(f.Sealed)
	if err != nil {
		return fmt.Errorf("%w (%s: %w)", ErrVaultKey, dir, err)
	}
	if f.Sealed, err = next.Seal(plain); err != nil {
		return fmt.Errorf("seal the key ring: %w", err)
	}
	if b, err = json.Marshal(f); err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, ringName), b)
}

func (r *ring) headMAC(h ringHead) []byte {
	m := hmac.New(sha256.New, r.mac)
	fmt.Fprintf(m, "%s\n%d\n%s\n", h.Vault, h.Size, h.Root)
	return m.Sum(nil)
}

// note remembers what the log is like now.
func (r *ring) note(h treeHead) error {
	if r == nil {
		return nil
	}
	x := ringHead{Vault: r.vault, Size: h.size, Root: h.root}
	x.MAC = r.headMAC(x)
	b, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(r.dir, headName), b)
}

// seen returns what the ring last saw of the log; false where it saw nothing yet.
func (r *ring) seen() (h treeHead, ok bool, err error) {
	b, err := readGuarded(filepath.Join(r.dir, headName))
	if errors.Is(err, fs.ErrNotExist) {
		return h, false, nil
	} else if err != nil {
		return h, false, err
	}
	var x ringHead
	if json.Unmarshal(b, &x) != nil || x.Vault != r.vault || !hmac.Equal(x.MAC, r.headMAC(x)) {
		return h, false, fmt.Errorf("%s is damaged or of another key ring: restore it from the key ring's backup, or remove it once muhafiz fsck and checkpoint verify find nothing", filepath.Join(r.dir, headName))
	}
	return treeHead{x.Size, x.Root}, true, nil
}

// checkRingFolder refuses a folder that others can read or change.
func checkRingFolder(dir string) error {
	st, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the key ring %s is missing: restore it from its own backup, or name its folder (keyring in the configuration)", dir)
	} else if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("the key ring %s is not a folder", dir)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return mark(ErrFolder, "the key ring %s is open to others (mode %04o): run chmod 700 on it", dir, st.Mode().Perm())
	}
	return checkOwner(dir, st)
}

// checkVaultFolder refuses a folder in which somebody else could put another vault.
func checkVaultFolder(path string) error {
	st, err := os.Stat(path)
	if err != nil || !st.IsDir() {
		return nil // openDB says it better
	}
	if st.Mode().Perm()&0o022 != 0 {
		return mark(ErrFolder, "others can change the vault's folder (mode %04o): run chmod 700 %s", st.Mode().Perm(), path)
	}
	return checkOwner(path, st)
}

func checkOwner(path string, st fs.FileInfo) error {
	s, ok := st.Sys().(*syscall.Stat_t)
	if uid := os.Geteuid(); ok && int(s.Uid) != uid {
		return mark(ErrFolder, "%s belongs to user %d, and this is user %d: run muhafiz as its owner, or chown it", path, s.Uid, uid)
	}
	return nil
}

// maxGuarded is the largest file of a key ring in bytes.
const maxGuarded = 64 << 10

// readGuarded reads a file that nobody but its owner may read.
func readGuarded(path string) ([]byte, error) {
	st, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case !st.Mode().IsRegular() || st.Size() > maxGuarded:
		return nil, fmt.Errorf("%s is not a file of a key ring: restore it from the key ring's backup", path)
	case st.Mode().Perm()&0o077 != 0:
		return nil, mark(ErrFolder, "%s is open to others (mode %04o): run chmod 600 on it", path, st.Mode().Perm())
	}
	return os.ReadFile(path)
}

// writeSynced writes a new file and syncs it.
func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, data []byte) error {
	if err := writeSynced(path+".new", data); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
