package bundle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/bundle"
)

func verify(t *testing.T, bag string, o bundle.VerifyOptions) bundle.Report {
	t.Helper()
	r, err := bundle.Verify(context.Background(), bag, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func failures(r bundle.Report) []string {
	var out []string
	for _, c := range r.Checks {
		if !c.OK {
			out = append(out, c.Name+": "+c.Detail)
		}
	}
	return out
}

func TestCaseBundleVerifies(t *testing.T) {
	w := newWorld(t)
	out := t.TempDir()
	res := w.build(w.options(out))
	r := verify(t, res.Path, w.roots())
	if r.Status != bundle.StatusVerified || r.ExitCode() != 0 {
		t.Fatalf("status %s: %q", r.Status, failures(r))
	}
	if r.Records != res.Records || r.Withheld != res.Withheld || r.TreeSize != res.TreeSize {
		t.Errorf("report %+v and result %+v disagree", r, res)
	}
	statements := 0
	for _, c := range r.Checks {
		if strings.Contains(c.Detail, "signed by Simulated") {
			statements++
		}
	}
	if statements != 4 {
		t.Errorf("%d statements were checked, want decision, approval, listing and the target's approval: %+v", statements, r.Checks)
	}
	if keep := os.Getenv("BUNDLE_KEEP"); keep != "" {
		if err := os.CopyFS(keep, os.DirFS(out)); err != nil {
			t.Fatal(err)
		}
	}
}

// exhibitLists reads exhibit.json of every folder.
func exhibitLists(t *testing.T, bag string) map[string]exhibitList {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(bag, "data/exhibits/*/exhibit.json"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]exhibitList{}
	for _, f := range found {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var x exhibitList
		if err := json.Unmarshal(b, &x); err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(filepath.Dir(f))] = x
	}
	return out
}

type exhibitList struct {
	Post    evidence.Ordinal
	Role    string
	Of      []int
	Records []int64
	Media   []struct{ File, Absent, MIME string }
}

func TestExhibitsAlbumAndNeighbours(t *testing.T) {
	w := newWorld(t)
	res := w.build(w.options(t.TempDir()))
	got := exhibitLists(t, res.Path)
	roles := map[string]string{}
	for folder, x := range got {
		roles[folder] = string(x.Post) + " " + x.Role
	}
	a := string(w.account)
	want := map[string]string{
		"0001": a + "/4 exhibit", "0003": a + "/5 exhibit", "0004": a + "/9 exhibit", "0005": a + "/6 album", "0006": a + "/2 neighbour", "0007": a + "/3 neighbour",
		"0008": a + "/7 neighbour", "0009": a + "/8 neighbour", "0010": a + "/10 neighbour", "0011": a + "/11 neighbour",
	}
	if diff := cmp.Diff(want, roles); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{3}, got["0005"].Of); diff != "" {
		t.Errorf("the album's other picture stands beside (-want +got):\n%s", diff)
	}
	if n := len(got["0001"].Records); n != 3 {
		t.Errorf("A→B→A has %d records, want three versions", n)
	}
	if m := got["0010"].Media; len(m) != 1 || !strings.HasSuffix(m[0].File, ".bin") {
		t.Errorf("a stranger's HTML must not get an extension that a browser runs: %+v", m)
	}
	if m := got["0003"].Media; len(m) != 1 || !strings.HasSuffix(m[0].File, ".png") {
		t.Errorf("photo: %+v", m)
	}
}

