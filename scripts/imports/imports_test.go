package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

type pkg struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", Module+"/...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var pkgs []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func within(folder, path string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func ruleFor(path string) *Rule {
	var best *Rule
	for i, r := range Rules {
		if within(r.Folder, path) && (best == nil || len(r.Folder) > len(best.Folder)) {
			best = &Rules[i]
		}
	}
	return best
}

func allowed(r *Rule, path string) bool {
	for _, m := range r.May {
		if base, below := strings.CutSuffix(m, "/..."); path == m || below && within(base, path) {
			return true
		}
	}
	return false
}

// violations returns a sentence for each import that the tables do not allow.
func violations(pkgs []pkg) []string {
	var out []string
	for _, p := range pkgs {
		path := strings.TrimPrefix(p.ImportPath, Module+"/")
		r := ruleFor(path)
		if r == nil {
			out = append(out, path+" stands in no folder of the house: add it to the table with a reason, or move it")
			continue
		}
		for _, imp := range p.Imports {
			if ours, ok := strings.CutPrefix(imp, Module+"/"); ok {
				if !allowed(r, ours) {
					out = append(out, path+" imports "+ours+", but "+r.Why)
				}
				continue
			}
			for _, o := range Owners {
				if !within(o.Module, imp) {
					continue
				}
				owned := false
				for _, f := range o.Folder {
					owned = owned || within(f, path)
				}
				if !owned {
					out = append(out, path+" imports "+imp+", which "+strings.Join(o.Folder, " and ")+" owns: "+o.Why)
				}
			}
		}
	}
	return out
}

func TestImportsFollowTheTable(t *testing.T) {
	for _, v := range violations(list(t)) {
		t.Error(v)
	}
}

func TestTheTableRefuses(t *testing.T) {
	for _, p := range []pkg{
		{ImportPath: Module + "/collectors/evidence", Imports: []string{Module + "/config"}},
		{ImportPath: Module + "/collectors/vault", Imports: []string{Module + "/reporter"}},
		{ImportPath: Module + "/collectors/telegram", Imports: []string{Module + "/collectors/vault"}},
		{ImportPath: Module + "/reporter/review", Imports: []string{Module + "/reporter/notice"}},
		{ImportPath: Module + "/reporter", Imports: []string{Module + "/bots/daemon"}},
		{ImportPath: Module + "/reporter/notice", Imports: []string{"go.etcd.io/bbolt"}},
		{ImportPath: Module + "/config", Imports: []string{"github.com/gotd/td/tg"}},
		{ImportPath: Module + "/elsewhere"},
	} {
		if len(violations([]pkg{p})) == 0 {
			t.Errorf("%s may import %v", p.ImportPath, p.Imports)
		}
	}
}
