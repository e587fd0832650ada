package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

type compactCmd struct{}

func (compactCmd) Help() string {
	return "Writes vault.db anew without its free pages, so that what was erased is no longer in the file and its space is free. In a sealed vault, keys that sealed something erased are replaced and destroyed, so that backups lose it too; what was not sealed yet is. Needs as much free space as vault.db takes. No daemon may hold the vault. A stop at any point leaves the old file or the new one."
}

func (compactCmd) Run(s *session) error {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(cfg.Vault, "vault.db")); err != nil {
		return fmt.Errorf("there is no vault at %s: name it as `vault` in the configuration (-c)", cfg.Vault)
	}
	o, err := daemon.VaultOptions(daemon.Options{Config: cfg, Build: build(), Log: s.log})
	if err != nil {
		return err
	}
	start := time.Now()
	bar, done := s.progress("compact")
	var tell func(stage string, n, total int64)
	if bar != nil {
		tell = func(stage string, n, total int64) { bar(daemon.Progress{Stage: stage, Done: n, Total: total}) }
	}
	out, err := vault.Compact(s, cfg.Vault, o, tell)
	done()
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(out)
	}
	fmt.Fprintf(s.out, "vault.db has %d bytes instead of %d, in %s; %d bodies got another key, %d data keys were destroyed\n",
		out.After, out.Before, time.Since(start).Round(time.Millisecond), out.Resealed, len(out.Keys))
	fmt.Fprintln(s.out, "what was erased is no longer in the vault's file, nor readable in a backup of a sealed one; take a new backup")
	return nil
}
