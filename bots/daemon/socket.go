package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// maxSocketPath is what fits sockaddr_un on Linux, less the terminating NUL (unix(7): 108 bytes).
const maxSocketPath = 107

// socketName is the control socket within the vault folder; where that path is too long for a socket it is a link to one
// under the run-time directory that is named by the vault's id.
const socketName = "control.sock"

// listenSocket makes the control socket of a vault that this process holds. A socket that a killed daemon left behind is
// replaced: the vault's lock says that nobody serves it.
func listenSocket(vaultDir, vaultID string) (net.Listener, func(), error) {
	path := filepath.Join(vaultDir, socketName)
	if err := removeSocket(path); err != nil {
		return nil, nil, err
	}
	at := path
	if len(path) > maxSocketPath {
		dir := os.Getenv("XDG_RUNTIME_DIR")
		if dir == "" {
			dir = os.TempDir()
		}
		at = filepath.Join(dir, "muhafiz-"+vaultID+".sock")
		if err := removeSocket(at); err != nil {
			return nil, nil, err
		}
		if err := os.Symlink(at, path); err != nil {
			return nil, nil, fmt.Errorf("link control socket: %w", err)
		}
	}
	// The mode must be right from the first moment, so it comes from the mask and not from a later chmod.
	old := unix.Umask(0o177)
	ln, err := net.Listen("unix", at)
	unix.Umask(old)
	if err != nil {
		return nil, nil, fmt.Errorf("listen on control socket: %w", err)
	}
	return ln, func() {
		ln.Close()
		os.Remove(at)
		os.Remove(path)
	}, nil
}

func removeSocket(path string) error {
	st, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if st.Mode()&(os.ModeSocket|os.ModeSymlink) == 0 {
		return fmt.Errorf("%s is in the way of the control socket and is not a socket: move it away", path)
	}
	return os.Remove(path)
}

// dialSocket connects to the daemon that holds a vault. The error is os.ErrNotExist or ECONNREFUSED where there is none.
func dialSocket(ctx context.Context, vaultDir string) (net.Conn, error) {
	path := filepath.Join(vaultDir, socketName)
	if to, err := os.Readlink(path); err == nil {
		path = to
	}
	if len(path) > maxSocketPath {
		return nil, os.ErrNotExist // no daemon can have listened there, and connect would say EINVAL
	}
	d := net.Dialer{Timeout: 2 * time.Second}
	return d.DialContext(ctx, "unix", path)
}

type peerKey struct{}

// Peer is who speaks through the control socket, as the kernel tells.
type Peer struct {
	UID uint32
	Via string // socket or direct
}

func withPeer(ctx context.Context, c net.Conn) context.Context {
	p := Peer{UID: uint32(os.Getuid()), Via: "direct"}
	if u, ok := c.(*net.UnixConn); ok {
		p = Peer{UID: ^uint32(0), Via: "socket"}
		if raw, err := u.SyscallConn(); err == nil {
			raw.Control(func(fd uintptr) {
				if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
					p.UID = cred.Uid
				}
			})
		}
	}
	return context.WithValue(ctx, peerKey{}, p)
}

// onlyOwner lets nobody through but the user that the daemon runs as, and root.
func onlyOwner(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := r.Context().Value(peerKey{}).(Peer)
		if p.UID != uint32(os.Getuid()) && p.UID != 0 {
			writeError(w, http.StatusForbidden, "forbidden", "Only the user that the daemon runs as may use its control socket.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serveHTTP serves h on ln until stop is called.
func serveHTTP(ln net.Listener, h http.Handler) (stop func(context.Context) error) {
	srv := &http.Server{
		Handler: onlyOwner(h), ReadHeaderTimeout: 10 * time.Second,
		ConnContext: withPeer,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(ln)
	}()
	return func(ctx context.Context) error {
		err := srv.Shutdown(ctx)
		if err != nil {
			srv.Close()
		}
		<-done
		return err
	}
}
