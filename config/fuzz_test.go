package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzLoad puts bytes in place of each of the three files in turn.
func FuzzLoad(f *testing.F) {
	base, err := txtar.ParseFile("testdata/base.txtar")
	if err != nil {
		f.Fatal(err)
	}
	names := []string{"muhafiz.yaml", "organisations.yaml", "watchlists/a.yaml"}
	good := map[string][]byte{}
	for _, x := range base.Files {
		good[x.Name] = x.Data
	}
	for i, name := range names {
		f.Add(uint8(i), good[name])
	}
	bad, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range bad {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, x := range ar.Files {
			for i := range names {
				if x.Name == names[i] {
					f.Add(uint8(i), x.Data)
				}
			}
		}
	}
	dir := layOut(f)
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		name := filepath.Join(dir, names[int(which)%len(names)])
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(filepath.Join(dir, "muhafiz.yaml"), Options{NoSecrets: true, Getenv: func(string) string { return "" }})
		if err := os.WriteFile(name, good[names[int(which)%len(names)]], 0o600); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			if c.LegalBasis == "" || len(c.People) == 0 {
				t.Fatal("a configuration without a legal basis or people")
			}
			for _, x := range c.Targets {
				o, ok := c.Organisation(x.Organisation)
				p, known := c.Person(x.ListedBy)
				if !ok || !known || len(o.Designations) == 0 || !p.CanDecide() || x.Address.IsZero() || x.Affiliation.Basis == "" || x.ID == "" {
					t.Fatalf("a target without its grounds: %+v", x)
				}
			}
			return
		}
		errs := AsErrors(err)
		if c != nil || len(errs) == 0 {
			t.Fatalf("%v, %T", c, err)
		}
		for _, e := range errs {
			if e.File == "" || e.Reason == "" || e.Line < 0 || e.Line > 0 && e.Col < 1 {
				t.Fatalf("%#v has no place or reason", e)
			}
		}
	})
}
