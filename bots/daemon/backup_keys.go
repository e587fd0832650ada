package daemon

import (
	"archive/tar"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"github.com/muhafiz/muhafiz/collectors/vault/backup"
	"github.com/muhafiz/muhafiz/config"
)

// KeysCopied is a copy of the keys.
type KeysCopied struct {
	File    string   `json:"file"`
	Holds   []string `json:"holds"`             // names in the archive
	Lacking []string `json:"lacking,omitempty"` // paths that the configuration names and that are not there
	Removed []string `json:"removed,omitempty"` // older copies
}

// maxKeyFile bounds a key or a session.
const maxKeyFile = 64 << 20

// CopyKeys writes the log's key, the sessions' key, the vault's key, the sealed sessions, the key ring and whatever else is named
// (a file, or a folder of files) into one tar archive that is encrypted to the recipients of backup.keys, and
// lets the newest of these copies stay. It needs no vault to be open. A data key that is destroyed later is still in the older copies.
func CopyKeys(c *config.Config, also []string, now time.Time) (out KeysCopied, err error) {
	if c.Backup == nil || c.Backup.Keys == nil {
		return out, usagef("the configuration names no place for copies of the keys: add backup: {keys: {to: FOLDER, recipients: [age1…]}} to it")
	}
	k := c.Backup.Keys
	to, err := backup.ParseRecipients(k.Recipients)
	if err != nil {
		return out, err
	}
	if st, err := os.Stat(k.To); err != nil || !st.IsDir() {
		return out, fmt.Errorf("the folder %s is not there: is its disk mounted? Make the folder first", k.To)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	add := func(name, path string) error {
		switch err := addFile(w, name, path); {
		case errors.Is(err, fs.ErrNotExist):
			out.Lacking = append(out.Lacking, path)
		case err != nil:
			return err
		default:
			out.Holds = append(out.Holds, name)
		}
		return nil
	}
	names, paths := []string{"log.key", "session.key"}, []string{c.LogKey, c.SessionKey}
	if k := c.VaultKey; k != nil && k.File != "" {
		names, paths = append(names, "vault.key"), append(paths, k.File)
	}
	folder := func(name, dir string) error {
		files, err := filepath.Glob(filepath.Join(globEscape(dir), "*"))
		for _, p := range files {
			names, paths = append(names, name+"/"+filepath.Base(p)), append(paths, p)
		}
		return err
	}
	if err := errors.Join(folder("sessions", filepath.Join(c.Vault, "sessions")), folder("keyring", cmp.Or(c.Keyring, filepath.Join(c.Vault, "keyring")))); err != nil {
		return out, err
	}
	for i, p := range also {
		name := fmt.Sprintf("also/%d/%s", i+1, filepath.Base(p))
		if st, err := os.Stat(p); err == nil && st.IsDir() {
			if err := folder(name, p); err != nil {
				return out, err
			}
			continue
		}
		names, paths = append(names, name), append(paths, p)
	}
	for i, p := range paths {
		if p == "" {
			continue
		}
		if err := add(names[i], p); err != nil {
			return out, fmt.Errorf("copy keys: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return out, err
	}
	if len(out.Holds) == 0 {
		return out, errors.New("none of the keys that the configuration names is there: nothing was copied")
	}
	sealed, err := to.Seal(archive.Bytes())
	if err != nil {
		return out, err
	}
	out.File = filepath.Join(k.To, keysPrefix+now.UTC().Format("20060102T150405.000000Z")+keysSuffix)
	if err := renameio.WriteFile(out.File, sealed, 0o600); err != nil {
		return out, err
	}
	out.Removed, err = removeOld(k.To, k.Keep)
	return out, err
}

const keysPrefix, keysSuffix = "muhafiz-keys-", ".tar.age"

func addFile(w *tar.Writer, name, path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return nil
	}
	if st.Size() > maxKeyFile {
		return fmt.Errorf("%s is %d bytes long and no key", path, st.Size())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b)), ModTime: st.ModTime()}); err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func globEscape(p string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(p)
}

func removeOld(dir string, keep int) (removed []string, err error) {
	all, err := filepath.Glob(filepath.Join(globEscape(dir), keysPrefix+"*"+keysSuffix))
	if err != nil {
		return nil, err
	}
	slices.Sort(all)
	for _, p := range all[:max(0, len(all)-keep)] {
		if err := os.Remove(p); err != nil {
			return removed, err
		}
		removed = append(removed, p)
	}
	return removed, nil
}
