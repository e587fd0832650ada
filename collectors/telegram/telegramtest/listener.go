package telegramtest

import (
	"net"
	"sync"
	"time"
)

// listener hands over connections whose header was read. A connection that never sends one neither holds up the others nor ends the
// server, as it would in tgtest.
type listener struct {
	net.Listener
	ready chan net.Conn
	done  chan struct{}
	once  sync.Once
	wait  sync.WaitGroup
	gate  *sync.RWMutex

	mu    sync.Mutex
	conns map[*conn]struct{}
	early map[net.Conn]struct{} // without a header yet
	shut  bool
}

func listen(addr string, gate *sync.RWMutex) (*listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	return greeting(ln, gate), nil
}

// greeting reads the headers of ln's connections.
func greeting(ln net.Listener, gate *sync.RWMutex) *listener {
	l := &listener{
		Listener: ln, ready: make(chan net.Conn), done: make(chan struct{}), gate: gate,
		conns: map[*conn]struct{}{}, early: map[net.Conn]struct{}{},
	}
	l.wait.Go(l.loop)
	return l
}

func (l *listener) loop() {
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			return
		}
		l.wait.Go(func() { l.greet(nc) })
	}
}

func (l *listener) greet(nc net.Conn) {
	if !l.track(func() { l.early[nc] = struct{}{} }) {
		_ = nc.Close()
		return
	}
	_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	codec, stream, err := detect(nc)
	l.track(func() { delete(l.early, nc) })
	if err != nil {
		_ = nc.Close()
		return
	}
	c := &conn{Conn: nc, codec: codec, stream: stream, gate: l.gate, wait: &l.wait, gone: l.forget, closed: make(chan struct{})}
	if !l.track(func() { l.conns[c] = struct{}{} }) {
		_ = nc.Close()
		return
	}
	select {
	case l.ready <- c:
	case <-l.done:
		c.cut()
	}
}

// track changes the sets of connections, and reports whether new ones are still welcome; f runs in any case.
func (l *listener) track(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	return !l.shut
}

func (l *listener) forget(c *conn) { l.track(func() { delete(l.conns, c) }) }

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close stops listening; connections stay.
func (l *listener) Close() error {
	l.once.Do(func() {
		l.track(func() { l.shut = true })
		close(l.done)
		_ = l.Listener.Close()
	})
	return nil
}

// drop cuts all connections.
func (l *listener) drop() {
	var conns []*conn
	l.track(func() {
		for c := range l.conns {
			conns = append(conns, c)
		}
		for nc := range l.early {
			_ = nc.Close()
		}
	})
	for _, c := range conns {
		c.cut()
	}
}
