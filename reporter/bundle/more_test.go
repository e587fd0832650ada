package bundle_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/bundle"
)

// newer is a body of a kind that this build does not know.
type newer struct {
	File evidence.Digest `json:"file"`
}

func (*newer) Kind() evidence.Kind { return "post.newer" }
func (*newer) Schema() int         { return 7 }

func TestRecordsOfNewerKindsAreProvedAndWithheld(t *testing.T) {
	w := newWorld(t)
	w.put(evidence.Draft{Actor: evidence.Source(source), Subject: w.channel.Post(4), Body: &newer{evidence.Sum(nil)}})
	for edition, withheld := range map[bundle.Edition]int{bundle.Standard: 4, bundle.Full: 0} {
		o := w.options(t.TempDir())
		o.Edition = edition
		res := w.build(o)
		if r := verify(t, res.Path, w.roots()); r.Status != bundle.StatusVerified || r.Withheld != withheld {
			t.Errorf("%s: %s, %d withheld: %q", edition, r.Status, r.Withheld, failures(r))
		}
	}
}

func TestSealedCopyOpensToTheSameBag(t *testing.T) {
	w := newWorld(t)
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	o := w.options(t.TempDir())
	o.Recipient = id.Recipient()
	res := w.build(o)
	sealed, err := os.ReadFile(res.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := age.Decrypt(bytes.NewReader(sealed), id)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for tr := tar.NewReader(plain); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		full := filepath.Join(dir, h.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o700), os.WriteFile(full, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if r := verify(t, filepath.Join(dir, o.Name), w.roots()); r.Status != bundle.StatusVerified {
		t.Errorf("status %s: %q", r.Status, failures(r))
	}
	built := w.about(w.kase, evidence.KindBundleBuilt)
	if b, err := evidence.Decode[*evidence.BundleBuilt](built[0]); err != nil || b.Recipient != id.Recipient().String() {
		t.Errorf("recorded recipient: %+v, %v", b, err)
	}
}

func TestForgedStatementsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		want string
		st   func(w *world) evidence.Signed
	}{
		"another person's key": {"not the key recorded", func(w *world) evidence.Signed {
			w.keys["analyst"] = w.keys["reviewer"]
			return w.signed("analyst", evidence.Statement{Type: evidence.StatementDecision, Case: w.kase})
		}},
		"another exhibit": {"another record", func(w *world) evidence.Signed {
			x := evidence.Exhibit{Number: 1, Post: w.post(4), RecordRef: ref(w.about(w.post(4), evidence.KindPostSeen)[0])}
			x.Leaf[0] ^= 1
			return w.signed("analyst", evidence.Statement{Type: evidence.StatementDecision, Case: w.kase, Exhibits: []evidence.Exhibit{x}})
		}},
		"another vault": {"signed for the vault", func(w *world) evidence.Signed {
			s := w.signed("analyst", evidence.Statement{Type: evidence.StatementDecision, Case: w.kase})
			s.Payload = strings.Replace(s.Payload, w.v.ID(), strings.Repeat("0", 26), 1)
			return s
		}},
		"another payload": {"signature does not hold", func(w *world) evidence.Signed {
			s := w.signed("analyst", evidence.Statement{Type: evidence.StatementDecision, Case: w.kase})
			s.Payload = strings.Replace(s.Payload, `"decision"`, `"approval"`, 1)
			return s
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put(evidence.Draft{Actor: evidence.Person("analyst"), Subject: evidence.Case("case-1"), Body: &evidence.Decision{Signed: c.st(w)}})
			bag := w.build(w.options(t.TempDir())).Path
			r := verify(t, bag, w.roots())
			if code, out := run(t, filepath.Join("..", "..", "scripts", "verify-bundle"), bag); code != 3 {
				t.Errorf("the script: exit %d\n%s", code, out)
			}
			if got := strings.Join(failures(r), "\n"); r.Status != bundle.StatusViolated || !strings.Contains(got, c.want) {
				t.Errorf("%s: %q, want %q", r.Status, got, c.want)
			}
		})
	}
}

