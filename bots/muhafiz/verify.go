package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/reporter/bundle"
)

type verifyCmd struct {
	Bag      string   `arg:"" help:"The bundle's folder." type:"path"`
	Signers  string   `help:"allowed_signers file, as ssh-keygen takes it; it must have reached you by another way than the bundle." type:"path" placeholder:"FILE"`
	Identity string   `help:"Who must have signed, as the signers' file names them." placeholder:"ID"`
	Log      string   `help:"The log's public key: a file with a vkey or PEM, or the vkey itself." placeholder:"KEY"`
	Witness  []string `help:"The public key of a witness of the log, NAME+HASH+KEY or a file with it, got from the witness: its cosignatures in the bundle are verified. May be given more than once." placeholder:"KEY" sep:"none"`

	TSA string `help:"The root certificate of a time-stamping authority (PEM), got from the authority: refuse a bundle that it has not stamped." type:"path" placeholder:"CA.pem"`
}

func (verifyCmd) Help() string {
	return "Exit 0 when everything was checked and holds, 3 when something does not hold, 4 when the bundle is intact but the signer is unknown or no log key was given. A time-stamp that is damaged or over other bytes is refused with --tsa and without."
}

func (c verifyCmd) Run(s *session) error {
	o := bundle.VerifyOptions{Identity: c.Identity, LogKey: c.Log, Stamps: anchor.Checker{}}
	var err error
	if c.TSA != "" {
		pem, err := os.ReadFile(c.TSA)
		if err != nil {
			return exit(exitUsage, err)
		}
		roots, err := anchor.ParseRoots(pem)
		if err != nil {
			return exit(exitUsage, fmt.Errorf("--tsa %s: %w", c.TSA, err))
		}
		o.Stamps, o.NeedStamp = anchor.Checker{Roots: roots}, true
	}
	if len(c.Witness) > 0 {
		w := anchor.Witnesses{}
		for _, k := range c.Witness {
			w.Keys = append(w.Keys, keyText(k))
		}
		o.Witnesses = w
	}
	if (c.Signers == "") != (c.Identity == "") {
		return exit(exitUsage, errors.New("--signers and --identity go together"))
	}
	if c.Signers != "" {
		if o.Signers, err = os.ReadFile(c.Signers); err != nil {
			return exit(exitUsage, err)
		}
	}
	if c.Log != "" {
		if b, rerr := os.ReadFile(c.Log); rerr == nil {
			o.LogKey = string(b)
		}
	}
	rep, err := bundle.Verify(s, c.Bag, o)
	if err != nil {
		return err
	}
	if s.json {
		if err := s.printJSON(rep); err != nil {
			return err
		}
	} else {
		for _, k := range rep.Checks {
			word := "ok    "
			if k.Open {
				word = "open  "
			} else if !k.OK {
				word = "WRONG "
			}
			fmt.Fprintf(s.out, "%s %s: %s\n", word, k.Name, safe(k.Detail))
		}
		fmt.Fprintln(s.out, safe(rep.Sentence()))
	}
	if code := rep.ExitCode(); code != 0 {
		return exit(code, nil)
	}
	return nil
}
