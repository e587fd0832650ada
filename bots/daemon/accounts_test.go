package daemon

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/reporter/diary"
)

// network is a site with accounts at a Telegram of its own, all logged in, and one approved target there.
type network struct {
	*site
	srv *telegramtest.Server
	ch  *telegramtest.Channel
}

const secretText = "Simulated words that no metric may hold"

func newNetwork(t *testing.T, names ...string) *network {
	t.Helper()
	return newNetworkAt(newSite(t), t, names...)
}

func newNetworkAt(s *site, t *testing.T, names ...string) *network {
	t.Helper()
	n := &network{site: s}
	w := telegramtest.NewWorld(nil)
	n.ch = w.AddChannel(telegramtest.Profile{Username: "northhaven_one", Title: "Northhaven (simulated)"})
	n.ch.Post(telegramtest.Post{Text: secretText})
	var accounts []telegramtest.Account
	for i := range names {
		accounts = append(accounts, telegramtest.Account{Phone: fmt.Sprintf("+1000555015%d", i), Code: "12345"})
	}
	var err error
	if n.srv, err = telegramtest.Serve(context.Background(), w, telegramtest.Options{Accounts: accounts}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.srv.Close()
		if m := n.srv.Strangers(telegram.Methods(), telegram.LoginMethods()); len(m) > 0 {
			t.Errorf("the daemon called %v", m)
		}
	})
	n.write("server.pem", string(n.srv.PublicKeyPEM()))
	n.write("hash", telegramtest.AppHash)
	n.append("muhafiz.yaml", "session_key: session.age\ntelegram:\n  poll_every: 50ms\n  network: {dc: 2, address: \""+n.srv.Addr()+"\", public_key: server.pem}\n  accounts:\n")
	for i, name := range names {
		n.write("phone-"+name, accounts[i].Phone)
		n.append("muhafiz.yaml", fmt.Sprintf("    - {name: %s, app_id: 1, app_hash: {file: hash}, phone: {file: phone-%s}}\n", name, name))
	}
	for _, name := range names {
		if err := n.login(name); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func (n *network) login(name string) error {
	return Login(n.t.Context(), n.options(), name, LoginPrompts{Code: func(context.Context) (string, error) { return "12345", nil }})
}

// until asks for the status until it is as wanted.
func (n *network) until(c *Client, what string, ok func(Status) bool) Status {
	n.t.Helper()
	var st Status
	for deadline := time.Now().Add(30 * time.Second); ; {
		st = Status{}
		if err := c.Call(n.t.Context(), "GET", "/v1/status", nil, &st); err != nil {
			n.t.Fatal(err)
		}
		if ok(st) {
			return st
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("waited in vain for %s: %+v", what, st.Sources)
		}
	}
}

func stateOf(st Status, name string) SourceState {
	for _, s := range st.Sources {
		if s.Name == "telegram/"+name {
			return s
		}
	}
	return SourceState{}
}

// scrape reads the metrics as a Prometheus server does, through the control socket or a port.
func scrape(t *testing.T, dial func(context.Context, string, string) (net.Conn, error), url string) string {
	t.Helper()
	tr := &http.Transport{DialContext: dial}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v: %s", resp.Status, err, b)
	}
	return string(b)
}

