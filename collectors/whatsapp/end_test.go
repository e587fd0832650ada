package whatsapp_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// What ends our account's use is told as that: its state with what to do, a gap of each target, and nothing about the channel.
func TestAccountEnds(t *testing.T) {
	if raced(t) {
		return
	}
	for _, c := range []struct {
		name, state, cause, says string
		during                   func(*lab)
	}{
		{name: "unlinked while connected", state: "logged-out", cause: "account-lost", says: "muhafiz login whatsapp desk", during: func(l *lab) { l.srv.End(whatsapptest.DeviceRemoved) }},
		{name: "login refused 401", state: "logged-out", cause: "account-lost", says: "401", during: refuse(401)},
		{name: "login refused 403", state: "logged-out", cause: "account-lost", says: "appeal", during: refuse(403)},
		{name: "login refused 406", state: "logged-out", cause: "account-lost", says: "without a reason", during: refuse(406)},
		{name: "replaced", state: "replaced", cause: "account-lost", says: "another place", during: func(l *lab) { l.srv.End(whatsapptest.Replaced) }},
		{name: "client outdated", state: "client-outdated", cause: "account-lost", says: "version", during: refuse(405)},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := linked(t)
			ch := filled(l, 5)
			r := observe(t, l, target(ch, rotation, once))
			before := len(r.until(t, "the history", posts(5)))
			c.during(l)
			err := r.ended(t)
			if !collectors.IsPermanent(err) {
				t.Fatalf("ended with %v, which is not permanent", err)
			}
			rs := records(t, r.v)
			s := hasState(rs, c.state)
			if s == nil || !strings.Contains(s.Detail+"; "+s.Advice, c.says) {
				t.Errorf("state: %+v", s)
			}
			if g := gaps(rs, c.cause); len(g) != 1 {
				t.Errorf("%d gaps", len(g))
			}
			notATakedown(t, rs[before:])
			if c.state == "logged-out" {
				if err := start(t, r.v, r.v, l.o, target(ch)).ended(t); !collectors.IsPermanent(err) || hasState(records(t, r.v), "unpaired") == nil {
					t.Errorf("the next run ended with %v", err)
				}
			}
		})
	}
}

func refuse(code int) func(*lab) {
	return func(l *lab) {
		l.srv.Refuse(whatsapptest.Refusal{Reason: code}, 1)
		l.srv.End(whatsapptest.Cut)
	}
}

func notATakedown(t testing.TB, rs []record) {
	t.Helper()
	if n := len(gone(rs)); n != 0 {
		t.Errorf("%d posts are called gone", n)
	}
	if n := len(of[*evidence.AccountSeen](rs)); n != 0 {
		t.Errorf("%d snapshots", n)
	}
}

// A temporary lock is sat out: no login before its end, and then all goes on.
func TestLockedOut(t *testing.T) {
	if raced(t) {
		return
	}
	l := linked(t)
	ch := filled(l, 5)
	r := observe(t, l, target(ch, joined, once))
	before := len(r.until(t, "the history", posts(5)))
	followed(t, l)
	logins := l.srv.CallCount("login")
	l.srv.Refuse(whatsapptest.Refusal{Reason: 402, Code: 101, Expire: 2 * time.Second}, 1)
	l.srv.End(whatsapptest.Cut)
	rs := r.until(t, "the lock", func(rs []record) bool { return hasState(rs, "locked-out") != nil })
	s := hasState(rs, "locked-out")
	if s.Until.IsZero() || !strings.Contains(s.Detail, "code 101") || len(gaps(rs, "locked-out")) != 1 {
		t.Errorf("%+v, %d gaps", s, len(gaps(rs, "locked-out")))
	}
	ch.Post(whatsapptest.Post{Text: "simulated, after the lock"})
	r.until(t, "the post after it", posts(6))
	if time.Now().Before(s.Until.Time) {
		t.Error("it was asked for before the end of the lock")
	}
	if n := l.srv.CallCount("login") - logins; n != 2 {
		t.Errorf("%d logins", n)
	}
	notATakedown(t, rs[before:])
}

func TestUnpaired(t *testing.T) {
	l := newLab(t)
	ch := filled(l, 1)
	r := observe(t, l, target(ch))
	if err := r.ended(t); !collectors.IsPermanent(err) || !strings.Contains(err.Error(), "muhafiz login whatsapp desk") {
		t.Fatalf("ended with %v", err)
	}
	if s := hasState(records(t, r.v), "unpaired"); s == nil {
		t.Error("the state is not told")
	}
}

