package whatsapptest_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types/events"
	"go.uber.org/goleak"

	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// The library's reader hangs for good when a frame comes after its consumer has gone; nobody can wake it. Everything else has to end.
func TestMain(m *testing.M) {
	_ = os.Unsetenv(whatsapptest.CalledEnv) // what the server's own tests send is not the program's
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.mau.fi/whatsmeow/socket.(*FrameSocket).frameComplete"))
}

// desk is an unmodified client that runs for the length of a test.
type desk struct {
	*whatsmeow.Client
	ctx    context.Context
	events chan any
}

func serve(t testing.TB, w *whatsapptest.World, o whatsapptest.Options) *whatsapptest.Server {
	t.Helper()
	s, err := whatsapptest.Serve(context.Background(), w, o) // the test's own context ends before its cleanup
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// client makes a client of a device, pointed at the server and not connected.
func client(t testing.TB, s *whatsapptest.Server, dev *store.Device, change func(*whatsmeow.Client)) *desk {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	d := &desk{Client: whatsmeow.NewClient(dev, nil), ctx: ctx, events: make(chan any, 10_000)}
	var idle []func()
	err := whatsapp.Network(s.Endpoint()).Use(d.Client, func(rt http.RoundTripper) http.RoundTripper {
		idle = append(idle, rt.(*http.Transport).CloseIdleConnections)
		return rt
	})
	if err != nil {
		t.Fatal(err)
	}
	d.BackgroundEventCtx = ctx
	d.AddEventHandler(func(e any) { d.events <- e })
	if change != nil {
		change(d.Client)
	}
	t.Cleanup(func() {
		if err := s.Settle(ctx); err != nil { // nor an acknowledgement on its way against the end
			t.Errorf("pushes were not acknowledged: %v", err)
		}
		cancel() // and not Disconnect, whose write of FrameSocket.closed nothing orders against readPump's look at it
		for _, f := range idle {
			f()
		}
	})
	return d
}

// connect makes a client of a new device and logs it in.
func connect(t testing.TB, s *whatsapptest.Server) *desk {
	t.Helper()
	d := client(t, s, s.Device(whatsapptest.DefaultAccount()), nil)
	if err := d.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.Connected](t, d)
	return d
}

// next returns the next event.
func next(t testing.TB, d *desk) any {
	t.Helper()
	select {
	case e := <-d.events:
		return e
	case <-d.ctx.Done():
		t.Fatal("no event came")
		return nil
	}
}

// wait returns the next event of a type; others are passed over.
func wait[E any](t testing.TB, d *desk) E {
	t.Helper()
	for {
		if e, ok := next(t, d).(E); ok {
			return e
		}
	}
}

// noise is n bytes that are the same in every run.
func noise(n int) []byte {
	b := make([]byte, n)
	c := rand.NewChaCha8([32]byte{1})
	_, _ = c.Read(b)
	return b
}

// comesBack waits for the two events of a connection that broke and was made again, which the library does not order.
func comesBack(t testing.TB, d *desk) {
	t.Helper()
	for gone, back := false, false; !gone || !back; {
		switch next(t, d).(type) {
		case *events.Disconnected:
			gone = true
		case *events.Connected:
			back = true
		}
	}
}