func TestALostAccountIsToldEverywhereAndIsNoTakedown(t *testing.T) {
	n := newNetwork(t, "main")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().String()
	free.Close()
	n.append("muhafiz.yaml", "metrics: {listen: \""+port+"\"}\n")
	n.start()
	c := n.client(nil)
	if err := n.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	n.until(c, "the post", func(st Status) bool { return st.Targets[0].Versions > 0 })
	socket := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialSocket(ctx, n.path("vault")) }
	text := scrape(t, socket, "http://muhafiz/metrics")
	for _, want := range []string{
		`muhafiz_account_state{account="telegram/main",state="healthy"} 1`, `muhafiz_account_state{account="telegram/main",state="frozen"} 0`,
		`muhafiz_account_blind_seconds{account="telegram/main"} 0`, `muhafiz_records_total{kind="post.seen"} 1`, `muhafiz_targets{state="observed"} 1`,
		`muhafiz_targets{state="blind"} 0`, "muhafiz_put_seconds_bucket", "muhafiz_put_queue", `muhafiz_build_info{build="test",`,
		`muhafiz_media_pending{account="telegram/main"} 0`, `muhafiz_account_last_observation_age_seconds{account="telegram/main"}`, "muhafiz_alerts_open 0",
		`muhafiz_plan_worst_delay_seconds{account="telegram/main"}`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, secretText) || strings.Contains(text, "Bilal") || strings.Contains(text, "1000555") {
		t.Error("a metric holds what it must not")
	}

	// One process a session, and one daemon a vault: both are sentences.
	if err := n.login("main"); err == nil || !strings.Contains(err.Error(), "another process uses the session of account main: stop it first") {
		t.Errorf("a login beside the daemon: %v", err)
	}
	if err := New(n.options()).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "another muhafiz holds this vault") {
		t.Errorf("a second daemon: %v", err)
	}

	until := time.Now().Add(240 * time.Hour).Truncate(time.Second)
	n.srv.Freeze(&telegramtest.Freeze{Since: time.Now().Add(-time.Hour), Until: until, AppealURL: "https://t.me/spambot"})
	n.srv.Fail("updates.getChannelDifference", 420, "FROZEN_METHOD_INVALID", 10_000)
	n.srv.Fail("messages.getHistory", 420, "FROZEN_METHOD_INVALID", 10_000)
	n.srv.Fail("channels.getMessages", 420, "FROZEN_METHOD_INVALID", 10_000)
	st := n.until(c, "the freeze", func(st Status) bool { return stateOf(st, "main").State == "frozen" && st.Targets[0].Gaps > 0 })
	src := stateOf(st, "main")
	if !src.FrozenUntil.Equal(until) || src.Appeal != "https://t.me/spambot" || src.Blind.IsZero() || !strings.Contains(src.Advice, "appeal") {
		t.Errorf("got %+v", src)
	}
	if w := strings.Join(st.Warnings, "\n"); !strings.Contains(w, "What to do: appeal with an official app at https://t.me/spambot") {
		t.Errorf("warnings: %s", w)
	}
	if st.Targets[0].Gone != 0 {
		t.Error("a lost account became a takedown")
	}
	text = scrape(t, nil, "http://"+port+"/metrics")
	for _, want := range []string{
		`muhafiz_account_state{account="telegram/main",state="frozen"} 1`,
		fmt.Sprintf(`muhafiz_account_deletion_timestamp_seconds{account="telegram/main"} %g`, float64(until.Unix())),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	var day diary.Today
	if err := c.Call(t.Context(), "GET", "/v1/today?person=amna", nil, &day); err != nil {
		t.Fatal(err)
	}
	if len(day.Down) != 0 {
		t.Errorf("today calls it a takedown: %+v", day.Down)
	}
	if !strings.Contains(fmt.Sprintf("%+v", day), "account-lost") {
		t.Errorf("today does not say that the target is not seen: %+v", day)
	}
}

// The targets of an account that is lost move to the one that is left.
func TestTargetsMoveToTheAccountThatIsLeft(t *testing.T) {
	n := newNetwork(t, "main", "spare")
	n.start()
	c := n.client(nil)
	if err := n.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	n.until(c, "the post", func(st Status) bool { return st.Targets[0].Versions == 1 })
	n.srv.RevokePhone("+10005550150")
	n.until(c, "the loss", func(st Status) bool { return stateOf(st, "main").State == "logged-out" })
	n.ch.Post(telegramtest.Post{Text: "Simulated second"})
	st := n.until(c, "the next post through the other account", func(st Status) bool { return st.Targets[0].Versions == 2 })
	if stateOf(st, "spare").State != "healthy" {
		t.Errorf("got %+v", st.Sources)
	}
	// The lost one is logged in beside the daemon, and at work again.
	if running, err := Resume(t.Context(), n.options().Config, "telegram", "spare"); !running || err == nil || !strings.Contains(err.Error(), "at work already") {
		t.Errorf("an account at work: %v, %v", running, err)
	}
	if err := n.login("main"); err != nil {
		t.Fatal(err)
	}
	if running, err := Resume(t.Context(), n.options().Config, "telegram", "main"); !running || err != nil {
		t.Errorf("got %v, %v", running, err)
	}
	n.until(c, "the account's return", func(st Status) bool { return stateOf(st, "main").State == "healthy" })
	if err := n.login("main"); err == nil || !strings.Contains(err.Error(), "another process uses the session") {
		t.Errorf("a login beside the daemon that uses the account: %v", err)
	}
}
