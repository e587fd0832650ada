package reporter_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
	"github.com/muhafiz/muhafiz/reporter"
	"github.com/muhafiz/muhafiz/reporter/delivery"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// world is a real vault with two people, a mailbox that speaks SMTP, and a clock.
type world struct {
	t    *testing.T
	path string
	opts vault.Options
	v    *vault.Vault
	desk *review.Desk
	keys map[string]ssh.Signer
	mail *mailbox
	// authority designates the organisation of the targets that are listed from now on.
	authority string

	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, path: filepath.Join(t.TempDir(), "vault"), keys: map[string]ssh.Signer{}, mail: startMailbox(t),
		now: time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC), authority: "UN example list (simulated)",
	}
	w.opts = vaulttest.Options(t, reporter.Views()...)
	w.opts.Now = w.clock
	v, err := vault.Create(w.path, w.opts)
	if err != nil {
		t.Fatal(err)
	}
	w.use(v)
	t.Cleanup(func() { w.v.Close() })
	for id, role := range map[string]string{"ana": "analyst", "bilal": "reviewer", "carla": "senior", "sana": "senior", "audrey": "auditor"} {
		_, priv, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if w.keys[id], err = ssh.NewSignerFromKey(priv); err != nil {
			t.Fatal(err)
		}
		pub := w.keys[id].PublicKey()
		w.put(evidence.Person(id), &evidence.PersonSet{
			Key: id, Name: "Simulated " + id, Roles: []string{role}, Fingerprint: ssh.FingerprintSHA256(pub),
			SSHKey: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub))),
		})
	}
	return w
}

func (w *world) use(v *vault.Vault) {
	w.v = v
	w.desk = &review.Desk{Log: v, Now: w.clock}
}

