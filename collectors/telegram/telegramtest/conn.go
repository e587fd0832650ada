package telegramtest

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/mt"
	"github.com/gotd/td/mtproxy/obfuscated2"
	"github.com/gotd/td/proto/codec"
	"github.com/gotd/td/transport"
)

// lingering is how long a closed connection waits for the other side to read what was sent before.
const lingering = 500 * time.Millisecond

// conn is a client's connection. It brings its own transport codec, and closes so that what was written before arrives: a plain
// Close with unread bytes resets the connection and takes an acknowledgement on the way with it.
type conn struct {
	net.Conn
	codec  transport.Codec
	stream io.ReadWriter // the connection behind its obfuscation
	gate   *sync.RWMutex
	wait   *sync.WaitGroup
	gone   func(*conn)

	reading sync.Mutex
	once    sync.Once
	closed  chan struct{}

	held    sync.Mutex
	release func() // of gate, nil when not held
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	select {
	case <-c.closed:
		return 0, io.EOF
	default:
	}
	n, err := c.stream.Read(p)
	if err != nil && c.isClosed() {
		return n, io.EOF
	}
	return n, err
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) { return c.stream.Write(p) }

// SetReadDeadline implements net.Conn. A closed connection keeps the deadline that ended its reading.
func (c *conn) SetReadDeadline(t time.Time) error {
	if c.isClosed() {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// Close ends the connection and lets go of the gate: it is called by the goroutine that serves the connection.
func (c *conn) Close() error {
	c.unlock()
	c.cut()
	return nil
}

// cut ends the connection from outside.
func (c *conn) cut() {
	c.once.Do(func() {
		close(c.closed)
		c.gone(c)
		c.wait.Go(c.linger)
	})
}

func (c *conn) linger() {
	defer c.Conn.Close() //nolint:errcheck // nothing is left to lose
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
	c.reading.Lock()
	defer c.reading.Unlock()
	_ = c.Conn.SetReadDeadline(time.Now().Add(lingering))
	_, _ = io.Copy(io.Discard, c.Conn)
}

func (c *conn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// gated is the transport codec of every connection. tgtest writes its table of auth keys under another mutex than it reads it
// with; gated keeps the writer, which runs after the last packet of a key exchange and before the next read of the connection,
// apart from all readers, which run after any other packet.
type gated struct{}

// WriteHeader implements transport.Codec; a server writes none.
func (gated) WriteHeader(io.Writer) error { return nil }

// ReadHeader implements transport.Codec; the header was read when the codec was found.
func (gated) ReadHeader(io.Reader) error { return nil }

// Write implements transport.Codec.
func (gated) Write(w io.Writer, b *bin.Buffer) error { return w.(*conn).codec.Write(w, b) }

// Read implements transport.Codec.
func (gated) Read(r io.Reader, b *bin.Buffer) error {
	c := r.(*conn)
	c.unlock()
	if err := c.codec.Read(r, b); err != nil {
		return err
	}
	c.lock(endsExchange(b.Buf))
	return nil
}

func (c *conn) lock(exclusive bool) {
	release := c.gate.RUnlock
	if exclusive {
		c.gate.Lock()
		release = c.gate.Unlock
	} else {
		c.gate.RLock()
	}
	c.held.Lock()
	defer c.held.Unlock()
	c.release = release
}

func (c *conn) unlock() {
	c.held.Lock()
	defer c.held.Unlock()
	if c.release != nil {
		c.release()
		c.release = nil
	}
}

// endsExchange reports whether a packet is set_client_DH_params: auth key id 0, message id, length, constructor.
func endsExchange(p []byte) bool {
	return len(p) >= 24 && binary.LittleEndian.Uint64(p) == 0 && binary.LittleEndian.Uint32(p[20:]) == mt.SetClientDHParamsRequestTypeID
}

var errHeader = errors.New("not an MTProto connection")

// detect reads a connection's first bytes and returns its codec, and the stream behind an obfuscation. Supported are abridged,
// intermediate, padded intermediate and full, each plain or within obfuscated2 without a secret.
func detect(nc net.Conn) (transport.Codec, io.ReadWriter, error) {
	var head [4]byte
	if _, err := io.ReadFull(nc, head[:1]); err != nil {
		return nil, nil, err
	}
	if head[0] == codec.AbridgedClientStart[0] {
		return transport.Abridged.Codec(), nc, nil
	}
	if _, err := io.ReadFull(nc, head[1:]); err != nil {
		return nil, nil, err
	}
	if c := tagged(head); c != nil {
		return c, nc, nil
	}
	again := &prefixed{head: head[:], Conn: nc}
	// The first packet of the full transport begins with its length, which is small; obfuscated2 begins with random bytes.
	if binary.LittleEndian.Uint32(head[:]) < 1<<16 {
		return transport.Full.Codec(), again, nil
	}
	rw, meta, err := obfuscated2.Accept(again, nil)
	if err != nil {
		return nil, nil, err
	}
	if c := tagged(meta.Protocol); c != nil {
		return c, rw, nil
	}
	return nil, nil, errHeader
}

func tagged(tag [4]byte) transport.Codec {
	switch {
	case tag[0] == codec.AbridgedClientStart[0]:
		return transport.Abridged.Codec()
	case tag == codec.IntermediateClientStart:
		return transport.Intermediate.Codec()
	case tag == codec.PaddedIntermediateClientStart:
		return transport.PaddedIntermediate.Codec()
	}
	return nil
}

// prefixed gives back the bytes that were read to look at them.
type prefixed struct {
	head []byte
	net.Conn
}

// Read implements io.Reader.
func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.head) > 0 {
		n := copy(b, p.head)
		p.head = p.head[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}
