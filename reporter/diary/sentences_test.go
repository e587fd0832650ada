package diary

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var update = flag.Bool("update", false, "write the golden files")

// kinds reads the names of all kinds out of package evidence.
func kinds(t *testing.T) []evidence.Kind {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../../collectors/evidence/kind.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []evidence.Kind
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		lit, ok := v.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		k, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, evidence.Kind(k))
		return true
	})
	if len(out) < 40 {
		t.Fatalf("read only %d kinds", len(out))
	}
	return out
}

// secret is what posts and people say in the samples; no sentence may repeat it.
const secret = "WORDS-OF-A-POST"

func payload(st evidence.Statement) evidence.Signed {
	b, err := json.Marshal(st)
	if err != nil {
		panic(err)
	}
	return evidence.Signed{Payload: string(b)}
}

func at(hour int) evidence.Time {
	return evidence.At(time.Date(2026, 11, 23, hour, 30, 0, 0, time.UTC))
}

func samples() []evidence.Body {
	d := evidence.Sum([]byte("simulated"))
	obj := evidence.Object{SHA256: d, Size: 1234}
	ref := &evidence.RecordRef{Seq: 5}
	account := evidence.Ref{Ordinal: "a12"}
	return []evidence.Body{
		&evidence.VaultCreated{VaultID: "0123456789abcdefghijklmnop", Format: 1, LogKey: "log.example/simulated+1234+AAAA"},
		&evidence.RunStarted{Command: "restore", Host: "office", Clock: "synchronised", Interrupted: true, Restored: &evidence.Restored{Backup: "20260131T120000.000000Z-41", At: at(7), Records: 41}},
		&evidence.RunStopped{Command: "run"},
		&evidence.VaultCompacted{Before: 4096, After: 1024, Keys: []string{"0123456789abcdef"}},
		&evidence.ReporterReleased{Restored: 12, Reason: "the mail server's log"},
		&evidence.DamageFound{Part: evidence.DamagedBlob, Blob: d, What: "its 40 bytes have another SHA-256", Aside: "damaged/abc\x1b[2J"},
		&evidence.DamageEnded{Part: evidence.DamagedBlob, Blob: d, How: evidence.MendBackup, By: "20260131T120000.000000Z-41"},
		&evidence.Erased{Rule: "retention", Reason: "six months", Records: []evidence.SeqRun{{First: 3, Last: 4}}, Files: 1, Bytes: 1000},
		&evidence.Checkpoint{Size: 12, Root: d},
		&evidence.PersonSet{Name: "Bilal", Roles: []string{"reviewer"}, Fingerprint: "SHA256:abc"},
		&evidence.TargetSet{Address: "https://t.me/front", ListedBy: "amna", Organisation: evidence.Organisation{Name: "Northhaven Front (fictional)", Designations: make([]evidence.Designation, 2)}, Affiliation: evidence.Affiliation{Basis: "says so", Citation: evidence.Citation{Title: "A report"}}, Report: true},
		&evidence.TargetListed{Signed: payload(evidence.Statement{Fingerprint: "SHA256:abc", Lists: &evidence.Lists{Targets: 481, Root: d, Log: 7}}), List: obj},
		&evidence.TargetApproved{Listing: &evidence.ListingProof{Listed: *ref}, Signed: payload(evidence.Statement{Confirms: ref, Fingerprint: "SHA256:abc", Until: at(9)})},
		&evidence.TargetSuspended{Reason: "a journalist\u202e's\x1b[2J"},
		&evidence.TargetRemoved{Reason: "left the list"},
		&evidence.TargetMarked{Mark: "innocent", Category: "news_outlet", Address: "https://t.me/front", Reason: "a newspaper"},
		&evidence.TargetRelisted{Signed: payload(evidence.Statement{Lifts: ref, Fingerprint: "SHA256:abc", Comment: "it changed hands"})},
		&evidence.TargetBound{Account: account, Address: "https://t.me/front"},
		&evidence.TargetConfirmed{Account: account, Signed: payload(evidence.Statement{Confirms: ref, Fingerprint: "SHA256:abc", Identity: "telegram channel 1234", Comment: "it moved"})},
		&evidence.Status{State: evidence.StatusUnknown, Because: evidence.StatusPrivate, Was: evidence.StatusUp, Said: "channels.getFullChannel: 400 CHANNEL_PRIVATE\x1b[2J", Vantage: "main"},
		&evidence.Finding{Rule: evidence.RuleIdentity, Address: "https://t.me/front", Was: &account, Now: &evidence.Ref{Ordinal: "a13"}, Vantage: "main"},
		&evidence.AccountBound{Key: "telegram channel 1234", Platform: "telegram", Type: "channel", ID: "1234"},
		&evidence.AccountSeen{Title: "A \u202etitle", Usernames: []string{"front"}, Vantage: "main", Restriction: []evidence.Restriction{{Where: "ios", Reason: "terms", Text: secret}}},
		&evidence.Acquisition{Method: "messages.getHistory", Reply: obj, Vantage: "main", Skipped: make([]evidence.Skipped, 1)},
		&evidence.PostSeen{
			Text: secret, EditedAt: at(7), Vantage: "main", Group: "7", Unknown: []string{"messageMediaUnsupported"}, Media: []evidence.Media{
				{ID: "photo 1", Type: "photo"}, {ID: "poll 3", Type: "poll", Detail: secret}, {Type: "video", Locked: true}, {ID: "contact", Type: "contact"}, {ID: "webpage", Type: "webpage", Detail: secret},
			},
		},
		&evidence.PostCounts{Posts: make([]evidence.Post, 3)},
		&evidence.PostGone{How: evidence.GoneErased, Vantage: "main"},
		&evidence.MediaKept{Blob: obj, MIME: "image/png", Name: secret},
		&evidence.MediaMissed{Reason: "too-large", Rule: "collect.max_bytes_of.video", Size: 90 << 20},
		&evidence.Gap{Span: evidence.Span{From: at(7), To: at(8)}, Cause: "outage", Recovered: true},
		&evidence.Collector{State: "flood-waiting", Until: at(9)},
		&evidence.Collector{State: "frozen", Detail: "Telegram froze our account main", FrozenSince: at(6), FrozenUntil: at(9), Appeal: "https://t.me/spambot", Advice: "appeal with an official app"},
		&evidence.CaseOpened{Account: account, Target: "front", Follows: "c8"},
		&evidence.Decision{Signed: payload(evidence.Statement{Outcome: "report", Fingerprint: "SHA256:abc", Exhibits: make([]evidence.Exhibit, 2), Grounds: &evidence.Ground{Passages: []evidence.Passage{
			{Quote: secret, Gloss: secret, Rule: "calls for violence", Severity: "high"}, {Quote: secret, Rule: "calls for violence", Severity: "low"},
		}}})},
		&evidence.Approval{Signed: payload(evidence.Statement{Agree: true, Confirms: ref, Adjudicates: ref, Fingerprint: "SHA256:abc", Exhibits: make([]evidence.Exhibit, 2)})},
		&evidence.NoticeDrafted{Platform: "telegram", Route: "mail", To: []string{"abuse@example.org"}, Title: secret, Message: obj, Cases: []evidence.NoticeCase{{Case: "c9"}}},
		&evidence.NoticeApproved{Signed: payload(evidence.Statement{Agree: true, Confirms: ref, Fingerprint: "SHA256:abc"})},
		&evidence.NoticeAttempted{Route: "mail"},
		&evidence.NoticeSent{Receipt: "250 2.0.0 queued"},
		&evidence.NoticeUncertain{Reason: "the connection broke"},
		&evidence.NoticeFailed{Reason: "no route to host"},
		&evidence.NoticeAnswered{Outcome: "needs_more", Ticket: "T-1", Text: secret, By: secret},
		&evidence.NoticeDisputed{From: secret, Text: secret},
		&evidence.NoticeCorrected{Correction: "n4", Account: "a12", Withdrawal: true, Reason: "wrong account"},
		&evidence.NoticeWithdrawn{Reason: "suspended"},
		&evidence.ReporterRun{Drafted: 1, Sent: 1, Waiting: 2},
		&evidence.Alert{Event: evidence.AlertRaised, Key: "account/telegram/main", What: "our account telegram/main is frozen", Since: at(7), Count: 1, Told: []evidence.Told{
			{Way: "mail", To: 1}, {Way: "command", Error: "exit status 1"},
		}},
		&evidence.BundleBuilt{Name: "c9", Edition: "standard", Records: 9, Signer: "bundles@example.org", TagManifest: d, Purpose: "court"},
		&evidence.Refused{What: "POST /v1/review/approval", About: "c9", Code: "same-person", Person: "bilal"},
		&evidence.Access{What: "show", Via: "socket", Note: "limit 5"},
		&evidence.HoldPlaced{What: evidence.HoldQuery, Query: &evidence.Span{From: at(7), To: at(9)}, Reason: "proceedings", Basis: "order 12/26", Until: at(20), Person: "bilal"},
		&evidence.HoldReleased{Hold: 5, Reason: "the proceedings ended", Person: "bilal"},
		&evidence.TargetErasure{Signed: payload(evidence.Statement{Fingerprint: "SHA256:abc", Lifts: ref, Comment: "a journalist"})},
		&evidence.Quarantined{Reason: "must not be seen", Person: "bilal"},
		&evidence.QuarantineOrdered{Signed: payload(evidence.Statement{Fingerprint: "SHA256:abc", Confirms: ref, Comment: "as the law demands", Orders: &evidence.Order{What: evidence.OrderHandOver, Post: "a12/456", Recipient: "age1example"}})},
		&evidence.QuarantineCarried{What: evidence.OrderHandOver, Recipient: "age1example", Packet: obj, Person: "bilal"},
		&evidence.RetentionRun{Erased: 12, Replies: 2, Held: 3, Soon: 40, SoonFrom: at(20), Lingering: 12, Deadline: at(22)},
	}
}

