package main

import (
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
)

type backupKeysCmd struct {
	Also []string `help:"A further file to copy, or a folder of files such as a key ring elsewhere; may be given more than once." type:"path" placeholder:"PATH"`
}

func (backupKeysCmd) Help() string {
	return "Writes the log key, the session key, the sealed sessions and the key ring in the vault's folder into one archive for the recipients under backup.keys, and removes the oldest copies beyond backup.keys.keep. Open it with: age -d -i IDENTITY FILE | tar x. Needs no vault. Exit 4 when a file that the configuration names is not there."
}

func (c backupKeysCmd) Run(s *session) error {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	out, err := daemon.CopyKeys(cfg, c.Also, time.Now())
	if err != nil {
		return err
	}
	if s.json {
		if err := s.printJSON(out); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(s.out, out.File)
		for _, n := range out.Holds {
			fmt.Fprintln(s.out, "  holds", safe(n))
		}
		for _, n := range out.Removed {
			fmt.Fprintln(s.out, "removed", n)
		}
	}
	if len(out.Lacking) > 0 {
		return exit(exitIncomplete, fmt.Errorf("not there, so not copied: %q", out.Lacking))
	}
	return nil
}