// reopen ends the vault as a crash would leave it to the next process, and opens it again.
func (w *world) reopen() {
	w.t.Helper()
	if err := w.v.Close(); err != nil {
		w.t.Fatal(err)
	}
	v, err := vault.Open(w.path, w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	w.use(v)
}

// sound rebuilds every view from the log and compares, and does it once more with each record's body removed in turn.
func (w *world) sound() {
	w.t.Helper()
	var all []evidence.Record
	if err := w.v.Records(w.t.Context(), 0, func(r evidence.Record) error { all = append(all, r); return nil }); err != nil {
		w.t.Fatal(err)
	}
	vaulttest.Erased(w.t, all, w.opts.Views, nil)
	if err := w.v.Close(); err != nil {
		w.t.Fatal(err)
	}
	rep, err := vault.Fsck(w.t.Context(), w.path, vault.FsckOptions{Views: w.opts.Views})
	if err != nil || len(rep.Problems) > 0 || len(rep.Views) != len(w.opts.Views) {
		w.t.Errorf("fsck: %v, %v, %+v", err, rep.Problems, rep.Views)
	}
	w.reopen()
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) put(subject evidence.Name, b evidence.Body) evidence.Record {
	w.t.Helper()
	recs, err := w.v.Put(w.t.Context(), evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: subject, Body: b,
	}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return recs[0]
}

// target lists a target that is approved and bound, with one post, and returns the post.
func (w *world) target(id, platform, number string) evidence.Ordinal {
	w.t.Helper()
	set := &evidence.TargetSet{
		Key: id, Platform: platform, Address: "https://t.me/" + id, ListedBy: "ana", Report: true,
		Organisation: evidence.Organisation{Name: "Fictional Front (simulated)", Designations: []evidence.Designation{{Authority: w.authority, Reference: "N.1"}}},
	}
	w.list("ana", set)
	w.put(evidence.Target(id), set)
	account := evidence.Account(platform, "channel", number)
	w.put(evidence.Target(id), &evidence.TargetBound{Account: evidence.Ref{Name: account}, Address: "https://t.me/" + id})
	w.approveTarget(id)
	at := evidence.At(w.clock())
	return w.put(account.Post(4), &evidence.PostSeen{
		Method: "mtproto", Vantage: "v", Observed: evidence.Span{From: at, To: at}, ClaimedAt: at,
		Text: "A bland text asks for donations (simulated). یہ ایک نقلی متن ہے",
	}).Subject
}

// list lets a person sign that they listed a target.
func (w *world) list(person string, t *evidence.TargetSet) {
	w.t.Helper()
	l := review.NewList([]review.Listing{{ID: t.Key, Effective: t.Effective()}})
	root, err := l.Root()
	if err != nil {
		w.t.Fatal(err)
	}
	payload, err := w.desk.PrepareListing(w.t.Context(), person, 1, root, "")
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.desk.SignListing(w.t.Context(), person, w.sign(person, payload), l.Text()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) approveTarget(id string) { w.t.Helper(); w.approveTargetAs("bilal", id) }

func (w *world) approveTargetAs(person, id string) {
	w.t.Helper()
	payload, err := w.desk.PrepareTargetApproval(w.t.Context(), person, id, false, "")
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.desk.ApproveTarget(w.t.Context(), person, id, w.sign(person, payload)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sign(person, payload string) evidence.Signed {
	w.t.Helper()
	s, err := review.Sign(payload, w.keys[person])
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// approved takes a post through both people.
func (w *world) approved(post evidence.Ordinal, severity string) review.Case {
	w.t.Helper()
	for _, person := range []string{"ana", "bilal"} { // both must have opened it
		if _, err := w.desk.Show(w.t.Context(), person, post); err != nil {
			w.t.Fatal(err)
		}
	}
	payload, err := w.desk.PrepareDecision(w.t.Context(), "ana", review.DecisionInput{
		Posts: []evidence.Ordinal{post}, Outcome: review.OutcomeReport, Affiliation: "stated (simulated)", Languages: []string{"en"},
		Passages: []evidence.Passage{{Exhibit: 1, Quote: "asks for donations", Rule: "8.1", Offence: "fundraises", Severity: severity, Exclusion: "none"}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := w.desk.Decide(w.t.Context(), "ana", w.sign("ana", payload))
	if err != nil {
		w.t.Fatal(err)
	}
	if payload, err = w.desk.PrepareApproval(w.t.Context(), "bilal", c.Ordinal, true, ""); err != nil {
		w.t.Fatal(err)
	}
	if c, err = w.desk.Approve(w.t.Context(), "bilal", w.sign("bilal", payload)); err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) options() reporter.Options {
	schedule, err := reporter.ParseSchedule("0 * * * *")
	if err != nil {
		w.t.Fatal(err)
	}
	return reporter.Options{Schedule: schedule, Log: w.v, Now: w.clock, Routes: map[string]reporter.Route{"telegram": w.route()}}
}

func (w *world) route() reporter.Route {
	return reporter.Route{
		Courier: &delivery.Mail{Addr: w.mail.addr, Security: delivery.Plain},
		From:    "Example Desk <desk@example.org>", To: []string{"Abuse <abuse@platform.example>"},
		Head: notice.Letterhead{Organisation: "Example Desk (simulated)", Contact: "corrections@example.org"},
	}
}

func (w *world) reporter(o reporter.Options) *reporter.Reporter {
	w.t.Helper()
	r, err := reporter.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) run(r *reporter.Reporter) reporter.Report {
	w.t.Helper()
	rep, err := r.RunOnce(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return rep
}

func (w *world) state(r *reporter.Reporter, o evidence.Ordinal) notice.State {
	w.t.Helper()
	n, err := r.Notice(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// kinds returns the log's kinds from a record on, in order.
func (w *world) kinds(from int64) string {
	w.t.Helper()
	var out []string
	if err := w.v.Records(w.t.Context(), from, func(r evidence.Record) error {
		out = append(out, string(r.Kind))
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(out, " ")
}

// crash fails when a record of a kind is to be written, as if the process ended there.
type crash struct {
	reporter.Log
	at evidence.Kind
}

var errCrash = errors.New("the process ended here")

func (c *crash) Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error) {
	for _, d := range b.Drafts {
		if d.Body.Kind() == c.at {
			return nil, errCrash
		}
	}
	return c.Log.Put(ctx, b)
}

// mailbox is a real SMTP server on the loopback.
type mailbox struct {
	mu     sync.Mutex
	got    [][]byte
	refuse error
	taken  func() // called after a message was taken, before the server says so
	addr   string
}

func (m *mailbox) refuseWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = err
}

func (m *mailbox) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.got)
}

func startMailbox(t *testing.T) *mailbox {
	t.Helper()
	m := &mailbox{}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{m}, nil }))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.addr = l.Addr().String()
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Close(); <-done })
	return m
}

type session struct{ m *mailbox }

func (*session) Reset()                               {}
func (*session) Logout() error                        { return nil }
func (*session) Mail(string, *smtp.MailOptions) error { return nil }
func (*session) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.m.refuse != nil {
		return s.m.refuse
	}
	s.m.got = append(s.m.got, b)
	if s.m.taken != nil {
		s.m.taken()
	}
	return nil
}

func num(n int) string { return strconv.Itoa(n) }
