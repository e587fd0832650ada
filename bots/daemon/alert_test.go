package daemon

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
)

// postbox is a real SMTP server on the loopback.
type postbox struct {
	mu   sync.Mutex
	got  []letter
	addr string
	stop func()
}

type letter struct {
	to   []string
	text string
}

func newPostbox(t *testing.T) *postbox {
	t.Helper()
	p := &postbox{}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &post{p: p}, nil }))
	srv.Domain = "mail.example"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = l.Addr().String()
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	p.stop = sync.OnceFunc(func() { srv.Close(); <-done })
	t.Cleanup(p.stop)
	return p
}

// take returns the letters since the last call.
func (p *postbox) take() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.got
	p.got = nil
	return out
}

type post struct {
	p  *postbox
	to []string
}

func (s *post) Mail(string, *smtp.MailOptions) error { return nil }
func (s *post) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *post) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.got = append(s.p.got, letter{s.to, string(b)})
	return err
}
func (s *post) Reset()        {}
func (s *post) Logout() error { return nil }

// bell is a vault whose clock the test turns, with an alarm over one account and one approved target.
type bell struct {
	t     *testing.T
	site  *site
	rooms *Rooms
	now   time.Time
	given bool
	mail  *postbox
	out   string // what the command was given, a line a message
	cfg   *config.Config
}

