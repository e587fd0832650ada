package intake

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/muhafiz/muhafiz/config"
)

var now = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

// world is the good configuration of package config in a folder.
func world(t testing.TB) (dir string, load func() *config.Config) {
	t.Helper()
	base, err := txtar.ParseFile("../testdata/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for _, f := range base.Files {
		path := filepath.Join(dir, f.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.Data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, func() *config.Config {
		t.Helper()
		c, err := config.Load(filepath.Join(dir, "muhafiz.yaml"), config.Options{NoSecrets: true})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func add(dir string, c *config.Config, list string) Add {
	return Add{
		Config: c, ConfigPath: filepath.Join(dir, "muhafiz.yaml"), Load: config.Options{NoSecrets: true}, ListName: "list.csv", List: []byte(list),
		Organisation: "front", Source: "Statement (simulated), https://example.org/statement", As: "amina", Now: now,
	}
}

func apply(t testing.TB, a Add) *Plan {
	t.Helper()
	p, err := a.Plan()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Apply(); err != nil {
		t.Fatal(err)
	}
	return p
}
