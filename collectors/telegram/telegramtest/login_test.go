package telegramtest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/telegram/downloader"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

func TestLogin(t *testing.T) {
	plain := telegramtest.DefaultAccount()
	two := telegramtest.Account{Phone: "+1 (000) 555-0111", Code: "22222", Password: "correct horse"}
	s := serve(t, telegramtest.NewWorld(nil), telegramtest.Options{Accounts: []telegramtest.Account{plain, two}})
	d := connect(t, s, &session.StorageMemory{}, nil)
	for want, a := range map[string]telegramtest.Account{
		"PHONE_NUMBER_INVALID":  {Phone: "+19990000000", Code: "1"},
		"PHONE_CODE_INVALID":    {Phone: plain.Phone, Code: "99999"},
		"PASSWORD_HASH_INVALID": {Phone: two.Phone, Code: two.Code, Password: "wrong"},
	} {
		err := telegramtest.LogIn(d.ctx, d.client, a)
		if errors.Is(err, auth.ErrPasswordInvalid) && want == "PASSWORD_HASH_INVALID" {
			continue
		}
		wantRPC(t, err, want)
	}
	if s.LoggedIn() != 0 {
		t.Errorf("%d keys are logged in", s.LoggedIn())
	}
	if err := telegramtest.LogIn(d.ctx, d.client, two); err != nil {
		t.Fatalf("two-step login: %v", err)
	}
	u, err := d.client.Self(d.ctx)
	if err != nil || u.Phone != "10005550111" {
		t.Errorf("got %v, %v", u, err)
	}
	full, err := d.UsersGetFullUser(d.ctx, &tg.InputUserSelf{})
	if err != nil || full.FullUser.ID != u.ID {
		t.Errorf("got %v, %v", full, err)
	}
}

// TestFileDC downloads from another data centre: through the migration that the client does by itself, and through a pool.
func TestFileDC(t *testing.T) {
	w := telegramtest.NewWorld(nil)
	s := serve(t, w, telegramtest.Options{FileDC: 4})
	doc := noise(700_000)
	ch := w.AddChannel(telegramtest.Profile{Username: "example_away"})
	id := ch.Post(telegramtest.Post{Document: &telegramtest.Document{Bytes: doc}})
	d := connect(t, s, &session.StorageMemory{}, nil)
	d.logIn(t)
	x := d.resolve(t, "example_away")
	file := d.message(t, x, id).Media.(*tg.MessageMediaDocument).Document.(*tg.Document)
	if file.DCID != 4 {
		t.Errorf("the file is said to be at %d", file.DCID)
	}
	pool, err := d.client.DC(d.ctx, file.DCID, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close() //nolint:errcheck // the client closes it too
	for name, api := range map[string]*tg.Client{"migrated": d.Client, "pool": tg.NewClient(pool)} {
		var b bytes.Buffer
		_, err := downloader.NewDownloader().Download(api, file.AsInputDocumentFileLocation("")).Stream(d.ctx, &b)
		if err != nil || !bytes.Equal(b.Bytes(), doc) {
			t.Errorf("%s: %d bytes, %v", name, b.Len(), err)
		}
	}
	_, err = d.AuthExportAuthorization(d.ctx, s.DC())
	wantRPC(t, err, "DC_ID_INVALID")
}

// TestTogether has clients make their keys while others are served: under the race detector it would find tgtest's tables
// unguarded.
func TestTogether(t *testing.T) {
	w := telegramtest.NewWorld(nil)
	ch := w.AddChannel(telegramtest.Profile{Username: "example_many"})
	s := serve(t, w, telegramtest.Options{})
	ctx, stop := context.WithCancel(context.Background())
	var posting sync.WaitGroup
	posting.Go(func() {
		for ctx.Err() == nil {
			id := ch.Post(telegramtest.Post{Text: "a simulated post"})
			ch.Edit(id, func(p *telegramtest.Post) { p.Text = "edited" })
			_ = s.CallCount("*")
			_ = ch.Posts()
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			o := s.ClientOptions()
			o.UpdateHandler = telegram.UpdateHandlerFunc(func(context.Context, tg.UpdatesClass) error { return nil })
			c := telegram.NewClient(telegramtest.AppID, telegramtest.AppHash, o)
			err := c.Run(context.Background(), func(ctx context.Context) error {
				if err := telegramtest.LogIn(ctx, c, telegramtest.DefaultAccount()); err != nil {
					return err
				}
				for range 50 {
					_, err := c.API().ContactsResolveUsername(ctx, &tg.ContactsResolveUsernameRequest{Username: "example_many"})
					if err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	clients.Wait()
	stop()
	posting.Wait()
	if s.LoggedIn() != 4 {
		t.Errorf("%d keys are logged in", s.LoggedIn())
	}
}

// TestContextEnds ends the server with its context, so that nothing of it is left when Close comes.
func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s, err := telegramtest.Serve(ctx, telegramtest.NewWorld(nil), telegramtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Restart(true); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	again, err := telegramtest.Serve(context.Background(), telegramtest.NewWorld(nil), telegramtest.Options{Addr: s.Addr()})
	if err != nil {
		t.Fatalf("the address is not free: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

const childEnv = "TELEGRAMTEST_CHILD"

// TestOtherProcess reaches the server from another process, which knows its address and public key and nothing else.
func TestOtherProcess(t *testing.T) {
	if addr := os.Getenv(childEnv); addr != "" {
		child(t, addr, []byte(os.Getenv(childEnv+"_KEY")))
		return
	}
	w := telegramtest.NewWorld(nil)
	w.AddChannel(telegramtest.Profile{Username: "example_apart", Title: "Apart"})
	s := serve(t, w, telegramtest.Options{})
	cmd := exec.Command(os.Args[0], "-test.run=^TestOtherProcess$")
	cmd.Env = append(os.Environ(), childEnv+"="+s.Addr(), childEnv+"_KEY="+string(s.PublicKeyPEM()))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if s.CallCount("contacts.resolveUsername") != 1 {
		t.Error("the other process did not call")
	}
}

func child(t *testing.T, addr string, key []byte) {
	keys, err := crypto.ParseRSAPublicKeys(key)
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys: %v", len(keys), err)
	}
	ip, p, _ := strings.Cut(addr, ":")
	port, err := strconv.Atoi(p)
	if err != nil {
		t.Fatal(err)
	}
	c := telegram.NewClient(telegramtest.AppID, telegramtest.AppHash, telegram.Options{
		PublicKeys: []telegram.PublicKey{{RSA: keys[0]}}, DC: 2, Resolver: dcs.Plain(dcs.PlainOptions{}),
		DCList: dcs.List{Options: []tg.DCOption{{ID: 2, IPAddress: ip, Port: port, Static: true}}},
	})
	if err := c.Run(t.Context(), func(ctx context.Context) error {
		if err := telegramtest.LogIn(ctx, c, telegramtest.DefaultAccount()); err != nil {
			return err
		}
		_, err := c.API().ContactsResolveUsername(ctx, &tg.ContactsResolveUsernameRequest{Username: "example_apart"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