// third lets a third person decide between the first and the second, whose refusal is adjudicated.
func (w *world) third(agree bool, change func(*evidence.Statement)) {
	w.t.Helper()
	decision := ref(w.about(w.kase, evidence.KindDecision)[0])
	d, err := evidence.Decode[*evidence.Decision](w.about(w.kase, evidence.KindDecision)[0])
	if err != nil {
		w.t.Fatal(err)
	}
	var first evidence.Statement
	if err := json.Unmarshal([]byte(d.Payload), &first); err != nil {
		w.t.Fatal(err)
	}
	refusal := ref(w.put(evidence.Draft{Actor: evidence.Person("reviewer"), Subject: evidence.Case("case-1"), Body: &evidence.Approval{Signed: w.signed("reviewer", evidence.Statement{
		Type: evidence.StatementApproval, Case: w.kase, Confirms: &decision, Exhibits: first.Exhibits, Comment: "Simulated refusal.",
	})}})[0])
	st := evidence.Statement{
		Type: evidence.StatementAdjudication, Case: w.kase, Confirms: &decision, Adjudicates: &refusal, Exhibits: first.Exhibits, Agree: agree, Comment: "Simulated third word.",
	}
	if change != nil {
		change(&st)
	}
	w.put(evidence.Draft{Actor: evidence.Person("analyst"), Subject: evidence.Case("case-1"), Body: &evidence.Approval{Signed: w.signed("analyst", st)}})
}

// relist marks the target and lets one of two people say that it belongs on the list after all.
func (w *world) relist(change func(*evidence.Statement), forge func(*evidence.Signed)) {
	w.t.Helper()
	t := evidence.Target("sim-front")
	mark := w.put(evidence.Draft{Actor: evidence.Person("analyst"), Subject: t, Body: &evidence.TargetMarked{Mark: evidence.MarkInnocent, Category: "journalist", Reason: "Simulated mark."}})[0]
	set, lifts := ref(w.about(mark.Subject, evidence.KindTargetSet)[0]), ref(mark)
	st := evidence.Statement{Type: evidence.StatementRelisting, Confirms: &set, Lifts: &lifts, Agree: true, Comment: "Simulated relisting."}
	if change != nil {
		change(&st)
	}
	s := w.signed("reviewer", st)
	if forge != nil {
		forge(&s)
	}
	w.put(evidence.Draft{Actor: evidence.Person("reviewer"), Subject: t, Body: &evidence.TargetRelisted{Signed: s}})
}

// TestThirdWordsAndRelistingsAreChecked builds bags of a log whose keeper wrote what nobody signed: only a verifier that reads the
// statements can object.
func TestThirdWordsAndRelistingsAreChecked(t *testing.T) {
	other := func(w *world, r *evidence.RecordRef) { *r = ref(w.about(w.post(4), evidence.KindPostSeen)[0]) }
	for name, c := range map[string]struct {
		do   func(w *world)
		want string // empty: genuine
		page string
	}{
		"a third person confirms": {func(w *world) { w.third(true, nil) }, "", "<b>Confirms</b> the decision in record"},
		"a third person refuses":  {func(w *world) { w.third(false, nil) }, "", ", which record"},
		"a relisting":             {func(w *world) { w.relist(nil, nil) }, "", "Simulated relisting."},
		"another refusal": {
			func(w *world) { w.third(true, func(st *evidence.Statement) { st.Adjudicates.Leaf[0] ^= 1 }) },
			"signed over another record", "",
		},
		"what is no refusal": {func(w *world) { w.third(true, func(st *evidence.Statement) { other(w, st.Adjudicates) }) }, "decides between two people", ""},
		"another mark":       {func(w *world) { w.relist(func(st *evidence.Statement) { st.Lifts.Leaf[0] ^= 1 }, nil) }, "signed over another record", ""},
		"what is no mark":    {func(w *world) { w.relist(func(st *evidence.Statement) { other(w, st.Lifts) }, nil) }, "sets a mark aside", ""},
		"a relisting that nobody signed": {func(w *world) {
			w.relist(nil, func(s *evidence.Signed) { s.Payload = strings.Replace(s.Payload, "Simulated", "Altered", 1) })
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.do(w)
			bag := w.build(w.options(t.TempDir())).Path
			genuine := c.want == "" && c.page != ""
			for _, v := range referees(t, newRoots(t, w)) {
				code, out := v.run(t, bag, true)
				if v.name == "shared verifier" { // it reads no statements
					if code != 0 {
						t.Errorf("%s: exit %d\n%s", v.name, code, out)
					}
					continue
				}
				if want := map[bool]int{true: 0, false: 3}[genuine]; code != want || !strings.Contains(out, c.want) {
					t.Errorf("%s: exit %d, want %d with %q\n%s", v.name, code, want, c.want, out)
				}
			}
			page, err := os.ReadFile(filepath.Join(bag, "data/report.html"))
			if err != nil || !strings.Contains(string(page), c.page) {
				t.Errorf("the page does not say %q, %v", c.page, err)
			}
		})
	}
}

