package whatsapptest

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// conn is one client's connection after the handshake.
type conn struct {
	s     *Server
	w     *wire
	jid   types.JID // of a device that logs in; empty while it is to be paired
	hello *hello
	pair  *pairing // of a device that is to be paired

	mu      sync.Mutex
	queue   [][]byte // encoded nodes to be sent
	ending  bool     // say goodbye when the queue is empty
	known   bool     // jid is set for good
	open    int      // pushes that were sent here and not acknowledged yet
	ready   chan struct{}
	stopped context.CancelFunc
}

// frontPage is where the library looks for the newest version of the web client.
const frontPage = `<!doctype html><script>{"client_revision":1031080782,"server":"loopback"}</script>`

func (s *Server) serveChat(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case phoneScan, phoneCode:
		s.servePhone(w, r)
		return
	case "/":
		s.note(Call{Kind: "page", Host: r.Host, Path: "/"})
		send(w, []byte(frontPage))
		return
	case "/ws/chat":
	default:
		http.NotFound(w, r)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	defer ws.CloseNow() //nolint:errcheck // it is over
	ws.SetReadLimit(maxFrame)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	wire := &wire{ctx: ctx, ws: ws}
	h, err := s.id.handshake(wire)
	if err != nil {
		s.opts.Log.Debug().Err(err).Msg("handshake failed")
		return
	}
	c := &conn{s: s, w: wire, hello: h, ready: make(chan struct{}, 1), stopped: cancel}
	c.serve(ctx)
}

// serve speaks with a client until it goes, or is sent away.
func (c *conn) serve(ctx context.Context) {
	var writer sync.WaitGroup
	writer.Go(func() { c.writeLoop(ctx) })
	c.s.join(c)
	c.greet()
	c.readLoop()
	c.s.leave(c)
	c.stopped()
	writer.Wait()
}

func (c *conn) readLoop() {
	for {
		n, err := c.w.node()
		if errors.Is(err, errGarbage) {
			c.s.note(Call{Kind: "garbage", From: c.jid})
			continue
		}
		if err != nil {
			return
		}
		c.receive(n)
	}
}

// writeLoop sends what is queued, several frames to a message.
func (c *conn) writeLoop(ctx context.Context) {
	for {
		queue, ending := c.take()
		if err := c.writeAll(queue); err != nil {
			c.stopped()
			return
		}
		if ending {
			_ = c.w.ws.Close(websocket.StatusNormalClosure, "")
			c.stopped()
			return
		}
		select {
		case <-c.ready:
		case <-ctx.Done():
			return
		}
	}
}

func (c *conn) take() ([][]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queue
	c.queue = nil
	return q, c.ending
}

// batch is about how many bytes travel in one message of the web socket.
const batch = 64 << 10

func (c *conn) writeAll(queue [][]byte) error {
	var b []byte
	for i, plain := range queue {
		b = c.w.sealed(b, plain)
		if len(b) < batch && i < len(queue)-1 {
			continue
		}
		if err := c.w.write(b); err != nil {
			return err
		}
		b = b[:0]
	}
	return nil
}

// send queues an encoded node; it never blocks.
func (c *conn) send(plain []byte) {
	c.mu.Lock()
	if !c.ending {
		c.queue = append(c.queue, plain)
	}
	c.mu.Unlock()
	c.wake()
}

// push queues an encoded node that the client has to acknowledge.
func (c *conn) push(plain []byte) {
	c.mu.Lock()
	c.open++
	c.mu.Unlock()
	c.send(plain)
}

func (c *conn) acknowledged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = max(c.open-1, 0)
}

func (c *conn) settled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open == 0
}

func (c *conn) sendNode(n waBinary.Node) { c.send(encode(n)) }

// end sends a last node and closes the connection in order.
func (c *conn) end(n waBinary.Node) {
	c.sendNode(n)
	c.finish()
}

func (c *conn) finish() {
	c.mu.Lock()
	c.ending = true
	c.mu.Unlock()
	c.wake()
}

// linger is how long a connection stays open behind a node after which the client must not come back. The client library learns that
// from the node, but in another goroutine than the one that sees the end: without a pause between the two it comes back now and then.
const linger = 300 * time.Millisecond

// dismiss sends a last node and closes the connection when the client had time to read it, unless the client goes first.
func (c *conn) dismiss(n waBinary.Node) {
	c.sendNode(n)
	c.after(linger, c.finish)
}

// cut ends the connection without a word.
func (c *conn) cut() { c.stopped() }

func (c *conn) wake() {
	select {
	case c.ready <- struct{}{}:
	default:
	}
}

func encode(n waBinary.Node) []byte {
	b, err := waBinary.Marshal(n)
	if err != nil {
		panic("whatsapptest: " + err.Error())
	}
	return b
}

func (s *Server) join(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = struct{}{}
}

func (s *Server) leave(c *conn) {
	s.world.detach(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	for ref, owner := range s.refs {
		if owner == c {
			delete(s.refs, ref)
		}
	}
	s.log.wake()
}
