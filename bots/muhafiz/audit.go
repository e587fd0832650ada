package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/reporter/audit"
)

type auditCmd struct {
	Export auditExportCmd `cmd:"" help:"Export every act with proofs, without content. Takes the role auditor."`
	Verify auditVerifyCmd `cmd:"" help:"Recompute an export. Needs no vault and no configuration."`
}

type auditExportCmd struct {
	who
	Out           string `required:"" help:"The folder to make; it must not exist." type:"path" placeholder:"DIR"`
	Since         string `help:"Acts from then on: a date, an instant in UTC, or how long ago, such as 7d." placeholder:"T"`
	Until         string `help:"Acts before then, in the same forms." placeholder:"T"`
	WithDecisions bool   `help:"With decisions, which quote posts, and with answers and disputes. Takes the role legal as well."`
	Complete      bool   `help:"With the envelopes of all records, which hold no content: then nothing can be left out unseen."`
}

func (auditExportCmd) Help() string {
	return "Writes listings, approvals, suspensions, marks, cases, decisions, notices, looks, refusals, bundles, keys and runs as exact records with inclusion proofs under a fresh checkpoint, and acts.txt to read. The export is itself recorded, and in it."
}

func (c auditExportCmd) Run(s *session) error {
	req := daemon.AuditRequest{Person: c.As, Out: c.Out, Since: c.Since, Until: c.Until, WithDecisions: c.WithDecisions, Complete: c.Complete}
	return s.with("audit export", func(cl *daemon.Client) error {
		bar, done := s.progress("audit")
		var res audit.Result
		err := cl.Stream(s, "POST", "/v1/audits", req, bar, &res)
		done()
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(res)
		}
		withheld := 0
		for _, n := range res.Withheld {
			withheld += n
		}
		fmt.Fprintf(s.out, "%s\n%d acts, %d of them without their body; %d records proved under a log of %d\n", res.Path, res.Acts, withheld, res.Records, res.TreeSize)
		return nil
	})
}

type auditVerifyCmd struct {
	Dir string `arg:"" help:"The export's folder." type:"path"`
	Log string `help:"The log's public key, from another source than the export: a file with a vkey, or the vkey itself." placeholder:"KEY"`
}

func (auditVerifyCmd) Help() string {
	return "Exit 0 when everything holds, 3 when something does not, 4 when it holds but no log key was given. acts.txt is a reading aid and is not proved."
}

func (c auditVerifyCmd) Run(s *session) error {
	key := c.Log
	if key != "" {
		if b, err := os.ReadFile(key); err == nil {
			key = string(b)
		}
	}
	rep, err := audit.Verify(s, c.Dir, key)
	if errors.Is(err, audit.ErrWrong) {
		return exit(exitIntegrity, err)
	}
	if err != nil {
		return err
	}
	if s.json {
		if err := s.printJSON(rep); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(s.out, "%s: %d records proved under the log %s of %d, %d with their bodies\n", filepath.Base(c.Dir), rep.Records, safe(rep.Origin), rep.TreeSize, rep.Bodies)
		fmt.Fprintf(s.out, "%d signatures of people hold; %d could not be checked\n", rep.Signatures, rep.Unchecked)
		if rep.Complete {
			fmt.Fprintln(s.out, "complete: no record below the checkpoint is left out")
		} else {
			fmt.Fprintln(s.out, "not complete: inclusion proofs do not show what was left out")
		}
	}
	if rep.KeyAbsent {
		return exit(exitIncomplete, errors.New("log key not given, so nobody knows whose log this is: give --log KEY"))
	}
	return nil
}
