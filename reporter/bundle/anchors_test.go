package bundle_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/anchor/anchortest"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/reporter/bundle"
	"github.com/muhafiz/muhafiz/reporter/bundle/bundletest"
)

// outside is a world whose log an authority confirms.
type outside struct {
	*world
	tsa *anchortest.Authority
	a   anchor.Authority
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	o := &outside{world: newWorld(t), tsa: anchortest.New(t, "one")}
	roots, err := anchor.ParseRoots(o.tsa.Roots)
	if err != nil {
		t.Fatal(err)
	}
	o.a = anchor.Authority{Name: "one", URL: o.tsa.URL, Roots: roots}
	o.anchor()
	o.seen(41, "Simulated post 41.", nil)
	return o
}

// anchor has the authority confirm the head.
func (o *outside) anchor() anchor.Anchored {
	o.t.Helper()
	c, err := o.v.Checkpoint(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	got, err := anchor.Stamp(o.t.Context(), o.v, o.now, c, o.a)
	if err != nil {
		o.t.Fatal(err)
	}
	return got
}

func (o *outside) options(out string) bundle.Options {
	b := o.world.options(out)
	b.Anchors = anchor.Index{Log: o.v}
	b.Authorities = []bundle.Authority{{Name: "one", Stamp: stampWith(o.a)}}
	b.Now = time.Now
	return b
}

func stampWith(a anchor.Authority) func(context.Context, []byte) ([]byte, time.Time, error) {
	return func(ctx context.Context, data []byte) ([]byte, time.Time, error) {
		token, t, err := a.Stamp(ctx, data)
		return token, t.At, err
	}
}

func (o *outside) roots() bundle.VerifyOptions {
	v := o.world.roots()
	v.Stamps, v.NeedStamp = anchor.Checker{Roots: o.a.Roots}, true
	return v
}

// resign signs a bag anew and has it stamped anew, as a signer who may do both does.
func (o *outside) resign(t *testing.T) func(string) error {
	return func(bag string) error {
		tags := filepath.Join(bag, "tagmanifest-sha256.txt")
		if err := bundletest.Resign(o.keys["packer"])(bag); err != nil {
			return err
		}
		b, err := os.ReadFile(tags)
		if err != nil {
			return err
		}
		token, _, err := o.a.Stamp(t.Context(), b)
		return errors.Join(err, os.WriteFile(tags+".tsr", token, 0o600))
	}
}

// stamped are the verifiers with the authority's root.
func stampedReferees(t *testing.T, r roots, o *outside) []referee {
	t.Helper()
	list := referees(t, r)
	for i := range list {
		plain := list[i]
		if plain.name == "muhafiz verify" {
			list[i].run = func(t *testing.T, bag string, _ bool) (int, string) {
				rep := verify(t, bag, o.roots())
				return rep.ExitCode(), rep.Sentence() + strings.Join(failures(rep), "; ")
			}
			continue
		}
		list[i].run = func(t *testing.T, bag string, _ bool) (int, string) {
			args := []string{bag, "--signers", r.signers, "--identity", identity, "--log", r.log, "--tsa", o.tsa.RootsFile()}
			program := filepath.Join("..", "..", "scripts", "verify-bundle")
			if plain.name == "shared verifier" {
				args = append([]string{bag, r.signers, identity}, args[5:]...)
				program = filepath.Join("..", "..", "..", "shared", "tools", "verify-bundle")
			}
			return run(t, program, args...)
		}
	}
	return list
}

func TestAnchoredBundle(t *testing.T) {
	o := newOutside(t)
	r := newRoots(t, o.world)
	res := o.build(o.options(t.TempDir()))
	if len(res.Warnings) != 0 || len(res.Stamped) != 1 {
		t.Errorf("%+v", res)
	}
	for _, v := range append(stampedReferees(t, r, o), referees(t, r)...) {
		if code, out := v.run(t, res.Path, true); code != 0 {
			t.Errorf("%s: exit %d\n%s", v.name, code, out)
		}
	}
	later := o.options(t.TempDir())
	later.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	if w := o.build(later).Warnings; len(w) != 1 || !strings.Contains(w[0], "The newest outside anchor (one) is 25 hours old") {
		t.Errorf("a day later: %q", w)
	}
	rep := verify(t, res.Path, o.roots())
	if rep.StampedAt.IsZero() || rep.AnchoredAt.IsZero() || rep.AnchoredSize == 0 || rep.AnchoredSize >= rep.TreeSize {
		t.Errorf("%+v", rep)
	}
	page, err := os.ReadFile(filepath.Join(res.Path, "data/report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Newest outside anchor", "(captured; our claim)", "<b>First outside anchor</b> (provable)", ", <bdi>one</bdi>, over the first"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	list, err := os.ReadFile(filepath.Join(res.Path, "data/exhibits/0001/exhibit.json"))
	if err != nil || strings.Count(string(list), `"type": "rfc3161"`) != 3 {
		t.Errorf("three versions, each with its first anchor: %s %v", list, err)
	}
}

func TestAllVerifiersRefuseEveryDamageToAnchors(t *testing.T) {
	o := newOutside(t)
	r := newRoots(t, o.world)
	bag, other := o.build(o.options(t.TempDir())).Path, o.build(o.options(t.TempDir())).Path
	for _, d := range bundletest.Anchors(other) {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			copied := filepath.Join(t.TempDir(), "bag")
			if err := os.CopyFS(copied, os.DirFS(bag)); err != nil {
				t.Fatal(err)
			}
			if err := d.Apply(copied, o.resign(t)); err != nil {
				t.Fatal(err)
			}
			for _, v := range stampedReferees(t, r, o) {
				code, out := v.run(t, copied, true)
				switch refused := code == 3 || (code == 1 && v.name == "shared verifier"); {
				case d.Outside && v.name == "shared verifier":
					if code != 0 {
						t.Errorf("something else than the anchors is wrong: exit %d\n%s", code, out)
					}
				case !refused:
					t.Errorf("%s: exit %d\n%s", v.name, code, out)
				case strings.Contains(out, "Traceback") && v.name != "shared verifier":
					t.Errorf("%s broke down instead of refusing:\n%s", v.name, out)
				}
			}
		})
	}
}

// TestSeveralAuthorities packs with two, of which the reader trusts one, and a third that is down.
func TestSeveralAuthorities(t *testing.T) {
	o := newOutside(t)
	two := anchortest.New(t, "two")
	pool, err := anchor.ParseRoots(two.Roots)
	if err != nil {
		t.Fatal(err)
	}
	b := anchor.Authority{Name: "two", URL: two.URL, Roots: pool}
	c, err := o.v.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []anchor.Authority{o.a, b} {
		if _, err := anchor.Stamp(t.Context(), o.v, o.now, c, a); err != nil {
			t.Fatal(err)
		}
	}
	down := anchortest.New(t, "down")
	down.Answer(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusServiceUnavailable) })
	op := o.options(t.TempDir())
	op.Authorities = append(op.Authorities, bundle.Authority{Name: "two", Stamp: stampWith(b)}, bundle.Authority{Name: "down", Stamp: stampWith(anchor.Authority{Name: "down", URL: down.URL, Roots: pool})})
	res := o.build(op)
	if len(res.Stamped) != 2 || len(res.Warnings) != 1 || !strings.Contains(res.Warnings[0], "authority down did not time-stamp") {
		t.Errorf("%+v", res)
	}
	for _, f := range []string{"tagmanifest-sha256.txt.one.tsr", "tagmanifest-sha256.txt.two.tsr"} {
		if _, err := os.Stat(filepath.Join(res.Path, f)); err != nil {
			t.Error(err)
		}
	}
	r := newRoots(t, o.world)
	for _, v := range stampedReferees(t, r, o) {
		if code, out := v.run(t, res.Path, true); code != 0 {
			t.Errorf("%s: exit %d\n%s", v.name, code, out)
		}
	}
	stranger := anchortest.New(t, "stranger")
	o.tsa = stranger
	if o.a.Roots, err = anchor.ParseRoots(stranger.Roots); err != nil {
		t.Fatal(err)
	}
	for _, v := range stampedReferees(t, r, o) {
		if code, out := v.run(t, res.Path, true); code != 3 && code != 1 {
			t.Errorf("%s with a stranger's root: exit %d\n%s", v.name, code, out)
		}
	}
}

