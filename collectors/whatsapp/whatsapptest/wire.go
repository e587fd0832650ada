package whatsapptest

import (
	"bytes"
	"context"
	"crypto/cipher"
	"errors"
	"fmt"

	"github.com/coder/websocket"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/socket"
)

// maxFrame is the longest frame taken from a client; the longest that a client sends by itself is its 812 prekeys, about 40 kB.
const maxFrame = 1 << 20

// maxAnswer is the longest node that is sent: a frame's length has three bytes, and a web socket message is no longer for the client.
const maxAnswer = socket.FrameMaxSize - 2*batch

// wire is a connection's frames: three bytes of length before each, sealed once the handshake has set the ciphers.
type wire struct {
	ctx     context.Context
	ws      *websocket.Conn
	buf     []byte
	header  bool // was read
	in, out cipher.AEAD
	inN     uint32
	outN    uint32
}

// frame reads the next frame as it came.
func (w *wire) frame() ([]byte, error) {
	for {
		b, ok, err := w.cut()
		if err != nil || ok {
			return b, err
		}
		typ, msg, err := w.ws.Read(w.ctx)
		if err != nil {
			return nil, err
		}
		if typ != websocket.MessageBinary {
			return nil, errors.New("a text message instead of frames")
		}
		w.buf = append(w.buf, msg...)
	}
}

// cut takes a whole frame off the buffer, if there is one.
func (w *wire) cut() ([]byte, bool, error) {
	if !w.header {
		if len(w.buf) < len(socket.WAConnHeader) {
			return nil, false, nil
		}
		if !bytes.HasPrefix(w.buf, socket.WAConnHeader) {
			return nil, false, errors.New("not WhatsApp's connection header")
		}
		w.buf, w.header = w.buf[len(socket.WAConnHeader):], true
	}
	if len(w.buf) < socket.FrameLengthSize {
		return nil, false, nil
	}
	n := int(w.buf[0])<<16 | int(w.buf[1])<<8 | int(w.buf[2])
	if n > maxFrame {
		return nil, false, fmt.Errorf("a frame of %d bytes", n)
	}
	if len(w.buf) < socket.FrameLengthSize+n {
		return nil, false, nil
	}
	b := w.buf[socket.FrameLengthSize : socket.FrameLengthSize+n : socket.FrameLengthSize+n]
	w.buf = w.buf[socket.FrameLengthSize+n:]
	return b, true, nil
}

// node reads the next node of a session. A frame that opens but holds no node is an errGarbage, after which reading goes on.
func (w *wire) node() (*waBinary.Node, error) {
	b, err := w.frame()
	if err != nil {
		return nil, err
	}
	plain, err := w.in.Open(nil, nonce(w.inN), b, nil)
	if err != nil {
		return nil, fmt.Errorf("open a frame: %w", err)
	}
	w.inN++
	return decode(plain)
}

var errGarbage = errors.New("not a node")

// decode reads a node. The library's decoder panics on some bytes that no encoder writes.
func decode(plain []byte) (n *waBinary.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = nil, fmt.Errorf("%w: %v", errGarbage, r)
		}
	}()
	if len(plain) == 0 || plain[0]&2 != 0 { // no client compresses
		return nil, errGarbage
	}
	if n, err = waBinary.Unmarshal(plain[1:]); err != nil {
		return nil, fmt.Errorf("%w: %w", errGarbage, err)
	}
	return n, nil
}

// sealed appends a plaintext as a frame to b.
func (w *wire) sealed(b, plain []byte) []byte {
	c := w.out.Seal(nil, nonce(w.outN), plain, nil)
	w.outN++
	return frameOf(b, c)
}

func frameOf(b, content []byte) []byte {
	n := len(content)
	return append(append(b, byte(n>>16), byte(n>>8), byte(n)), content...)
}

func (w *wire) write(b []byte) error { return w.ws.Write(w.ctx, websocket.MessageBinary, b) }
