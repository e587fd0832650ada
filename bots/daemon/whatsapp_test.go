package daemon

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
	"github.com/muhafiz/muhafiz/reporter/diary"
)

// waNetwork is a site with accounts at a WhatsApp of its own, all linked, and one approved target there.
type waNetwork struct {
	*site
	srv *whatsapptest.Server
	ch  *whatsapptest.Channel
	of  map[string]whatsapptest.Account
}

const waInvite = "0029VaNorthhavenOne000"

func newWaNetwork(t *testing.T, names ...string) *waNetwork {
	t.Helper()
	n := &waNetwork{site: newSite(t), of: map[string]whatsapptest.Account{}}
	w := whatsapptest.NewWorld(nil)
	n.ch = w.AddChannel(whatsapptest.Profile{Invite: waInvite, Name: "Northhaven (simulated)"})
	n.ch.Post(whatsapptest.Post{Text: secretText})
	var err error
	if n.srv, err = whatsapptest.Serve(context.Background(), w, whatsapptest.Options{PreKeys: 50}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.srv.Close() })
	end := n.srv.Endpoint()
	n.write("root", string(whatsapptest.SharedRoot().PublicHex()))
	n.write("list.yaml", "targets:\n"+strings.Replace(target("one"), "https://t.me/northhaven_one", "https://whatsapp.com/channel/"+waInvite, 1))
	n.append("muhafiz.yaml", fmt.Sprintf("session_key: session.age\nwhatsapp:\n  poll_every: 50ms\n  rotate_every: 50ms\n  recheck_every: 1h\n  network: {address: %q, media_address: %q, root_key: root}\n  accounts:\n", end.Addr, end.MediaAddr))
	for i, name := range names {
		n.of[name] = whatsapptest.Account{Phone: fmt.Sprintf("1555010%04d", i), Name: name}
		n.append("muhafiz.yaml", fmt.Sprintf("    - {name: %s}\n", name))
	}
	for _, name := range names {
		if linked, err := n.login(name); err != nil || linked {
			t.Fatal(linked, err)
		}
	}
	return n
}

// login scans the code with the account's phone.
func (n *waNetwork) login(name string) (linked bool, err error) {
	return LoginWhatsApp(n.t.Context(), n.options(), name, WhatsAppPrompts{ShowQR: func(text string) error {
		go func() { _, _ = n.srv.Scan(n.t.Context(), text, n.of[name]) }()
		return nil
	}})
}

func (n *waNetwork) until(c *Client, what string, ok func(Status) bool) Status {
	n.t.Helper()
	return (&network{site: n.site}).until(c, what, ok)
}

func waState(st Status, name string) SourceState {
	for _, s := range st.Sources {
		if s.Name == "whatsapp/"+name {
			return s
		}
	}
	return SourceState{}
}

