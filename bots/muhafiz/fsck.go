package main

import (
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

type fsckCmd struct {
	Vault string `arg:"" help:"The vault folder." type:"path"`
}

func (fsckCmd) Help() string {
	return "Recomputes every leaf, tree hash, body and blob digest, checks every checkpoint's signature, and rebuilds every view and compares. Names what is wrong and where. Exit 0 when all is well, 3 when something is not. No daemon may hold the vault."
}

func (c fsckCmd) Run(s *session) error {
	start := time.Now()
	bar, done := s.progress("fsck")
	o := vault.FsckOptions{Views: daemon.Views(), Log: s.log}
	if bar != nil {
		o.Progress = func(stage string, n, total int64) { bar(daemon.Progress{Stage: stage, Done: n, Total: total}) }
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
	if n := len(rep.Problems); n > 0 {
		return exit(exitIntegrity, fmt.Errorf("%d problems: keep this vault as it is and work on a copy", n))
	}
	if !s.json {
		fmt.Fprintln(s.out, "everything holds")
	}
	return nil
}
