package notice_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
	"github.com/muhafiz/muhafiz/reporter/notice"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var date = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func head() notice.Letterhead {
	return notice.Letterhead{Organisation: "Example Desk (simulated)", Contact: "corrections@example.org", Status: "ordinary"}
}

func items() []notice.Item {
	ref := func(n int64) evidence.RecordRef {
		return evidence.RecordRef{Seq: n, Leaf: evidence.Sum([]byte{byte(n)})}
	}
	at := evidence.At(date.Add(-time.Hour))
	return []notice.Item{
		{
			Case: "c1", Severity: "medium", Organisation: "Fictional Front (simulated)", Affiliation: "named in its own description",
			Account: notice.Account{
				Platform: "telegram", Type: "channel", ID: "1234", Address: "https://t.me/example_simulated",
				Title: "نقلی چینل \u202Ereversed", Usernames: []string{"example_simulated", "example_two"},
				Names:    []notice.UsedName{{Name: "example_simulated", First: evidence.At(date.Add(-time.Hour)), Last: evidence.At(date)}},
				Audience: &notice.Audience{Subscribers: 1200, At: evidence.At(date)}, FirstSeen: evidence.At(date.Add(-time.Hour)), LastSeen: evidence.At(date),
			},
			Designations: []evidence.Designation{
				{Authority: "Nowhere", Reference: "N.1", Date: "2020", Source: "https://example.org/list", Note: "date to be confirmed"},
			},
			Hashes:    []evidence.Digest{evidence.Sum([]byte("photo"))},
			FirstSeen: at, LastSeen: evidence.At(date), Decision: ref(7), Approval: ref(8),
			Passages: []notice.Passage{{
				Exhibit: 1, PostID: "4", Link: "https://t.me/example_simulated/4", Claimed: "2026-02-28T10:00:00Z", FirstSeen: at,
				LastSeen: evidence.At(date), Quote: "یہ ایک نقلی متن ہے\nsecond line \u2069 with a stray isolate\x00", Gloss: "this is a simulated text",
				GlossBy: "machine", Rule: "terms of service, 8.1", Severity: "medium", Record: ref(5), BodyHash: evidence.Sum([]byte("body")),
				Gone: evidence.GoneMissing, Edited: true,
				Media: []notice.Media{{Type: "photo", SHA256: evidence.Sum([]byte("photo")), Size: 5}},
			}},
		},
		{
			Case: "c2", Severity: "threat-to-life", Organisation: "Other Fictional Group (simulated)", Affiliation: "stated",
			Account:      notice.Account{Platform: "telegram", Type: "channel", ID: "77", Address: "https://t.me/other_simulated"},
			Designations: []evidence.Designation{{Authority: "Elsewhere", Reference: "E-2", Date: "2021-05", Source: "a gazette"}},
			Passages: []notice.Passage{{
				Exhibit: 2, PostID: "9", Quote: "bland words (simulated)", Gloss: "the same", GlossBy: "human", Rule: "rule 2", Offence: "threatens",
				Severity: "threat-to-life", Record: ref(3), BodyHash: evidence.Sum([]byte("other")),
			}},
			Decision: ref(9), Approval: ref(10),
		},
	}
}

func TestGolden(t *testing.T) {
	n := notice.New("VAULT", "REFERENCE", "telegram", "", date, head(), items())
	machine, err := n.Machine()
	if err != nil {
		t.Fatal(err)
	}
	for file, got := range map[string]string{"notice.txt": n.Text(), "notice.json": string(machine)} {
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got)\n%s", file, d)
		}
	}
	if want := "THREAT TO LIFE: Notice REFERENCE: 2 accounts for review, severity up to threat-to-life"; n.Title() != want {
		t.Errorf("got %q, want %q", n.Title(), want)
	}
	if n.Items[0].Case != "c2" {
		t.Error("the gravest case is not first")
	}
}

