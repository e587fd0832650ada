package bundle_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/reporter/bundle"
	"github.com/muhafiz/muhafiz/reporter/bundle/bundletest"
)

// referee is one verifier; it returns its exit code and what it printed.
type referee struct {
	name string
	run  func(t *testing.T, bag string, log bool) (int, string)
}

// roots are the trust roots as files, for the verifiers that are programs.
type roots struct {
	world        *world
	signers, log string
}

func newRoots(t *testing.T, w *world) roots {
	t.Helper()
	dir := t.TempDir()
	r := roots{world: w, signers: filepath.Join(dir, "allowed_signers"), log: filepath.Join(dir, "log.pem")}
	pem, err := bundle.LogKeyPEM(w.v.LogKey())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(r.signers, w.roots().Signers, 0o600), os.WriteFile(r.log, []byte(pem), 0o600)); err != nil {
		t.Fatal(err)
	}
	return r
}

func run(t *testing.T, name string, args ...string) (int, string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, string(out)
	case errors.As(err, &exit):
		return exit.ExitCode(), string(out)
	}
	t.Fatal(err)
	return 0, ""
}

// referees returns the verifiers that this machine has. The shared one lies outside the repository.
func referees(t *testing.T, r roots) []referee {
	t.Helper()
	script := filepath.Join("..", "..", "scripts", "verify-bundle")
	list := []referee{
		{"muhafiz verify", func(t *testing.T, bag string, log bool) (int, string) {
			o := r.world.roots()
			if !log {
				o.LogKey = ""
			}
			rep, err := bundle.Verify(context.Background(), bag, o)
			if err != nil {
				t.Fatal(err)
			}
			return rep.ExitCode(), fmt.Sprint(rep.Sentence(), failures(rep))
		}},
		{"scripts/verify-bundle", func(t *testing.T, bag string, log bool) (int, string) {
			args := []string{bag, "--signers", r.signers, "--identity", identity}
			if log {
				args = append(args, "--log", r.log)
			}
			return run(t, script, args...)
		}},
	}
	shared := filepath.Join("..", "..", "..", "shared", "tools", "verify-bundle")
	if _, err := os.Stat(shared); err != nil {
		t.Log("not applicable: there is no shared verifier beside this repository")
		return list
	}
	return append(list, referee{"shared verifier", func(t *testing.T, bag string, log bool) (int, string) {
		args := []string{bag, r.signers, identity}
		if log {
			args = append(args, "--log", r.log)
		}
		return run(t, shared, args...)
	}})
}

func editions(t *testing.T, w *world) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, e := range []bundle.Edition{bundle.Standard, bundle.Full} {
		o := w.options(t.TempDir())
		o.Edition = e
		out[string(e)] = w.build(o).Path
	}
	return out
}

func TestAllVerifiersAgreeOnTheGenuineBag(t *testing.T) {
	w := newWorld(t)
	r := newRoots(t, w)
	for edition, bag := range editions(t, w) {
		for _, v := range referees(t, r) {
			if code, out := v.run(t, bag, true); code != 0 {
				t.Errorf("%s on the %s edition: exit %d\n%s", v.name, edition, code, out)
			}
		}
	}
}

func TestAllVerifiersRefuseEveryDamage(t *testing.T) {
	w := newWorld(t)
	w.third(true, nil)
	w.relist(nil, nil)
	r := newRoots(t, w)
	bag := editions(t, w)["standard"]
	resign := bundletest.Resign(w.keys["packer"])
	for _, d := range append(bundletest.Damages(), bundletest.Words()...) {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			copied := filepath.Join(t.TempDir(), "bag")
			if err := os.CopyFS(copied, os.DirFS(bag)); err != nil {
				t.Fatal(err)
			}
			if err := d.Apply(copied, resign); err != nil {
				t.Fatal(err)
			}
			for _, v := range referees(t, r) {
				code, out := v.run(t, copied, true)
				if refused := code == 3 || (code == 1 && v.name == "shared verifier"); !refused {
					t.Errorf("%s: exit %d\n%s", v.name, code, out)
				}
				if strings.Contains(out, "Traceback") && v.name != "shared verifier" {
					t.Errorf("%s broke down instead of refusing:\n%s", v.name, out)
				}
			}
		})
	}
}

func TestWithoutTrustRootsTheBagIsOnlyIntact(t *testing.T) {
	w := newWorld(t)
	r := newRoots(t, w)
	bag := w.build(w.options(t.TempDir())).Path
	stranger := []byte("someone@else " + string(ssh.MarshalAuthorizedKey(w.keys["analyst"].PublicKey())))
	strangers := filepath.Join(t.TempDir(), "strangers")
	if err := os.WriteFile(strangers, stranger, 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := []byte(identity + " " + string(ssh.MarshalAuthorizedKey(w.keys["analyst"].PublicKey())))
	wrongs := filepath.Join(t.TempDir(), "wrongs")
	if err := os.WriteFile(wrongs, wrong, 0o600); err != nil {
		t.Fatal(err)
	}
	all := w.roots()
	for _, c := range []struct {
		name string
		o    bundle.VerifyOptions
		args []string
		want bundle.Status
		code int
	}{
		{"all", all, []string{"--signers", r.signers, "--identity", identity, "--log", all.LogKey}, bundle.StatusVerified, 0},
		{"nothing", bundle.VerifyOptions{}, nil, bundle.StatusSignerUnknown, 4},
		{"no signers", bundle.VerifyOptions{LogKey: all.LogKey}, []string{"--log", r.log}, bundle.StatusSignerUnknown, 4},
		{"signers without the identity", bundle.VerifyOptions{Signers: stranger, Identity: identity, LogKey: all.LogKey}, []string{"--signers", strangers, "--identity", identity, "--log", r.log}, bundle.StatusSignerUnknown, 4},
		{"another key of the identity", bundle.VerifyOptions{Signers: wrong, Identity: identity, LogKey: all.LogKey}, []string{"--signers", wrongs, "--identity", identity, "--log", r.log}, bundle.StatusViolated, 3},
		{"no log key", bundle.VerifyOptions{Signers: all.Signers, Identity: identity}, []string{"--signers", r.signers, "--identity", identity}, bundle.StatusLogKeyMissing, 4},
	} {
		if rep := verify(t, bag, c.o); rep.Status != c.want || rep.ExitCode() != c.code {
			t.Errorf("%s: %s, exit %d: %q", c.name, rep.Status, rep.ExitCode(), failures(rep))
		}
		if code, out := run(t, filepath.Join("..", "..", "scripts", "verify-bundle"), append([]string{bag}, c.args...)...); code != c.code {
			t.Errorf("%s: the script's exit is %d, want %d\n%s", c.name, code, c.code, out)
		}
	}
	if code, _ := run(t, filepath.Join("..", "..", "scripts", "verify-bundle")); code != 2 {
		t.Errorf("the script without arguments: exit %d", code)
	}
}
