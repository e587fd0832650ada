package telegramtest_test

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"crypto/rsa"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"go.uber.org/goleak"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

func TestMain(m *testing.M) {
	_ = os.Unsetenv(telegramtest.CalledEnv) // what the server's own tests call is not the program's
	goleak.VerifyTestMain(m)
}

// desk is a client that is logged in and runs for the length of a test.
type desk struct {
	*tg.Client
	ctx     context.Context
	client  *telegram.Client
	store   *session.StorageMemory
	updates chan tg.UpdateClass
	stop    func() error
}

// connect runs a client until the test ends or stop is called. store keeps the session between clients.
func connect(t testing.TB, s *telegramtest.Server, store *session.StorageMemory, change func(*telegram.Options)) *desk {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	d := &desk{ctx: ctx, store: store, updates: make(chan tg.UpdateClass, 1000)}
	o := s.ClientOptions()
	o.SessionStorage = store
	o.UpdateHandler = telegram.UpdateHandlerFunc(func(_ context.Context, u tg.UpdatesClass) error {
		for _, one := range u.(*tg.Updates).Updates {
			d.updates <- one
		}
		return nil
	})
	if change != nil {
		change(&o)
	}
	d.client = telegram.NewClient(telegramtest.AppID, telegramtest.AppHash, o)
	d.Client = d.client.API()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- d.client.Run(ctx, func(ctx context.Context) error {
			close(ready)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	select {
	case <-ready:
	case err := <-ended:
		cancel()
		t.Fatalf("connect: %v", err)
	}
	stopped := false
	d.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	}
	t.Cleanup(func() {
		if err := d.stop(); err != nil {
			t.Errorf("client ended: %v", err)
		}
	})
	return d
}

func (d *desk) logIn(t testing.TB) {
	t.Helper()
	if err := telegramtest.LogIn(d.ctx, d.client, telegramtest.DefaultAccount()); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) resolve(t testing.TB, name string) *tg.Channel {
	t.Helper()
	r, err := d.ContactsResolveUsername(d.ctx, &tg.ContactsResolveUsernameRequest{Username: name})
	if err != nil {
		t.Fatalf("resolve %s: %v", name, err)
	}
	return r.Chats[0].(*tg.Channel)
}

func (d *desk) history(t testing.TB, q tg.MessagesGetHistoryRequest) []int {
	t.Helper()
	r, err := d.MessagesGetHistory(d.ctx, &q)
	if err != nil {
		t.Fatal(err)
	}
	return ids(r.(*tg.MessagesChannelMessages).Messages)
}

func (d *desk) difference(t testing.TB, ch *tg.Channel, pts, limit int) tg.UpdatesChannelDifferenceClass {
	t.Helper()
	r, err := d.UpdatesGetChannelDifference(d.ctx, &tg.UpdatesGetChannelDifferenceRequest{
		Channel: ch.AsInput(), Filter: &tg.ChannelMessagesFilterEmpty{}, Pts: pts, Limit: limit,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (d *desk) message(t testing.TB, ch *tg.Channel, id int) *tg.Message {
	t.Helper()
	r, err := d.ChannelsGetMessages(d.ctx, &tg.ChannelsGetMessagesRequest{
		Channel: ch.AsInput(), ID: []tg.InputMessageClass{&tg.InputMessageID{ID: id}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.(*tg.MessagesChannelMessages).Messages[0].(*tg.Message)
}

func ids(list []tg.MessageClass) []int {
	out := []int{}
	for _, m := range list {
		out = append(out, m.GetID())
	}
	return out
}

// key is shared, since making one takes as long as a test.
var key = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(crand.Reader, 2048) })

func serve(t testing.TB, w *telegramtest.World, o telegramtest.Options) *telegramtest.Server {
	t.Helper()
	var err error
	if o.Key, err = key(); err != nil {
		t.Fatal(err)
	}
	s, err := telegramtest.Serve(context.Background(), w, o)
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

func wantRPC(t *testing.T, err error, typ string) {
	t.Helper()
	if !tgerr.Is(err, typ) {
		t.Errorf("got error %v, want %s", err, typ)
	}
}

// picture is a PNG of a size.
func picture(width, height int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	img.Set(0, 0, color.RGBA{R: 200, A: 255})
	var b bytes.Buffer
	_ = png.Encode(&b, img)
	return b.Bytes()
}

// noise is n bytes that are the same in every run.
func noise(n int) []byte {
	b := make([]byte, n)
	c := rand.NewChaCha8([32]byte{1})
	_, _ = c.Read(b)
	return b
}