// subjects gives each kind a subject of its space.
func subjectOf(k evidence.Kind) evidence.Ordinal {
	group, _, _ := strings.Cut(string(k), ".")
	switch group {
	case "person", "refused":
		return "u2"
	case "target":
		return "t7"
	case "account", "acquisition", "link", "status", "gap":
		return "a12"
	case "post", "media", "finding", "access", "erased", "quarantined", "quarantine":
		return "a12/456"
	case "case", "decision", "approval", "bundle", "hold":
		return "c9"
	case "notice":
		return "n3"
	case "collector":
		return "s1"
	}
	return "v0"
}

type names struct{}

func (names) Ordinal(context.Context, evidence.Name) (evidence.Ordinal, error) {
	return "", evidence.ErrUnbound
}

func (names) Name(_ context.Context, o evidence.Ordinal) (evidence.Name, error) {
	key := map[evidence.Ordinal]string{"u2": "bilal", "t7": "front", "a12": "telegram channel 1234", "s1": "telegram/main"}[o]
	if key == "" {
		return evidence.Name{}, evidence.ErrUnbound
	}
	return evidence.Name{Space: o.Space(), Key: key}, nil
}

// before is the log in which record 5 decides to report a post.
type before struct{ names }

func (before) Record(_ context.Context, seq int64) (evidence.Record, error) {
	b, err := evidence.EncodeBody(&evidence.Decision{Signed: payload(evidence.Statement{Outcome: "report", Exhibits: make([]evidence.Exhibit, 2)})}, [16]byte{})
	if seq == 6 {
		b = nil // erased
	}
	return evidence.Record{Envelope: evidence.Envelope{Seq: seq, Kind: evidence.KindDecision, Subject: "c9"}, Body: b}, err
}