// TestKeyChangedBetween verifies with the key before and the key after a rotation.
func TestKeyChangedBetween(t *testing.T) {
	o := newOutside(t)
	old := o.v.LogKey()
	name, _, _ := strings.Cut(old, "+")
	path := filepath.Join(t.TempDir(), "next")
	next, err := secrets.WriteLogKey(path, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, _, err := secrets.LoadLogKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.v.RotateKey(t.Context(), evidence.Person("analyst"), signer, next, "a yearly change"); err != nil {
		t.Fatal(err)
	}
	res := o.build(o.options(t.TempDir()))
	r := newRoots(t, o.world)
	_, stranger, err := secrets.NewLogKey(name)
	if err != nil {
		t.Fatal(err)
	}
	for key, code := range map[string]int{old: 0, next: 0, stranger: 3} {
		v := o.roots()
		v.LogKey = key
		if rep := verify(t, res.Path, v); rep.ExitCode() != code {
			t.Errorf("with %s: %s %q", key, rep.Status, failures(rep))
		}
		pem, err := bundle.LogKeyPEM(key)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "log.pem")
		if err := os.WriteFile(file, []byte(pem), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{key, file} {
			if got, out := run(t, filepath.Join("..", "..", "scripts", "verify-bundle"), res.Path, "--signers", r.signers, "--identity", identity, "--log", k); got != code {
				t.Errorf("the script with %s: exit %d\n%s", k, got, out)
			}
		}
	}
}

// TestVerifyPageAnchors runs the commands of VERIFY.md that are about outside clocks.
func TestVerifyPageAnchors(t *testing.T) {
	o := newOutside(t)
	res := o.build(o.options(t.TempDir()))
	page, err := os.ReadFile(filepath.Join(res.Path, "VERIFY.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(page), "## 5. When, by an outside clock\n")
	if !ok {
		t.Fatalf("no such section:\n%s", page)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var script strings.Builder
	script.WriteString("set -e\ncp " + o.tsa.RootsFile() + " tsa-ca.pem\n")
	for line := range strings.Lines(section) {
		if code, ok := strings.CutPrefix(line, "    "); ok {
			script.WriteString(code)
		}
	}
	cmd := exec.Command("bash", "-c", script.String())
	cmd.Dir = res.Path
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "Verification: OK") != 2 || !strings.Contains(string(out), "continues that of") {
		t.Errorf("%v\n%s", err, out)
	}
}

// forger claims a key that it does not have: it signs a change of keys with nothing.
type forger struct{ note.Signer }

func (f forger) Sign(msg []byte) ([]byte, error) {
	if strings.HasPrefix(string(msg), "muhafiz log key rotation") {
		return make([]byte, 64), nil
	}
	return f.Signer.Sign(msg)
}

// TestForgedKeyChange packs a log into which somebody wrote a change of keys without having both.
func TestForgedKeyChange(t *testing.T) {
	o := newOutside(t)
	name, _, _ := strings.Cut(o.v.LogKey(), "+")
	path := filepath.Join(t.TempDir(), "next")
	next, err := secrets.WriteLogKey(path, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, _, err := secrets.LoadLogKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.v.RotateKey(t.Context(), evidence.Person("analyst"), forger{signer}, next, "test"); err != nil {
		t.Fatal(err)
	}
	bag := o.build(o.options(t.TempDir())).Path
	r := newRoots(t, o.world)
	rep := verify(t, bag, o.roots())
	if rep.ExitCode() != 3 || !strings.Contains(rep.Sentence(), "it is not signed by both keys") {
		t.Errorf("%s", rep.Sentence())
	}
	if code, out := run(t, filepath.Join("..", "..", "scripts", "verify-bundle"), bag, "--signers", r.signers, "--identity", identity); code != 3 || !strings.Contains(out, "is not signed by the new key") {
		t.Errorf("the script: exit %d\n%s", code, out)
	}
}
