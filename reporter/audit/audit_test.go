package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
	"github.com/muhafiz/muhafiz/reporter/audit"
)

const secret = "WORDS-OF-A-POST"

func put(t *testing.T, v *vault.Vault, actor, subject evidence.Name, b evidence.Body) evidence.Record {
	t.Helper()
	recs, err := v.Put(t.Context(), evidence.Batch{Drafts: []evidence.Draft{{ID: evidence.NewID(time.Now()), Actor: actor, Subject: subject, Body: b}}})
	if err != nil {
		t.Fatal(err)
	}
	return recs[0]
}

// filled is a vault with acts, posts, and a decision that quotes one.
func filled(t *testing.T) *vault.Vault {
	t.Helper()
	v := vaulttest.New(t)
	source, channel := evidence.Source("s"), evidence.Account("telegram", "channel", "1")
	put(t, v, source, source, &evidence.Collector{Key: "s", State: "healthy"})
	key := newKey(t)
	put(t, v, evidence.Vault(), evidence.Person("amna"), &evidence.PersonSet{Key: "amna", Name: "Amna", Roles: []string{"auditor"}, SSHKey: line(key)})
	put(t, v, evidence.Vault(), evidence.Target("front"), &evidence.TargetSet{Key: "front", Address: "https://t.me/front"})
	for i := range 20 {
		put(t, v, source, channel.Post(int64(i)), &evidence.PostSeen{Method: evidence.MethodMTProto, Text: secret + strconv.Itoa(i)})
	}
	put(t, v, source, channel, &evidence.AccountSeen{Method: evidence.MethodMTProto, Title: secret})
	put(t, v, evidence.Person("amna"), evidence.Case("k"), &evidence.CaseOpened{Key: "k", Account: evidence.Ref{Name: channel}, Target: "front"})
	put(t, v, evidence.Person("amna"), evidence.Case("k"), &evidence.Decision{Signed: sign(t, key, "amna", secret)})
	put(t, v, evidence.Person("amna"), evidence.Case("k"), &evidence.Approval{Signed: sign(t, key, "amna", "")})
	put(t, v, evidence.Person("amna"), evidence.Vault(), &evidence.Access{What: "audit"})
	return v
}

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func line(k ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k.PublicKey())))
}

func sign(t *testing.T, k ssh.Signer, person, comment string) evidence.Signed {
	t.Helper()
	payload, err := json.Marshal(evidence.Statement{Type: evidence.StatementApproval, Person: person, Comment: comment})
	if err != nil {
		t.Fatal(err)
	}
	sig, err := sshsig.Sign(bytes.NewReader(payload), k, sshsig.HashSHA512, evidence.SignatureNamespace)
	if err != nil {
		t.Fatal(err)
	}
	return evidence.Signed{Payload: string(payload), Signature: string(sshsig.Armor(sig))}
}

// TestAStatementOfAnotherKeyIsFound puts acts past the desk, straight into the log, as whoever holds the machine could.
func TestAStatementOfAnotherKeyIsFound(t *testing.T) {
	for name, forge := range map[string]func(v *vault.Vault, amna, bilal ssh.Signer) string{
		"another's key": func(v *vault.Vault, _, bilal ssh.Signer) string {
			put(t, v, evidence.Person("amna"), evidence.Case("k"), &evidence.Approval{Signed: sign(t, bilal, "amna", "")})
			return "is not signed by the key that the roster held"
		},
		"another's act": func(v *vault.Vault, amna, _ ssh.Signer) string {
			put(t, v, evidence.Person("bilal"), evidence.Case("k"), &evidence.Approval{Signed: sign(t, amna, "amna", "")})
			return "is the act of u2"
		},
		"no signature": func(v *vault.Vault, _, _ ssh.Signer) string {
			put(t, v, evidence.Person("amna"), evidence.Case("k"), &evidence.Approval{Signed: evidence.Signed{Payload: `{"person":"amna"}`}})
			return "cannot be read"
		},
		"a key from before": func(v *vault.Vault, amna, _ ssh.Signer) string {
			put(t, v, evidence.Vault(), evidence.Person("amna"), &evidence.PersonSet{Key: "amna", SSHKey: line(newKey(t))})
			put(t, v, evidence.Person("amna"), evidence.Case("k"), &evidence.Approval{Signed: sign(t, amna, "amna", "")})
			return "is not signed by the key that the roster held"
		},
	} {
		t.Run(name, func(t *testing.T) {
			v, amna, bilal := vaulttest.New(t), newKey(t), newKey(t)
			put(t, v, evidence.Vault(), evidence.Person("amna"), &evidence.PersonSet{Key: "amna", SSHKey: line(amna)})
			put(t, v, evidence.Vault(), evidence.Person("bilal"), &evidence.PersonSet{Key: "bilal", SSHKey: line(bilal)})
			put(t, v, evidence.Vault(), evidence.Source("s"), &evidence.Collector{Key: "s"})
			put(t, v, evidence.Person("amna"), evidence.Case("k"), &evidence.CaseOpened{Key: "k", Account: evidence.Ref{Name: evidence.Account("telegram", "channel", "1")}})
			want := forge(v, amna, bilal)
			_, dir := export(t, v, nil)
			if rep, err := audit.Verify(t.Context(), dir, v.LogKey()); !errors.Is(err, audit.ErrWrong) || !strings.Contains(err.Error(), want) {
				t.Errorf("got %+v, %v, want %q", rep, err, want)
			}
		})
	}
}