// The targets of a number that WhatsApp unlinks move to the one that is left, and the lost one comes back beside the daemon.
func TestWhatsAppTargetsMoveToTheNumberThatIsLeft(t *testing.T) {
	if raced(t) {
		return
	}
	n := newWaNetwork(t, "first", "second")
	n.start()
	c := n.client(nil)
	if err := n.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	n.until(c, "the post", func(st Status) bool { return st.Targets[0].Versions == 1 })
	if _, err := n.login("first"); err == nil || !strings.Contains(err.Error(), "another process uses the session of account first: stop it first") {
		t.Errorf("a login beside the daemon: %v", err)
	}
	b, err := os.ReadFile(n.path("vault/sessions/whatsapp-first.db"))
	if err != nil || len(b) == 0 || strings.HasPrefix(string(b), "SQLite format") || strings.Contains(string(b), "whatsmeow") {
		t.Errorf("the keys are not encrypted at rest: %d bytes, %v", len(b), err)
	}
	var plan Planned
	if err := c.Call(t.Context(), "GET", "/v1/plan", nil, &plan); err != nil || len(plan.Accounts) != 2 || !plan.Accounts[0].Fits {
		t.Errorf("plan %+v, %v", plan, err)
	}
	by := "first"
	if len(plan.Accounts[1].Targets) == 1 {
		by = "second"
	}
	other := map[string]string{"first": "second", "second": "first"}[by]

	n.srv.End(whatsapptest.DeviceRemoved, n.of[by].Phone)
	st := n.until(c, "the loss", func(st Status) bool { return waState(st, by).State == "logged-out" })
	if src := waState(st, by); !strings.Contains(src.Advice, "muhafiz login whatsapp "+by) || src.Blind.IsZero() {
		t.Errorf("got %+v", src)
	}
	n.ch.Post(whatsapptest.Post{Text: "Simulated second"})
	st = n.until(c, "the next post through the other number", func(st Status) bool { return st.Targets[0].Versions == 2 })
	if waState(st, other).State != "healthy" || st.Targets[0].Gone != 0 || st.Targets[0].Gaps == 0 {
		t.Errorf("got %+v", st)
	}
	if running, err := Resume(t.Context(), n.options().Config, "whatsapp", other); !running || err == nil || !strings.Contains(err.Error(), "at work already") {
		t.Errorf("a number at work: %v, %v", running, err)
	}
	if linked, err := n.login(by); linked || err != nil {
		t.Fatal(linked, err)
	}
	if running, err := Resume(t.Context(), n.options().Config, "whatsapp", by); !running || err != nil {
		t.Errorf("got %v, %v", running, err)
	}
	n.until(c, "the number's return", func(st Status) bool { return waState(st, by).State == "healthy" })
}