func (names) Record(context.Context, int64) (evidence.Record, error) {
	return evidence.Record{}, evidence.ErrNotFound
}

func TestABlindAnswerIsComparedWithTheDecision(t *testing.T) {
	for _, c := range []struct {
		outcome string
		seq     int64
		want    string
	}{
		{"report", 5, "approved, by report as their own outcome and without having seen it, the decision on case c9 that is record 5"},
		{"no_action", 5, "refused, by no action as their own outcome and without having seen it, the decision on case c9 that is record 5"},
		{"report", 6, "answered for, by report as their own outcome and without having seen it, the decision on case c9 that is record 6"},
	} {
		body, err := evidence.EncodeBody(&evidence.Approval{Signed: payload(evidence.Statement{
			Type: evidence.StatementApproval, Blind: true, Outcome: c.outcome, Confirms: &evidence.RecordRef{Seq: c.seq}, Exhibits: make([]evidence.Exhibit, 2),
		})}, [16]byte{})
		if err != nil {
			t.Fatal(err)
		}
		r := evidence.Record{Envelope: evidence.Envelope{Seq: 12, Kind: evidence.KindApproval, At: at(8), Actor: "u2", Subject: "c9"}, Body: body}
		e, err := NewTeller(before{}).Tell(t.Context(), r)
		if err != nil || !strings.HasPrefix(e.Sentence, c.want) {
			t.Errorf("got  %s, %v\nwant %s", e.Sentence, err, c.want)
		}
	}
}

