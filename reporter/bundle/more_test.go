package bundle_test

import (
	"archive/tar"
	"bytes"
	"context"
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
			r := verify(t, w.build(w.options(t.TempDir())).Path, w.roots())
			if got := strings.Join(failures(r), "\n"); r.Status != bundle.StatusViolated || !strings.Contains(got, c.want) {
				t.Errorf("%s: %q, want %q", r.Status, got, c.want)
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