func export(t *testing.T, v *vault.Vault, change func(*audit.Options)) (audit.Result, string) {
	t.Helper()
	o := audit.Options{
		Log: v, Out: filepath.Join(t.TempDir(), "export"), By: "amna", Build: "test",
		Tell: func(_ context.Context, r evidence.Record) (string, error) {
			return strconv.FormatInt(r.Seq, 10) + " " + string(r.Kind), nil
		},
	}
	if change != nil {
		change(&o)
	}
	res, err := audit.Export(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res, o.Out
}

func holds(t *testing.T, dir, text string) (in []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			in = append(in, f.Name())
		}
	}
	return in
}

// script runs the check that README.txt holds, as its reader would.
func script(t *testing.T, dir string) (string, error) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not there")
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, code, ok := strings.Cut(string(readme), "python3 - <<'END-OF-CHECK'\n")
	code, _, end := strings.Cut(code, "\nEND-OF-CHECK\n")
	if !ok || !end {
		t.Fatal("README.txt holds no script")
	}
	cmd := exec.Command(python, "-c", code)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestAnExportHoldsEveryActAndNoContent(t *testing.T) {
	v := filled(t)
	for name, c := range map[string]struct {
		change   func(*audit.Options)
		complete bool
		quotes   []string
	}{
		"acts":           {nil, false, nil},
		"complete":       {func(o *audit.Options) { o.Complete = true }, true, nil},
		"with decisions": {func(o *audit.Options) { o.WithDecisions = true }, false, []string{"bodies.jsonl"}},
	} {
		t.Run(name, func(t *testing.T) {
			size := v.Size()
			res, dir := export(t, v, c.change)
			acts := 0
			for kind, n := range res.Kinds {
				if kind == evidence.KindPostSeen || kind == evidence.KindAccountSeen || kind == evidence.KindCollector {
					t.Errorf("%d records of %s are told as acts", n, kind)
				}
				acts += n
			}
			want := 0
			_ = v.Records(t.Context(), 0, func(r evidence.Record) error {
				if r.Seq < size && r.Kind != evidence.KindPostSeen && r.Kind != evidence.KindAccountSeen && r.Kind != evidence.KindCollector && r.Kind != evidence.KindAccountBound {
					want++
				}
				return nil
			})
			if acts != want || res.Acts != want {
				t.Errorf("%d acts, want %d: %+v", acts, want, res)
			}
			if got := holds(t, dir, secret); strings.Join(got, " ") != strings.Join(c.quotes, " ") {
				t.Errorf("%q stands in %v, want %v", secret, got, c.quotes)
			}
			rep, err := audit.Verify(t.Context(), dir, v.LogKey())
			if err != nil || !rep.KeyHolds || rep.Signatures != int64(1+len(c.quotes)) || rep.Unchecked != 0 || rep.Complete != c.complete || rep.Records != int64(res.Records) || rep.TreeSize != size {
				t.Errorf("verify: %+v, %v", rep, err)
			}
			if rep, err := audit.Verify(t.Context(), dir, ""); err != nil || !rep.KeyAbsent {
				t.Errorf("verify without a key: %+v, %v", rep, err)
			}
			out, err := script(t, dir)
			if err != nil || !strings.Contains(out, strconv.Itoa(res.Records)+" records proved under a log of "+strconv.FormatInt(size, 10)) ||
				strings.Contains(out, "\ncomplete:") != c.complete {
				t.Errorf("the script in README.txt: %v\n%s", err, out)
			}
		})
	}
}