// The commands of VERIFY.md are what a lawyer's technician types: they must work as they stand.
func TestCommandsOfVerifyPageWork(t *testing.T) {
	w := newWorld(t)
	r := newRoots(t, w)
	bag := w.build(w.options(t.TempDir())).Path
	page, err := os.ReadFile(filepath.Join(bag, "VERIFY.md"))
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, line := range strings.Split(string(page), "\n") {
		if code, ok := strings.CutPrefix(line, "    "); ok || line == "" {
			script.WriteString(code + "\n")
		}
	}
	text := strings.NewReplacer("allowed_signers", r.signers, "log.pem", r.log, "/tmp/", t.TempDir()+"/").Replace(script.String())
	command := func() ([]byte, error) {
		c := exec.Command("bash", "-euo", "pipefail", "-c", text)
		c.Dir = bag
		return c.CombinedOutput()
	}
	out, err := command()
	if err != nil || strings.Count(string(out), "records are in the log of") != 1 || !strings.Contains(string(out), "Signature Verified Successfully") {
		t.Fatalf("%v\n%s\n%s", err, out, text)
	}
	if err := os.WriteFile(filepath.Join(bag, "data", "added"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := command(); err == nil {
		t.Errorf("an added file was not noticed:\n%s", out)
	}
}

func TestVerifyAndBuildEndWithTheirContext(t *testing.T) {
	w := newWorld(t)
	bag := w.build(w.options(t.TempDir())).Path
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := bundle.Verify(ctx, bag, w.roots()); !errors.Is(err, context.Canceled) {
		t.Errorf("verify: %v", err)
	}
	o := w.options(t.TempDir())
	if _, err := bundle.Build(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("build: %v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	o.Progress = func(done, total int64) {
		if done > total {
			t.Errorf("%d of %d", done, total)
		}
		if done == total/2 {
			cancel()
		}
	}
	if _, err := bundle.Build(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("build ended half-way: %v", err)
	}
	if left, err := os.ReadDir(o.Out); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestReportShowsTextAsItIs(t *testing.T) {
	w := newWorld(t)
	b, err := os.ReadFile(filepath.Join(w.build(w.options(t.TempDir())).Path, "data/report.html"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, want := range []string{
		"&lt;b&gt;markup &amp; quotes&lt;/b&gt;", `<span class="ctl" dir="ltr">U+202E</span>`, "یہ ایک فرضی پیغام ہے", `lang="ur"`, "the private person p", "3 versions",
		"The platform announced the deletion", "names a private person", "was not valid UTF-8", "cited as exhibit 2",
		"limit for one file (rule collect.max_bytes); 94371840 bytes are announced", "it could not be fetched; next try 2031-03-05 00:00 UTC",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	for _, not := range []string{"\u202e", "<script", "<img", "src=", "http-equiv=\"refresh", "url("} {
		if strings.Contains(page, not) {
			t.Errorf("the page holds %q", not)
		}
	}
}