func TestStandardEditionWithholdsPersons(t *testing.T) {
	w := newWorld(t)
	res := w.build(w.options(t.TempDir()))
	err := filepath.WalkDir(res.Path, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, secret := range []string{"Someone", "telegram user 42", "telegram user 43"} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if res.Withheld != 3 || res.Raw != 0 {
		t.Errorf("withheld %d, raw %d; want the post and two persons, and no raw replies", res.Withheld, res.Raw)
	}
	c := coverageOf(t, res.Path)
	if len(c.Withheld) != 3 || len(c.Warnings) == 0 || c.Anchor != nil {
		t.Errorf("coverage: %+v", c)
	}
}

type coverageFile struct {
	Withheld []struct{ Reason string }
	Warnings []string
	Anchor   *string
	Targets  []struct {
		Observed  *float64 `json:"observed_share"`
		Recovered *float64 `json:"observed_or_recovered_share"`
		Gaps      []struct{ Cause string }
	}
	Accounts []struct {
		PostsInLog      int64 `json:"posts_in_log"`
		PostsInBundle   int64 `json:"posts_in_bundle"`
		RecordsInLog    int64 `json:"records_in_log"`
		RecordsInBundle int64 `json:"records_in_bundle"`
		NotInBundle     []struct {
			Kind    string
			Records int64
			Reason  string
		} `json:"not_in_bundle"`
	}
}

func coverageOf(t *testing.T, bag string) coverageFile {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(bag, "data/coverage.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c coverageFile
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCoverageCountsWhatIsLeftOut(t *testing.T) {
	w := newWorld(t)
	c := coverageOf(t, w.build(w.options(t.TempDir())).Path)
	if len(c.Accounts) != 1 || len(c.Targets) != 1 {
		t.Fatalf("coverage: %+v", c)
	}
	a := c.Accounts[0]
	var out int64
	for _, n := range a.NotInBundle {
		if n.Reason == "" {
			t.Errorf("%d records of kind %s are left out without a reason", n.Records, n.Kind)
		}
		out += n.Records
	}
	if a.PostsInLog != 13 || a.PostsInBundle != 10 || a.RecordsInBundle+out != a.RecordsInLog {
		t.Errorf("account: %+v", a)
	}
	g := c.Targets[0]
	if len(g.Gaps) != 1 || g.Observed == nil || *g.Observed >= 1 || *g.Recovered != 1 {
		t.Errorf("target: %+v", g)
	}
}

func TestFullEditionHoldsEverything(t *testing.T) {
	w := newWorld(t)
	o := w.options(t.TempDir())
	o.Edition = bundle.Full
	res := w.build(o)
	if res.Withheld != 0 || res.Raw == 0 {
		t.Errorf("withheld %d, raw %d", res.Withheld, res.Raw)
	}
	if r := verify(t, res.Path, w.roots()); r.Status != bundle.StatusVerified {
		t.Errorf("status %s: %q", r.Status, failures(r))
	}
}

func TestAccountAndPostBundles(t *testing.T) {
	w := newWorld(t)
	for name, set := range map[string]func(*bundle.Options){
		"account":       func(o *bundle.Options) { o.Case, o.Account = "", w.account },
		"posts":         func(o *bundle.Options) { o.Case, o.Posts = "", []evidence.Ordinal{w.post(1), w.post(40)} },
		"no neighbours": func(o *bundle.Options) { o.Case, o.Posts, o.Neighbours = "", []evidence.Ordinal{w.post(12)}, -1 },
	} {
		t.Run(name, func(t *testing.T) {
			o := w.options(t.TempDir())
			set(&o)
			res := w.build(o)
			if r := verify(t, res.Path, w.roots()); r.Status != bundle.StatusVerified {
				t.Errorf("status %s: %q", r.Status, failures(r))
			}
			if want := map[string]int{"account": 13, "posts": 6, "no neighbours": 1}[name]; res.Posts != want {
				t.Errorf("%d posts, want %d", res.Posts, want)
			}
		})
	}
}

func TestBuildIsRecordedAndOverwritesNothing(t *testing.T) {
	w := newWorld(t)
	o := w.options(t.TempDir())
	res := w.build(o)
	built := w.about(w.kase, evidence.KindBundleBuilt)
	if len(built) != 1 {
		t.Fatalf("%d records of the bundle", len(built))
	}
	b, err := evidence.Decode[*evidence.BundleBuilt](built[0])
	if err != nil || b.TagManifest != res.TagManifest || b.TreeSize != res.TreeSize || b.Records != res.Records || b.Signer != identity {
		t.Errorf("record %+v (%v), result %+v", b, err, res)
	}
	if _, err := bundle.Build(context.Background(), o); !errors.Is(err, bundle.ErrOptions) {
		t.Errorf("a second bundle of the same name: %v", err)
	}
	o.Name, o.Actor = "other", evidence.Person("nobody")
	if _, err := bundle.Build(context.Background(), o); !errors.Is(err, evidence.ErrUnbound) {
		t.Errorf("a bundle that cannot be recorded: %v", err)
	}
	left, err := os.ReadDir(o.Out)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOptionsAreRefusedWithASentence(t *testing.T) {
	w := newWorld(t)
	for want, set := range map[string]func(*bundle.Options){
		"only one of them":       func(o *bundle.Options) { o.Account = w.account },
		"is not a case":          func(o *bundle.Options) { o.Case = "a1" },
		"is not a post":          func(o *bundle.Options) { o.Case, o.Posts = "", []evidence.Ordinal{"a1"} },
		"no record is about":     func(o *bundle.Options) { o.Case, o.Posts = "", []evidence.Ordinal{w.post(999)} },
		"has no decision":        func(o *bundle.Options) { o.Case = "c99" },
		"cannot name a bag":      func(o *bundle.Options) { o.Name = "../up" },
		"is no edition":          func(o *bundle.Options) { o.Edition = "deluxe" },
		"the signer's identity":  func(o *bundle.Options) { o.Identity = "" },
		"was ever observed":      func(o *bundle.Options) { o.Case, o.Account = "", "a77" },
		"a signer and the signe": func(o *bundle.Options) { o.Signer = nil },
	} {
		o := w.options(t.TempDir())
		set(&o)
		if _, err := bundle.Build(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a sentence with %q", err, want)
		}
	}
}
