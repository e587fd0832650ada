package telegramtest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Dial connects to a server that was made with Options.Memory, at one of the addresses that it gives out. Nothing of it touches the
// network of this machine, so that a server and its clients can live in a bubble of testing/synctest.
func (s *Server) Dial(ctx context.Context, _, addr string) (net.Conn, error) {
	s.mu.Lock()
	var at *memListener
	for _, f := range s.fronts {
		if m, ok := f.ln.Listener.(*memListener); ok && f.addr == addr {
			at = m
		}
	}
	s.mu.Unlock()
	if at == nil {
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: errors.New("nobody listens at " + addr)}
	}
	return at.dial(ctx)
}

// memoryPort is the port of data centre 0 in memory; the others follow.
const memoryPort = 20000

// memListener hands over the server's ends of connections in memory.
type memListener struct {
	addr  *net.TCPAddr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func listenMemory(dc int) *memListener {
	return &memListener{
		addr:  &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: memoryPort + dc},
		conns: make(chan net.Conn), done: make(chan struct{}),
	}
}

func (l *memListener) dial(ctx context.Context) (net.Conn, error) {
	a, b := memPair(l.addr)
	select {
	case l.conns <- b:
		return a, nil
	case <-l.done:
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: l.addr, Err: errors.New("connection refused")}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *memListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *memListener) Addr() net.Addr { return l.addr }

// memPair returns two ends of a connection. A write never waits, as into the buffers of a kernel: with net.Pipe a writer that holds a
// mutex would wait for its reader, and the time of a bubble stands still while anybody waits for a mutex.
func memPair(addr net.Addr) (a, b net.Conn) {
	one, two := newStream(), newStream()
	return &memConn{in: one, out: two, addr: addr}, &memConn{in: two, out: one, addr: addr}
}

type memConn struct {
	in, out *stream
	addr    net.Addr
}

// Read implements net.Conn.
func (c *memConn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write implements net.Conn.
func (c *memConn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close implements net.Conn. What was written before can still be read at the other end.
func (c *memConn) Close() error {
	c.in.change(func(s *stream) { s.cut, s.buf = true, nil })
	c.out.change(func(s *stream) { s.ended = true })
	return nil
}

// CloseWrite ends what the other side can read.
func (c *memConn) CloseWrite() error {
	c.out.change(func(s *stream) { s.ended = true })
	return nil
}

// LocalAddr implements net.Conn.
func (c *memConn) LocalAddr() net.Addr { return c.addr }

// RemoteAddr implements net.Conn.
func (c *memConn) RemoteAddr() net.Addr { return c.addr }

// SetDeadline implements net.Conn.
func (c *memConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn.
func (c *memConn) SetReadDeadline(t time.Time) error {
	c.in.change(func(s *stream) { s.deadline = t })
	return nil
}

// SetWriteDeadline implements net.Conn. A write never waits.
func (c *memConn) SetWriteDeadline(time.Time) error { return nil }

// stream is one direction.
type stream struct {
	mu       sync.Mutex
	buf      []byte
	ended    bool // by the writer
	cut      bool // by the reader
	deadline time.Time
	changed  chan struct{} // closed and replaced with every change
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

func (s *stream) change(f func(*stream)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stream) write(p []byte) (n int, err error) {
	s.change(func(s *stream) {
		if s.ended || s.cut {
			err = io.ErrClosedPipe
			return
		}
		s.buf = append(s.buf, p...)
		n = len(p)
	})
	return n, err
}

func (s *stream) read(p []byte) (int, error) {
	for {
		n, wait, deadline, err := s.take(p)
		if wait == nil {
			return n, err
		}
		if deadline.IsZero() {
			<-wait
			continue
		}
		t := time.NewTimer(time.Until(deadline))
		select {
		case <-wait:
		case <-t.C:
		}
		t.Stop()
	}
}

// take returns what there is to read, or a channel that says that something changed.
func (s *stream) take(p []byte) (n int, wait <-chan struct{}, deadline time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cut:
		return 0, nil, time.Time{}, net.ErrClosed
	case !s.deadline.IsZero() && !time.Now().Before(s.deadline):
		return 0, nil, time.Time{}, os.ErrDeadlineExceeded
	case len(s.buf) > 0:
		n = copy(p, s.buf)
		if s.buf = s.buf[n:]; len(s.buf) == 0 {
			s.buf = nil
		}
		return n, nil, time.Time{}, nil
	case s.ended:
		return 0, nil, time.Time{}, io.EOF
	}
	return 0, s.changed, s.deadline, nil
}