// TestWhatsAppFailureTable is the facts' table of ends, with what the operator sees of each: the line in status, the gap, the advice. None
// of them is ever told as something that happened to the channel.
func TestWhatsAppFailureTable(t *testing.T) {
	for _, row := range []struct {
		name, state, gap string
		advice           string
		alert            bool // somebody is told at once
		end              func(n *waNetwork)
	}{
		{"stream 503", "healthy", "", "", false, func(n *waNetwork) { n.srv.End(whatsapptest.Unavailable) }},
		{"TCP cut", "healthy", "", "", false, func(n *waNetwork) { n.srv.End(whatsapptest.Cut) }},
		{"stream 515", "healthy", "", "", false, func(n *waNetwork) { n.srv.End(whatsapptest.Reconnect) }},
		{"conflict replaced", "replaced", "account-lost", "stop the other one", true, func(n *waNetwork) { n.srv.End(whatsapptest.Replaced) }},
		{"401 device removed", "logged-out", "account-lost", "look at the phone, then run muhafiz login whatsapp first", true, func(n *waNetwork) { n.srv.End(whatsapptest.DeviceRemoved) }},
		{"401 at login", "logged-out", "account-lost", "muhafiz login whatsapp first", true, refusing(whatsapptest.Refusal{Reason: 401})},
		{"403 at login", "logged-out", "account-lost", "how to appeal", true, refusing(whatsapptest.Refusal{Reason: 403})},
		{"406 at login", "logged-out", "account-lost", "muhafiz login whatsapp first", true, refusing(whatsapptest.Refusal{Reason: 406})},
		{"402 until T", "locked-out", "locked-out", "spread the targets over two numbers", false, refusing(whatsapptest.Refusal{Reason: 402, Code: 101, Expire: time.Hour})},
		{"405 outdated", "client-outdated", "account-lost", "--latest-version", true, refusing(whatsapptest.Refusal{Reason: 405})},
	} {
		t.Run(row.name, func(t *testing.T) {
			if raced(t) {
				return
			}
			n := newWaNetwork(t, "first")
			d := n.start()
			c := n.client(nil)
			if err := n.approve(c, "bilal", "one"); err != nil {
				t.Fatal(err)
			}
			n.until(c, "the post", func(st Status) bool { return st.Targets[0].Versions == 1 })
			row.end(n)
			if row.state == "healthy" {
				n.ch.Post(whatsapptest.Post{Text: "Simulated second"})
				n.until(c, "the next post", func(st Status) bool { return st.Targets[0].Versions == 2 })
			}
			var gaps []string
			st := n.until(c, row.state, func(st Status) bool {
				gaps = gapCauses(t, d)
				return waState(st, "first").State == row.state && (row.gap == "" || len(gaps) > 0)
			})
			src := waState(st, "first")
			if row.gap != "" && !strings.Contains(strings.Join(gaps, " "), row.gap) {
				t.Errorf("gaps %v, want %s", gaps, row.gap)
			}
			if !strings.Contains(src.Advice, row.advice) {
				t.Errorf("advice %q, want %q", src.Advice, row.advice)
			}
			w := d.watchman(d.cfg)
			w.started = w.started.Add(-time.Hour)
			troubles, err := w.troubles(t.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			told := ""
			for _, x := range troubles {
				if x.key == "account/whatsapp/first" {
					told = x.what + ": " + x.do
				}
			}
			if (told != "") != row.alert {
				t.Errorf("told %q", told)
			}
			if st.Targets[0].Gone != 0 {
				t.Error("the end of our account became a takedown")
			}
			var day diary.Today
			if err := c.Call(t.Context(), "GET", "/v1/today?person=amna", nil, &day); err != nil || len(day.Down) != 0 {
				t.Errorf("today calls it a takedown: %+v, %v", day.Down, err)
			}
			warning := "-"
			if row.state != "healthy" {
				warning = src.warning()
			}
			t.Logf("\n  WhatsApp says   %s\n  status          whatsapp/first  %s\n  warning         %s\n  gap             %s\n  alert at once   %s",
				row.name, src.State, warning, strings.Join(gaps, ", "), told)
		})
	}
}

// A version that WhatsApp refuses is mended by the configuration alone: the daemon goes on with the new one.
func TestWhatsAppVersionIsReloaded(t *testing.T) {
	if raced(t) {
		return
	}
	n := newWaNetwork(t, "first")
	d := n.start()
	c := n.client(nil)
	if err := n.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	n.until(c, "the post", func(st Status) bool { return st.Targets[0].Versions == 1 })
	n.srv.Refuse(whatsapptest.Refusal{Reason: 405}, 1)
	n.srv.DropConnections()
	n.until(c, "the refusal", func(st Status) bool {
		return waState(st, "first").State == "client-outdated" && d.givenUp("whatsapp/first")
	})
	const later = "2.3000.1039999999"
	b, err := os.ReadFile(n.path("muhafiz.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	n.write("muhafiz.yaml", strings.Replace(string(b), "whatsapp:\n", "whatsapp:\n  version: "+later+"\n", 1))
	n.ch.Post(whatsapptest.Post{Text: secretText + ", again"})
	if err := c.Call(t.Context(), "POST", "/v1/reload", none{}, nil); err != nil {
		t.Fatal(err)
	}
	n.until(c, "the next post", func(st Status) bool {
		return st.Targets[0].Versions == 2 && waState(st, "first").State == "healthy"
	})
	said := ""
	for _, call := range n.srv.Calls() {
		if call.Kind == "login" {
			said = call.Version
		}
	}
	if said != later {
		t.Errorf("the account says that it is %s", said)
	}
}

// raced reports whether the race detector is on, which stops at the client library's own race of a connection that is cut. scripts/test
// runs these tests without it.
func raced(t *testing.T) bool {
	t.Helper()
	if detectsRaces {
		t.Log("not applicable: under -race, where the client library races with itself when a server closes the connection")
	}
	return detectsRaces
}

// refusing ends the sessions and refuses every login from then on.
func refusing(r whatsapptest.Refusal) func(*waNetwork) {
	return func(n *waNetwork) {
		n.srv.Refuse(r, -1)
		n.srv.DropConnections()
	}
}

func gapCauses(t *testing.T, d *Daemon) (out []string) {
	t.Helper()
	err := d.rooms.Vault.Records(t.Context(), 0, func(r evidence.Record) error {
		if g, err := evidence.Decode[*evidence.Gap](r); err == nil {
			out = append(out, g.Cause)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A budget that does not hold what the watchlist asks is said, and each target's delay stretched.
func TestWhatsAppPlanSaysWhatDoesNotFit(t *testing.T) {
	s := newSite(t)
	s.append("muhafiz.yaml", "session_key: session.age\nwhatsapp:\n  accounts: [{name: first, budget: {queries_per_hour: 100}}]\n")
	c := s.options().Config
	src, err := (&Rooms{Options: Options{Config: c, Now: time.Now}}).planned(t.Context(), nil)
	if err != nil || len(src) != 1 || src[0].Says != "The account observes no target." {
		t.Fatalf("%+v, %v", src, err)
	}
	var targets []collectors.Target
	for i := range 20 {
		targets = append(targets, collectors.Target{ID: fmt.Sprintf("t%02d", i), Platform: "whatsapp", Address: fmt.Sprintf("https://whatsapp.com/channel/0029VaNorthhaven%04d", i)})
	}
	d := n0(t, s)
	src, err = d.planned(t.Context(), targets)
	if err != nil || src[0].Fits || !strings.Contains(src[0].Says, "does not hold") || src[0].Targets[0].Every <= 600 {
		t.Errorf("%+v, %v", src, err)
	}
}

// n0 opens a site's vault.
func n0(t *testing.T, s *site) *Rooms {
	t.Helper()
	o := s.options()
	o.MayCreate = true
	r, err := OpenRooms(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// Nothing of an account goes past its proxy: the proxy alone is dialled, and it alone looks names up.
func TestWhatsAppGoesByItsProxyAlone(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	asked := make(chan string, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b := make([]byte, 512)
		n, _ := conn.Read(b)
		asked <- string(b[:n])
		_, _ = conn.Write([]byte("HTTP/1.1 403 Forbidden\r\n\r\n"))
	}()
	s := newSite(t)
	s.write("proxy", "http://user:hush@"+ln.Addr().String())
	if err := os.Chmod(s.path("proxy"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.append("muhafiz.yaml", "session_key: session.age\nwhatsapp:\n  accounts: [{name: first, proxy: {file: proxy}}]\n")
	if _, _, err := LatestWhatsApp(t.Context(), s.options(), "first"); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v", err)
	}
	if got := <-asked; !strings.HasPrefix(got, "CONNECT web.whatsapp.com:443 ") {
		t.Errorf("the proxy was asked %q", got)
	}
}

// An account that was never linked, or was forgotten, says so; linked beside the daemon it is at work.
func TestWhatsAppAccountThatIsNotLinked(t *testing.T) {
	n := newWaNetwork(t, "first")
	if err := ForgetWhatsApp(t.Context(), n.options(), "first"); err != nil || len(n.srv.World().Devices()) != 0 {
		t.Fatalf("%v, %d devices", err, len(n.srv.World().Devices()))
	}
	d := n.start()
	c := n.client(nil)
	if err := n.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	st := n.until(c, "the state", func(st Status) bool { return waState(st, "first").State == "unpaired" && d.givenUp("whatsapp/first") })
	if src := waState(st, "first"); src.Advice != "run muhafiz login whatsapp first and scan the code with its phone" {
		t.Errorf("got %+v", src)
	}
	t.Logf("warning: %s", waState(st, "first").warning())
	if linked, err := n.login("first"); linked || err != nil {
		t.Fatal(linked, err)
	}
	if running, err := Resume(t.Context(), n.options().Config, "whatsapp", "first"); !running || err != nil {
		t.Errorf("got %v, %v", running, err)
	}
	n.until(c, "the post", func(st Status) bool { return st.Targets[0].Versions == 1 })
}
