package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The files of a notice in the outbox.
const (
	MessageFile = "NOTICE.eml"
	TextFile    = "notice.txt"
	MachineFile = "notice.json"
)

// Outbox lays each notice into a folder of its own, for a person to carry on: nothing leaves by itself. The folder appears whole
// or not at all, and laying the same notice twice is laying it once.
type Outbox struct {
	Dir string
}

// Route implements Courier.
func (o *Outbox) Route() string { return "outbox" }

// Send implements Courier. The receipt names the folder and the digest of the message. Every failure wraps ErrNotSent.
func (o *Outbox) Send(ctx context.Context, m Message) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", notSent("write to the outbox", err)
	}
	if err := checkName(m.Name); err != nil {
		return "", notSent("write to the outbox", err)
	}
	text, err := Text(m.Bytes)
	if err != nil {
		return "", notSent("write to the outbox", err)
	}
	files := map[string][]byte{MessageFile: m.Bytes, TextFile: []byte(text), MachineFile: m.Machine}
	if err := o.write(m.Name, files); err != nil {
		return "", notSent("write to the outbox", err)
	}
	return fmt.Sprintf("outbox %s, %s SHA-256 %s", m.Name, MessageFile, evidence.Sum(m.Bytes)), nil
}

func (o *Outbox) write(name string, files map[string][]byte) error {
	final := filepath.Join(o.Dir, name)
	if old, err := os.ReadFile(filepath.Join(final, MessageFile)); err == nil {
		if bytes.Equal(old, files[MessageFile]) {
			return nil
		}
		return fmt.Errorf("%s holds another message; move it away", final)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(o.Dir, "."+name+".tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for file, b := range files {
		if err := writeSynced(filepath.Join(tmp, file), b); err != nil {
			return err
		}
	}
	if err := syncDir(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, final); err != nil {
		return err
	}
	return syncDir(o.Dir)
}

func checkName(s string) error {
	if s == "" || len(s) > 100 {
		return fmt.Errorf("%q is no name for a folder", s)
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return fmt.Errorf("%q is no name for a folder", s)
		}
	}
	return nil
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, werr := f.Write(b)
	return errors.Join(werr, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil && !errors.Is(err, fs.ErrInvalid) { // some file systems do not sync a directory
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
