package telegramtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/gotd/td/proto/codec"
)

// TestStrangers has connections that are not MTProto, or never say what they are: the server serves on, and closes at once.
func TestStrangers(t *testing.T) {
	s, err := Serve(context.Background(), NewWorld(nil), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, head := range map[string][]byte{
		"silent":        nil,
		"one byte":      {0x01},
		"a web browser": []byte("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n" + string(make([]byte, 64))),
		"long packet":   append(codec.IntermediateClientStart[:], 0xff, 0xff, 0xff, 0x7f),
		"short packet":  append(codec.IntermediateClientStart[:], 1, 0, 0, 0, 0),
	} {
		nc, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer nc.Close() //nolint:errcheck // the test is over then
		if _, err := nc.Write(head); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(head) < 5 {
			continue // waits for more
		}
		_ = nc.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection was not closed", name)
		}
	}
	before := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if d := time.Since(before); d > 2*time.Second {
		t.Errorf("closing took %v", d)
	}
}

func FuzzDetect(f *testing.F) {
	f.Add([]byte{0xef, 1, 0, 0, 0})
	f.Add(append(codec.IntermediateClientStart[:], 24, 0, 0, 0))
	f.Add(bytes.Repeat([]byte{0xdd}, 80))
	f.Add([]byte{8, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, stream, err := detect(&stub{Reader: bytes.NewReader(b)})
		if err == nil && (c == nil || stream == nil) {
			t.Error("a connection without a codec")
		}
		endsExchange(b)
	})
}

// stub is a connection that only reads.
type stub struct {
	net.Conn
	io.Reader
}

// Read implements io.Reader.
func (s *stub) Read(p []byte) (int, error) { return s.Reader.Read(p) }
