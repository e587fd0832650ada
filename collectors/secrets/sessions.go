package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"filippo.io/age"
	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// ErrInUse is returned by Sessions.Session while another holder has the session.
var ErrInUse = errors.New("in use")

const (
	sealedExt  = ".age"
	maxSession = 16 << 20 // bytes of a session in the clear
)

// Sessions is a folder of platform sessions, each sealed to one age X25519 identity.
type Sessions struct {
	dir      string
	identity *age.X25519Identity
	path     string // of the identity
}

// Open opens the folder dir, which it makes if need be, with the identity file at identityPath. An identity that is not there is made,
// mode 0600, unless the folder holds sessions that only the missing one can open.
func Open(dir, identityPath string) (*Sessions, error) {
	if err := apart(dir, identityPath); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make sessions folder: %w", err)
	}
	id, err := readIdentity(identityPath)
	if errors.Is(err, fs.ErrNotExist) {
		id, err = makeIdentity(dir, identityPath)
	}
	if err != nil {
		return nil, err
	}
	return &Sessions{dir: dir, identity: id, path: identityPath}, nil
}

func apart(dir, identityPath string) error {
	d, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("find the sessions folder: %w", err)
	}
	p, err := filepath.Abs(identityPath)
	if err != nil {
		return fmt.Errorf("find the session key: %w", err)
	}
	if strings.HasPrefix(p, d+string(filepath.Separator)) {
		return fmt.Errorf("the session key %s lies among the sessions that it seals; keep it elsewhere", identityPath)
	}
	return nil
}

func readIdentity(path string) (*age.X25519Identity, error) {
	b, err := readPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("read session key: %w", err)
	}
	ids, err := age.ParseIdentities(bytes.NewReader(b))
	if err == nil && len(ids) == 1 {
		if id, ok := ids[0].(*age.X25519Identity); ok {
			return id, nil
		}
	}
	// Not age's own error: it may quote the line.
	return nil, fmt.Errorf("%s does not hold exactly one age X25519 identity (AGE-SECRET-KEY-1…)", path)
}

func makeIdentity(dir, path string) (*age.X25519Identity, error) {
	sealed, err := filepath.Glob(filepath.Join(globQuote(dir), "*"+sealedExt))
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	if len(sealed) > 0 {
		return nil, fmt.Errorf("the session key %s is missing, and %s holds sessions that only it can open; restore it, or remove them and log in again", path, dir)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("make session key: %w", err)
	}
	text := fmt.Sprintf("# opens the sealed platform sessions\n# public key: %s\n%s\n", id.Recipient(), id)
	switch err := writeNew(path, []byte(text), 0o600); {
	case errors.Is(err, ErrExists): // another process was quicker
		return readIdentity(path)
	case err != nil:
		return nil, err
	}
	return id, nil
}

func globQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

var sessionName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// Session takes the session with a name, such as telegram-main, for this holder alone until Close. It is ErrInUse while another has it.
func (s *Sessions) Session(name string) (*Session, error) {
	if !sessionName.MatchString(name) {
		return nil, fmt.Errorf("%q cannot be a session's name: use a-z, 0-9, dot, hyphen and underscore", name)
	}
	lock, err := os.OpenFile(filepath.Join(s.dir, name+".lock"), os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock session %s: %w", name, err)
	}
	// The lock is on a file of its own, since the session's is replaced at each write. It ends with the process, however that ends.
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("the session %s is %w by another muhafiz; stop that one first (a platform locks out an account that connects twice)", name, ErrInUse)
		}
		return nil, fmt.Errorf("lock session %s: %w", name, err)
	}
	return &Session{s: s, name: name, path: filepath.Join(s.dir, name+sealedExt), lock: lock}, nil
}

// Session is one account's session. It has the methods of gotd's session.Storage and is safe for concurrent use.
type Session struct {
	s    *Sessions
	name string
	path string

	mu   sync.Mutex
	lock *os.File // nil once closed
}

var errClosed = errors.New("the session was closed")

// LoadSession returns the session in the clear, and nil without an error where none was stored: gotd's session.Loader takes empty
// data for session.ErrNotFound and begins a new login.
func (x *Session) LoadSession(ctx context.Context) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.usable(ctx); err != nil {
		return nil, err
	}
	sealed, err := os.ReadFile(x.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read session %s: %w", x.name, err)
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), x.s.identity)
	if err != nil {
		return nil, x.unsealError(err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxSession))
	if err != nil {
		return nil, x.unsealError(err)
	}
	return data, nil
}

func (x *Session) unsealError(err error) error {
	return fmt.Errorf("the session %s cannot be opened with the key %s: it was sealed to another key or is damaged; restore the key, or remove %s and log in again: %w",
		x.name, x.s.path, x.path, err)
}

// StoreSession seals the session and returns when it is on disk. After an error the session before is still there.
func (x *Session) StoreSession(ctx context.Context, data []byte) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.usable(ctx); err != nil {
		return err
	}
	if len(data) > maxSession {
		return fmt.Errorf("store session %s: %d bytes are more than a session has", x.name, len(data))
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, x.s.identity.Recipient())
	if err != nil {
		return fmt.Errorf("seal session %s: %w", x.name, err)
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("seal session %s: %w", x.name, err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("seal session %s: %w", x.name, err)
	}
	// In the same folder, so that it is the same file system.
	if err := renameio.WriteFile(x.path, sealed.Bytes(), 0o600, renameio.WithTempDir(x.s.dir), renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("write session %s: %w", x.name, err)
	}
	return syncDir(x.s.dir)
}

// Remove forgets the session: the next login starts anew.
func (x *Session) Remove() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.lock == nil {
		return errClosed
	}
	if err := os.Remove(x.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove session %s: %w", x.name, err)
	}
	return syncDir(x.s.dir)
}

// Close gives the session free for other processes. Closing again does nothing.
func (x *Session) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.lock == nil {
		return nil
	}
	err := x.lock.Close() // and with it the lock
	x.lock = nil
	return err
}

func (x *Session) usable(ctx context.Context) error {
	if x.lock == nil {
		return errClosed
	}
	return ctx.Err()
}
