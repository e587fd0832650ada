package main

import (
	"fmt"
	"os"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

type fsckCmd struct {
	Vault      string `arg:"" help:"The vault folder." type:"path"`
	Copy       bool   `help:"The folder is a copy, or a restored backup, of the configuration's vault: check it with that vault's key and key ring."`
	WithoutKey bool   `help:"Check what can be checked of a sealed vault without its key; exit 4."`
}

func (fsckCmd) Help() string {
	return "Recomputes every leaf, tree hash, body and blob digest, checks every checkpoint's signature, and rebuilds every view and compares. Names what is wrong and where. Of a sealed vault the configuration (-c) names key and key ring; without them the log is checked, and the bodies are not. Exit 0 when all is well, 3 when something is not, 4 when something could not be checked. No daemon may hold the vault."
}

func (c fsckCmd) Run(s *session) error {
	start := time.Now()
	bar, done := s.progress("fsck")
	o := vault.FsckOptions{Views: daemon.Views(), Log: s.log}
	if bar != nil {
		o.Progress = func(stage string, n, total int64) { bar(daemon.Progress{Stage: stage, Done: n, Total: total}) }
	}
	var err error
	if o.Keys, err = c.keys(s); err != nil {
		return err
	}
	rep, err := vault.Fsck(s, c.Vault, o)
	done()
	if err != nil {
		return err
	}
	if s.json {
		if err := s.printJSON(rep); err != nil {
			return err
		}
	} else {
		for _, p := range rep.Problems {
			fmt.Fprintf(s.out, "%s: %s\n", safe(p.Where), safe(p.What))
		}
		fmt.Fprintf(s.out, "%d records, %d blobs (%d bytes), %d views checked in %s\n", rep.Records, rep.Blobs, rep.BlobBytes, len(rep.Views), time.Since(start).Round(time.Millisecond))
		if rep.Unreferenced > 0 {
			fmt.Fprintf(s.out, "%d blobs are named by no record: a stop between keeping and recording leaves them; they are no damage\n", rep.Unreferenced)
		}
	}
	if !s.json {
		for _, u := range rep.Unchecked {
			fmt.Fprintln(s.out, "not checked:", safe(u))
		}
		if rep.Sealed+int64(rep.Erased) > 0 {
			fmt.Fprintf(s.out, "%d bodies are sealed, %d were erased, as the log says\n", rep.Sealed, rep.Erased)
		}
	}
	if n := len(rep.Problems); n > 0 {
		return exit(exitIntegrity, fmt.Errorf("%d problems: keep this vault as it is and work on a copy", n))
	}
	if n := len(rep.Unchecked); n > 0 {
		return exit(exitIncomplete, fmt.Errorf("what was checked holds, but %d things could not be checked: give the vault's configuration (-c), which names its key and key ring, and --copy where the folder is a copy of that vault", n))
	}
	if !s.json {
		fmt.Fprintln(s.out, "everything holds")
	}
	return nil
}

// keys finds the keys of the vault: those of the configuration that names this vault. Without one nothing sealed is checked.
func (c fsckCmd) keys(s *session) (*vault.Keys, error) {
	if c.WithoutKey {
		return nil, nil
	}
	if _, err := os.Stat(s.cfgPath); err != nil {
		return nil, nil //nolint:nilerr // fsck needs no configuration: it says what it could not check
	}
	cfg, err := s.load()
	if err != nil {
		s.log.Warn().Err(err).Msg("the configuration cannot be used; what is sealed is not checked")
		return nil, nil
	}
	if cfg.Vault != c.Vault && !c.Copy {
		return nil, nil
	}
	return daemon.VaultKeys(cfg, os.Getenv)
}