// Connections that end for other reasons are made again, and nothing is lost.
func TestReconnects(t *testing.T) {
	if raced(t) {
		return
	}
	for _, end := range []whatsapptest.End{whatsapptest.Unavailable, whatsapptest.Reconnect, whatsapptest.Cut} {
		t.Run(string(end), func(t *testing.T) {
			l := linked(t)
			ch := filled(l, 5)
			r := observe(t, l, target(ch, joined, once))
			before := len(r.until(t, "the history", posts(5)))
			followed(t, l)
			l.srv.End(end)
			ch.Post(whatsapptest.Post{Text: "simulated, afterwards"})
			rs := r.until(t, "the post afterwards and the loss of the connection", func(rs []record) bool {
				return len(texts(rs)) == 6 && hasState(rs, "reconnecting") != nil
			})
			notATakedown(t, rs[before:])
		})
	}
}

// Where the platform cannot be reached the run ends with a sentence, so that the supervisor records the outage.
func TestUnreachable(t *testing.T) {
	l := linked(t)
	ch := filled(l, 1)
	if err := l.srv.Close(); err != nil {
		t.Fatal(err)
	}
	l.o.ConnectTimeout = 100 * time.Millisecond
	err := observe(t, l, target(ch)).ended(t)
	if err == nil || collectors.IsPermanent(err) || !strings.Contains(err.Error(), "check the network") {
		t.Errorf("ended with %v", err)
	}
}

// Both forms in which the platform says "too many requests" make all queries wait, and are told once.
func TestRateLimits(t *testing.T) {
	for name, trouble := range map[string]func(*lab){
		"iq": func(l *lab) { l.srv.Flood("newsletter.messages", 3) },
		"graphql": func(l *lab) {
			l.srv.Fail("mex.info", whatsapptest.Trouble{Code: 429, Text: "Rate limited", GraphQL: true}, 3)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := linked(t)
			ch := filled(l, 120)
			trouble(l)
			rs := observe(t, l, target(ch)).until(t, "the history", func(rs []record) bool {
				return len(texts(rs)) == 120 && hasState(rs, "flood-waiting") != nil
			})
			if s := hasState(rs, "flood-waiting"); s.Until.IsZero() {
				t.Error("until when is not told")
			}
		})
	}
}

// Single failures of queries are sat out.
func TestQueriesAreRepeated(t *testing.T) {
	if raced(t) {
		return
	}
	for name, x := range map[string]whatsapptest.Trouble{
		"error 500":         {Code: 500, Text: "internal-server-error"},
		"graphql error 500": {Code: 500, Text: "oops", GraphQL: true},
		"no answer":         {Stall: true},
		"cut":               {Cut: true},
		"garbage":           {Garbage: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := linked(t)
			l.o.QueryTimeout = 300 * time.Millisecond
			ch := filled(l, 120)
			kind := "newsletter.messages"
			if x.GraphQL {
				kind = "mex.info"
			}
			l.srv.Fail(kind, x, 2)
			observe(t, l, target(ch)).until(t, "the history", posts(120))
		})
	}
}

// The session keys are not readable on the disk, and not with another key.
func TestKeysAtRest(t *testing.T) {
	l := linked(t)
	b, err := os.ReadFile(l.o.Device.Path)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) == 0 || strings.Contains(string(b), "SQLite format") || strings.Contains(string(b), "whatsmeow") || strings.Contains(string(b), whatsapptest.DefaultAccount().Phone) {
		t.Error("the keys stand in the clear")
	}
	if info, err := os.Stat(l.o.Device.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if n, err := whatsapp.Linked(t.Context(), l.o); err != nil || n != whatsapptest.DefaultAccount().Phone {
		t.Errorf("linked to %q, %v", n, err)
	}
	o := l.o
	o.Device.Key = &keys{data: []byte(fmt.Sprintf("%064d", 1))}
	if _, err := whatsapp.Linked(t.Context(), o); err == nil || !strings.Contains(err.Error(), "log in again") {
		t.Errorf("with another key: %v", err)
	}
	o.Device.Key = &keys{}
	if _, err := whatsapp.Linked(t.Context(), o); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("without a key: %v", err)
	}
}