func TestSinceAndUntilBoundAnExport(t *testing.T) {
	now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	o := vaulttest.Options(t)
	o.Now = func() time.Time { now = now.Add(time.Hour); return now }
	v, err := vault.Create(filepath.Join(t.TempDir(), "vault"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	put(t, v, evidence.Vault(), evidence.Person("amna"), &evidence.PersonSet{Key: "amna"})
	var at []time.Time
	for range 6 {
		at = append(at, put(t, v, evidence.Person("amna"), evidence.Vault(), &evidence.Access{What: "queue"}).At.Time)
	}
	res, dir := export(t, v, func(o *audit.Options) { o.Since, o.Until = at[1], at[4] })
	if res.Records != 5 || res.Kinds[evidence.KindAccess] != 3 {
		t.Errorf("%d records from the second look until before the fifth, with the vault and its roster: %+v", res.Records, res)
	}
	if _, err := audit.Verify(t.Context(), dir, v.LogKey()); err != nil {
		t.Error(err)
	}
}

func TestNothingIsOverwrittenAndNothingIsLeftHalf(t *testing.T) {
	v := filled(t)
	res, dir := export(t, v, nil)
	o := audit.Options{Log: v, Out: dir, Tell: func(context.Context, evidence.Record) (string, error) { return "", nil }}
	if _, err := audit.Export(t.Context(), o); !errors.Is(err, audit.ErrOptions) || !strings.Contains(err.Error(), "not overwritten") {
		t.Errorf("a second export into %s: %v", res.Path, err)
	}
	o.Out = filepath.Join(t.TempDir(), "out", "export")
	o.Tell = func(context.Context, evidence.Record) (string, error) { return "", errors.New("simulated") }
	if _, err := audit.Export(t.Context(), o); err == nil {
		t.Error("an export without its readable part was made")
	}
	left, err := os.ReadDir(filepath.Dir(o.Out))
	if err != nil || len(left) != 0 {
		t.Errorf("a failed export left %v, %v", left, err)
	}
}

func TestDamageIsFound(t *testing.T) {
	v := filled(t)
	other := vaulttest.New(t)
	_, dir := export(t, v, nil)
	for name, change := range map[string]func(files map[string][]byte){
		"an envelope": func(f map[string][]byte) {
			f["envelopes.jsonl"] = bytes.Replace(f["envelopes.jsonl"], []byte(`"actor":"u1"`), []byte(`"actor":"u2"`), 1)
		},
		"a body": func(f map[string][]byte) {
			f["bodies.jsonl"] = bytes.Replace(f["bodies.jsonl"], []byte("Amna"), []byte("Anna"), 1)
		},
		"a line less": func(f map[string][]byte) {
			f["bodies.jsonl"] = bytes.SplitAfterN(f["bodies.jsonl"], []byte("\n"), 2)[1]
		},
		"a proof": func(f map[string][]byte) {
			f["proofs.jsonl"] = bytes.Replace(f["proofs.jsonl"], []byte(`"path":["`), []byte(`"path":["A`), 1)
		},
		"a record last": func(f map[string][]byte) { f["envelopes.jsonl"] = bytes.TrimSuffix(f["envelopes.jsonl"], []byte("\n")) },
		"the root": func(f map[string][]byte) {
			l := bytes.SplitN(f["checkpoint"], []byte("\n"), 4)
			l[2] = []byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
			f["checkpoint"] = bytes.Join(l, []byte("\n"))
		},
		"two records exchanged": func(f map[string][]byte) {
			for _, n := range []string{"envelopes.jsonl", "bodies.jsonl", "proofs.jsonl"} {
				l := bytes.SplitAfter(f[n], []byte("\n"))
				l[0], l[1] = l[1], l[0]
				f[n] = bytes.Join(l, nil)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			files, bad := map[string][]byte{}, t.TempDir()
			for _, n := range []string{"checkpoint", "envelopes.jsonl", "bodies.jsonl", "proofs.jsonl", "README.txt"} {
				b, err := os.ReadFile(filepath.Join(dir, n))
				if err != nil {
					t.Fatal(err)
				}
				files[n] = b
			}
			change(files)
			for n, b := range files {
				if err := os.WriteFile(filepath.Join(bad, n), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if rep, err := audit.Verify(t.Context(), bad, ""); !errors.Is(err, audit.ErrWrong) {
				t.Errorf("verify found nothing: %+v, %v", rep, err)
			}
			if out, err := script(t, bad); err == nil {
				t.Errorf("the script found nothing:\n%s", out)
			}
		})
	}
	if _, err := audit.Verify(t.Context(), dir, other.LogKey()); !errors.Is(err, audit.ErrWrong) {
		t.Errorf("another log's key was taken: %v", err)
	}
}

func TestEveryKindIsTreated(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../../collectors/evidence/kind.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		if v, ok := node.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			lit := v.Values[0].(*ast.BasicLit)
			k, _ := strconv.Unquote(lit.Value)
			n++
			if !audit.Knows(evidence.Kind(k)) {
				t.Errorf("the table does not say how %s is treated", k)
			}
		}
		return true
	})
	if n < 40 {
		t.Errorf("read only %d kinds", n)
	}
}