// Every line closes the isolates that it opens, and no other bidi control is left, so that no line can disturb another.
func TestForeignTextStaysApart(t *testing.T) {
	text := notice.New("V", "R", "telegram", "platform-rules", date, head(), items()).Text()
	if !utf8.ValidString(text) {
		t.Error("not UTF-8")
	}
	for i, line := range strings.Split(text, "\n") {
		depth := 0
		for _, r := range line {
			switch {
			case r == '\u2068':
				depth++
			case r == '\u2069':
				depth--
			case r >= '\u202A' && r <= '\u202E', r == '\u2066', r == '\u2067', r == '\u200E', r == '\u200F', r < ' ':
				t.Errorf("line %d holds %U", i+1, r)
			}
			if depth < 0 || depth > 1 {
				t.Fatalf("line %d: isolates do not match", i+1)
			}
		}
		if depth != 0 {
			t.Errorf("line %d leaves an isolate open", i+1)
		}
	}
	if !strings.Contains(text, "<U+202E>") || !strings.Contains(text, "<U+2069>") || !strings.Contains(text, "<U+0000>") {
		t.Error("a control was dropped without a word")
	}
}

func FuzzText(f *testing.F) {
	f.Add("quote \u2067 \n x", "title\r\n")
	f.Fuzz(func(t *testing.T, quote, title string) {
		its := items()
		its[0].Passages[0].Quote, its[0].Account.Title = quote, title
		n := notice.New("V", "R", "telegram", "platform-rules", date, head(), its)
		if _, err := n.Machine(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(n.Text(), "\n") {
			if strings.Count(line, "\u2068") != strings.Count(line, "\u2069") || strings.ContainsAny(line, "\r\x00\u202E") {
				t.Fatalf("%q", line)
			}
		}
	})
}

// world is a vault with one approved case, signed by nobody: who may sign is the desk's to know, what was stated is read here.
type world struct {
	t *testing.T
	v *vault.Vault
}

func (w world) put(subject evidence.Name, b evidence.Body) evidence.Record {
	w.t.Helper()
	recs, err := w.v.Put(w.t.Context(), evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: subject, Body: b,
	}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return recs[0]
}

func ref(r evidence.Record) evidence.RecordRef {
	return evidence.RecordRef{Seq: r.Seq, Leaf: r.Leaf()}
}

func signed(st string) evidence.Signed {
	return evidence.Signed{Payload: st, Signature: "simulated"}
}

func TestGather(t *testing.T) {
	w := world{t, vaulttest.New(t, notice.Views()...)}
	account := evidence.Account("telegram", "channel", "1234")
	set := w.put(evidence.Target("demo"), &evidence.TargetSet{
		Key: "demo", Platform: "telegram", Address: "https://t.me/example_simulated",
		Organisation: evidence.Organisation{Name: "Fictional Front (simulated)", Designations: []evidence.Designation{
			{Authority: "Nowhere", Reference: "N.1"}, {Authority: "Pakistan", Reference: "E.2"},
		}},
	})
	at, earlier := evidence.At(date), evidence.At(date.Add(-48*time.Hour))
	w.put(account, &evidence.AccountSeen{Method: "mtproto", Title: "Old", Usernames: []string{"first_simulated"}, Subscribers: 900, Observed: evidence.Span{From: earlier, To: earlier}})
	w.put(account, &evidence.AccountSeen{Method: "mtproto", Title: "A title", Usernames: []string{"example_simulated"}, Subscribers: 1200, Observed: evidence.Span{From: at, To: at}})
	post := w.put(account.Post(4), &evidence.PostSeen{
		Method: "mtproto", Observed: evidence.Span{From: at, To: at}, ClaimedAt: at, Text: "bland (simulated)",
		Media: []evidence.Media{{ID: "photo 1", Type: "photo"}},
	})
	blob, size, err := w.v.Keep(t.Context(), strings.NewReader("photo"), 100)
	if err != nil {
		t.Fatal(err)
	}
	w.put(account.Post(4), &evidence.MediaKept{MediaID: "photo 1", Blob: evidence.Object{SHA256: blob, Size: size}})
	opened := w.put(evidence.Case("k"), &evidence.CaseOpened{Key: "k", Account: evidence.Ref{Name: account}, Target: "demo"})
	decision := func(outcome, person string) evidence.Record {
		return w.put(evidence.Case("k"), &evidence.Decision{Signed: signed(`{"type":"decision","case":"` + string(opened.Subject) +
			`","person":"` + person + `","fingerprint":"` + person + `","outcome":"` + outcome + `","exhibits":[{"number":1,"post":"a1/4","seq":` + num(post.Seq) +
			`,"leaf":"` + post.Leaf().String() + `"}],"grounds":{"designation":{"seq":` + num(set.Seq) + `,"leaf":"` + set.Leaf().String() +
			`"},"passages":[{"exhibit":1,"quote":"bland","rule":"8.1","severity":"low","exclusion":"none"}]}}`)})
	}
	approval := func(d evidence.Record, agree, person string) evidence.Record {
		return w.put(evidence.Case("k"), &evidence.Approval{Signed: signed(`{"person":"` + person + `","fingerprint":"` + person + `","agree":` + agree +
			`,"confirms":{"seq":` + num(d.Seq) + `,"leaf":"` + d.Leaf().String() + `"}}`)})
	}
	d := decision("report", "ana")
	a := approval(d, "true", "bilal")
	nc := evidence.NoticeCase{Case: opened.Subject, Account: "a1", Decision: ref(d), Approval: ref(a)}
	it, err := notice.Gather(t.Context(), w.v, nc, "pakistan-complaint")
	if err != nil {
		t.Fatal(err)
	}
	if len(it.Designations) != 1 || it.Designations[0].Authority != "Pakistan" || it.Account.ID != "1234" || it.Account.Title != "A title" ||
		it.Passages[0].Link != "https://t.me/example_simulated/4" || it.Passages[0].Media[0].SHA256 != blob || it.FirstSeen != at {
		t.Errorf("got %+v", it)
	}
	used := []notice.UsedName{{Name: "first_simulated", First: earlier, Last: earlier}, {Name: "example_simulated", First: at, Last: at}}
	if d := cmp.Diff(used, it.Account.Names); d != "" || it.Account.Audience.Subscribers != 1200 || it.Account.FirstSeen != earlier || len(it.Hashes) != 1 {
		t.Errorf("the account's history (-want +got)\n%s\n%+v", d, it)
	}
	if d := cmp.Diff([]notice.Ground{"designation/other", "designation/PK", notice.GroundRules}, it.Grounds); d != "" {
		t.Errorf("grounds (-want +got)\n%s", d)
	}
	text := notice.New(w.v.ID(), "R", "telegram", "pakistan-complaint", date, head(), []notice.Item{it}).Text()
	if strings.Contains(text, "ana\n") || strings.Contains(text, "bilal") {
		t.Error("the notice names the people who judged")
	}

	no := decision("no_action", "ana")
	for name, bad := range map[string]evidence.NoticeCase{
		"refused":       {Decision: ref(d), Approval: ref(approval(d, "false", "bilal"))},
		"same person":   {Decision: ref(d), Approval: ref(approval(d, "true", "ana"))},
		"no action":     {Decision: ref(no), Approval: ref(approval(no, "true", "bilal"))},
		"of another":    {Decision: ref(d), Approval: ref(approval(no, "true", "bilal"))},
		"no approval":   {Decision: ref(d), Approval: ref(d)},
		"other leaf":    {Decision: evidence.RecordRef{Seq: d.Seq}, Approval: ref(a)},
		"of the future": {Decision: evidence.RecordRef{Seq: 1 << 40}, Approval: ref(a)},
	} {
		bad.Case, bad.Account = nc.Case, nc.Account
		_, err := notice.Gather(t.Context(), w.v, bad, "")
		known := slices.Contains([]string{"refused", "same person", "no action", "of another"}, name)
		if err == nil || known != errors.Is(err, notice.ErrNotApproved) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func num(n int64) string { return strconv.FormatInt(n, 10) }
