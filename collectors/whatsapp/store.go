package whatsapp

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	_ "github.com/ncruces/go-sqlite3/vfs/xts" // AES-256-XTS below SQLite
	"github.com/rs/zerolog"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// KeyStorage keeps the key that a device's store is encrypted with; it is a secret and belongs sealed at rest. LoadSession returns nothing, or
// an error that is fs.ErrNotExist or evidence.ErrNotFound, where there is none yet. Whoever holds it holds the session: two processes must not
// use one device at once.
type KeyStorage interface {
	LoadSession(ctx context.Context) ([]byte, error)
	StoreSession(ctx context.Context, data []byte) error
}

// Device is where a linked device's session keys are: a SQLite file that is encrypted page by page, and the keeper of its key. Nothing
// of what channels publish is ever in it.
type Device struct {
	Path string
	Key  KeyStorage
}

// keySize is that of AES-256-XTS.
const keySize = 64

// opened is a device's store while it is in use.
type opened struct {
	db     *sql.DB
	device *store.Device
}

func (o *opened) close() error { return o.db.Close() }

// open opens the store, and makes it together with its key where there is neither. A device that was never paired, or is no longer, has
// no ID.
func (d Device) open(ctx context.Context, log zerolog.Logger) (*opened, error) {
	if d.Key == nil || d.Path == "" {
		return nil, errors.New("the account has no place for its session keys")
	}
	key, err := d.key(ctx)
	if err != nil {
		return nil, err
	}
	db, err := driver.Open(d.uri(), func(c *sqlite3.Conn) error {
		// Not a parameter of the file's name, which is shown in errors.
		return c.Exec("PRAGMA hexkey='" + hex.EncodeToString(key) + "'; PRAGMA busy_timeout=10000; PRAGMA foreign_keys=ON;" +
			" PRAGMA temp_store=MEMORY; PRAGMA synchronous=FULL")
	})
	if err != nil {
		return nil, fmt.Errorf("open the session keys %s: %w", d.Path, err)
	}
	c := sqlstore.NewWithDB(db, "sqlite3", bridge{log})
	if err := c.Upgrade(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the session keys %s cannot be read with their key; restore both from one backup, or remove the file and log in again: %w", d.Path, err), db.Close())
	}
	dev, err := c.GetFirstDevice(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the session keys %s: %w", d.Path, err), db.Close())
	}
	return &opened{db, dev}, nil
}

func (d Device) uri() string {
	return "file:" + (&url.URL{Path: d.Path}).EscapedPath() + "?vfs=xts"
}

func (d Device) key(ctx context.Context) ([]byte, error) {
	key, err := d.Key.LoadSession(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, evidence.ErrNotFound) {
		return nil, fmt.Errorf("read the key of %s: %w", d.Path, err)
	}
	if len(key) == keySize {
		return key, nil
	}
	if len(key) != 0 {
		return nil, fmt.Errorf("the key of %s has %d bytes and not %d; restore it, or remove both and log in again", d.Path, len(key), keySize)
	}
	if _, err := os.Stat(d.Path); err == nil {
		return nil, fmt.Errorf("the key of the session keys %s is missing; restore it, or remove the file and log in again", d.Path)
	}
	key = make([]byte, keySize)
	rand.Read(key)
	if err := d.Key.StoreSession(ctx, key); err != nil {
		return nil, fmt.Errorf("keep the key of %s: %w", d.Path, err)
	}
	// Made here, since SQLite would make it readable for others.
	f, err := os.OpenFile(d.Path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the session keys: %w", err)
	}
	return key, f.Close()
}

// remove deletes the files; the key stays, and opens nothing.
func (d Device) remove() error {
	var all error
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.Remove(d.Path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return all
}

// forget deletes the device's keys, as the library does on its way out, but surely before the store is closed.
func (o *opened) forget(ctx context.Context) error {
	_, err := o.db.ExecContext(ctx, "DELETE FROM whatsmeow_device")
	return err
}