func tellOne(t *testing.T, k evidence.Kind, body []byte) string {
	t.Helper()
	r := evidence.Record{Envelope: evidence.Envelope{Seq: 12, Kind: k, At: at(8), Actor: "u2", Subject: subjectOf(k)}, Body: body}
	e, err := NewTeller(names{}).Tell(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return e.String()
}

func TestASentenceForEveryKind(t *testing.T) {
	bodies := map[evidence.Kind][]byte{}
	for _, b := range samples() {
		js, err := evidence.EncodeBody(b, [16]byte{})
		if err != nil {
			t.Fatal(err)
		}
		bodies[b.Kind()] = js
	}
	table := sentences()
	var got strings.Builder
	for _, k := range kinds(t) {
		tell, ok := table[k]
		if !ok {
			t.Errorf("there is no sentence for %s: add it to the table", k)
			continue
		}
		body := bodies[k]
		if body == nil {
			if tell.full != nil {
				t.Errorf("the sentence of %s has no sample", k)
			}
			body = []byte(`{"salt":"` + strings.Repeat("0", 32) + `","schema":1}`)
		}
		fmt.Fprintf(&got, "%-18s %s\n%-18s %s\n", k, tellOne(t, k, body), "", tellOne(t, k, nil))
	}
	fmt.Fprintf(&got, "%-18s %s\n", "later.kind", tellOne(t, "later.kind", []byte(`{"salt":"`+strings.Repeat("0", 32)+`","schema":1}`)))
	fmt.Fprintf(&got, "%-18s %s\n", "later schema", tellOne(t, evidence.KindAccess, []byte(`{"salt":"`+strings.Repeat("0", 32)+`","schema":2}`)))
	if *update {
		if err := os.WriteFile("testdata/sentences.txt", []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/sentences.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("sentences differ from testdata/sentences.txt; look, then run with -update:\n%s", got.String())
	}
	if strings.Contains(got.String(), secret) {
		t.Error("a sentence repeats what a post or a person outside said")
	}
	if strings.ContainsFunc(got.String(), func(r rune) bool {
		return unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) && r != '\n'
	}) {
		t.Error("a sentence holds a control character")
	}
	for k := range table {
		if !slices.Contains(kinds(t), k) {
			t.Errorf("the table has a sentence for %s, which is no kind", k)
		}
	}
}

func FuzzTell(f *testing.F) {
	for _, b := range samples() {
		js, err := evidence.EncodeBody(b, [16]byte{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b.Kind()), js)
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		if s := tellOne(t, evidence.Kind(kind), body); strings.ContainsAny(s, "\n\r\x1b\u202e\u2066") {
			t.Errorf("%q", s)
		}
	})
}