func newBell(t *testing.T, alerts string) *bell {
	t.Helper()
	b := &bell{t: t, site: newSite(t), mail: newPostbox(t), now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	b.out = b.site.path("told")
	b.site.write("tell", "#!/bin/sh\nprintf '%s' \"$MUHAFIZ_SECRET\" >> "+b.out+"\ncat >> "+b.out+"\n")
	if err := os.Chmod(b.site.path("tell"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MUHAFIZ_SECRET", "hush")
	b.site.append("muhafiz.yaml", `reporter:
  schedule: 0 9 * * *
  organisation_name: Test Office
  corrections_contact: corrections@example.org
  smtp: {address: "`+b.mail.addr+`", starttls: never}
alerts:
  mail: [desk@example.org]
  command: [`+b.site.path("tell")+`]
`+alerts)
	b.open()
	c := b.site.client(func() (*Rooms, error) { return b.rooms, nil })
	if err := b.site.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	return b
}

func (s *site) append(name, text string) {
	s.t.Helper()
	b, err := os.ReadFile(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(name, string(b)+text)
}

func (b *bell) open() {
	b.t.Helper()
	o := b.site.options()
	o.Now = func() time.Time { return b.now }
	var err error
	if b.rooms, err = OpenRooms(b.t.Context(), o); err != nil {
		b.t.Fatal(err)
	}
	b.cfg = o.Config
}

// restart is a new daemon on the same vault; what it knows comes from the log.
func (b *bell) alarm() *alarm {
	return newAlarm(watchman{
		rooms: b.rooms, started: b.now, given: func(string) bool { return b.given }, sources: []string{"telegram/main"},
	}, b.cfg)
}

func (b *bell) state(c *evidence.Collector) {
	b.t.Helper()
	c.Key, c.Platform = "telegram/main", "telegram"
	if err := b.rooms.write(b.t.Context(), evidence.Source(c.Key), evidence.Source(c.Key), c); err != nil {
		b.t.Fatal(err)
	}
}

// told looks and returns the events that the command was given, `EVENT KEY COUNT`, and whom the mails went to.
func (b *bell) told(a *alarm) (events, to []string) {
	b.t.Helper()
	if err := a.look(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	raw, _ := os.ReadFile(b.out)
	_ = os.Remove(b.out)
	if strings.Contains(string(raw), "hush") {
		b.t.Error("the command was given our environment")
	}
	for line := range strings.Lines(string(raw)) {
		var m message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			b.t.Fatalf("%q: %v", line, err)
		}
		for _, n := range m.Events {
			events = append(events, n.Event+" "+n.Key)
		}
	}
	for _, l := range b.mail.take() {
		to = append(to, strings.Join(l.to, "+"))
	}
	return events, to
}

func (b *bell) want(a *alarm, after time.Duration, events, to []string) {
	b.t.Helper()
	b.now = b.now.Add(after)
	gotEvents, gotTo := b.told(a)
	if d := cmp.Diff(events, gotEvents); d != "" {
		b.t.Errorf("at %s: events (-want +got)\n%s", b.now, d)
	}
	if d := cmp.Diff(to, gotTo); d != "" {
		b.t.Errorf("at %s: mail (-want +got)\n%s", b.now, d)
	}
}

func TestAnAlertIsToldOnceRepeatedWidenedAndEnded(t *testing.T) {
	b := newBell(t, "  repeat: 6h\n  blind_after: 100h\n  escalate: {after: 24h, mail: [head@example.org]}\n")
	desk, all := []string{"desk@example.org"}, []string{"desk@example.org", "head@example.org"}
	b.state(&evidence.Collector{State: "healthy"})
	a := b.alarm()
	b.want(a, time.Minute, nil, nil)
	b.state(&evidence.Collector{State: "frozen", Detail: "Telegram froze our account main", FrozenUntil: evidence.At(b.now.Add(48 * time.Hour)), Advice: "appeal with an official app"})
	b.want(a, time.Minute, []string{"raised account/telegram/main"}, desk)
	b.want(a, time.Minute, nil, nil)
	b.want(b.alarm(), time.Minute, nil, nil) // a restart says nothing twice
	b.want(a, 6*time.Hour, []string{"repeated account/telegram/main"}, desk)
	b.want(a, 6*time.Hour, nil, nil) // the pauses grow
	b.want(a, 6*time.Hour, []string{"repeated account/telegram/main"}, desk)
	b.want(b.alarm(), 7*time.Hour, []string{"widened account/telegram/main"}, all)
	b.want(a, time.Minute, nil, nil)
	// The platform refuses even reading: nobody sees any more, and the one target is not listed beside.
	b.given = true
	b.want(a, time.Minute, []string{"raised sight"}, desk)
	b.given = false
	b.state(&evidence.Collector{State: "healthy"})
	b.want(b.alarm(), time.Minute, []string{"ended account/telegram/main", "ended sight"}, all)
	b.want(a, 100*time.Hour, []string{"raised target/one"}, desk)
	// While nobody sees, the target is neither told again nor over.
	b.given = true
	b.state(&evidence.Collector{State: "frozen"})
	b.want(a, time.Minute, []string{"raised account/telegram/main", "raised sight"}, desk)

	n := map[string]int{}
	err := b.rooms.Vault.Records(t.Context(), 0, func(r evidence.Record) error {
		if r.Kind == evidence.KindAlert {
			x, err := evidence.Decode[*evidence.Alert](r)
			if err != nil {
				return err
			}
			n[x.Event]++
			if !x.Arrived() || x.What == "" {
				t.Errorf("got %+v", x)
			}
		}
		return nil
	})
	if d := cmp.Diff(map[string]int{"raised": 5, "repeated": 2, "widened": 1, "ended": 2}, n); err != nil || d != "" {
		t.Errorf("records (-want +got): %v\n%s", err, d)
	}
}

func TestAnAlertSaysWhatToDoAndNamesNoPost(t *testing.T) {
	b := newBell(t, "")
	b.state(&evidence.Collector{State: "banned", Detail: "Telegram closed our account main", Advice: "log another account in"})
	if err := b.alarm().look(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := b.mail.take()
	if len(got) != 1 {
		t.Fatalf("%d letters", len(got))
	}
	for _, want := range []string{
		"From: <corrections@example.org>", "our account telegram/main is banned", "what to do: log another account in", "nothing is seen",
		"Auto-Submitted: auto-generated", b.rooms.Vault.ID(),
	} {
		if !strings.Contains(strings.ReplaceAll(got[0].text, "=\r\n", ""), want) {
			t.Errorf("no %q in\n%s", want, got[0].text)
		}
	}
}

// A source that fails is told only after a while, and an outage that ended before is nobody's business.
func TestAShortOutageRaisesNothing(t *testing.T) {
	b := newBell(t, "  after: 10m\n")
	a := b.alarm()
	b.state(&evidence.Collector{State: "healthy"})
	b.state(&evidence.Collector{State: "failed", Detail: "no connection"})
	b.want(a, 9*time.Minute, nil, nil)
	b.state(&evidence.Collector{State: "healthy"})
	b.want(a, 5*time.Minute, nil, nil)
	for range 4 { // it tries again and again, and is blind since the first time
		b.state(&evidence.Collector{State: "failed", Detail: "no connection"})
		b.state(&evidence.Collector{State: "starting"})
		b.now = b.now.Add(3 * time.Minute)
	}
	b.want(a, 0, []string{"raised account/telegram/main", "raised sight"}, []string{"desk@example.org"})
	b.state(&evidence.Collector{State: "flood-waiting"}) // it is connected: a wait is no blindness
	b.want(a, time.Minute, []string{"ended account/telegram/main", "ended sight"}, []string{"desk@example.org"})
}

// An alert that reaches nobody is tried again until it does, and every try is a record.
func TestAnAlertThatReachesNobodyIsTriedAgain(t *testing.T) {
	b := newBell(t, "")
	b.mail.stop()
	b.site.write("tell", "#!/bin/sh\nexit 3\n")
	b.state(&evidence.Collector{State: "banned"})
	a := b.alarm()
	b.want(a, 0, nil, nil)
	open, err := b.rooms.openAlerts(t.Context())
	if err != nil || open["account/telegram/main"].Untold != evidence.AlertRaised || open["account/telegram/main"].Count != 0 {
		t.Errorf("got %+v, %v", open, err)
	}
	b.site.write("tell", "#!/bin/sh\ncat >> "+b.out+"\n")
	b.want(a, 30*time.Second, nil, nil) // not yet
	b.want(a, 30*time.Second, []string{"raised account/telegram/main", "raised sight"}, nil)
	b.want(b.alarm(), time.Minute, nil, nil) // told by one way is told
}

func TestACommandThatDoesNotEndIsEnded(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "slow")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nsleep 60 &\nsleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	told := commandWay{args: []string{script}, limit: 100 * time.Millisecond}.tell(t.Context(), message{})
	if !strings.Contains(told.Error, "did not end within") || time.Since(began) > 20*time.Second {
		t.Errorf("after %s: %+v", time.Since(began), told)
	}
	if told := (commandWay{args: []string{filepath.Join(dir, "none")}, limit: time.Second}).tell(t.Context(), message{}); told.Error == "" {
		t.Error("a program that is not there was run")
	}
}
