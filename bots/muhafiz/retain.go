package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
)

type retainCmd struct {
	Show retainShowCmd `cmd:"" default:"withargs" help:"Say what would go, when, and what is held by what. Changes nothing."`
	Run  retainRunCmd  `cmd:"" help:"Erase what is due now. A running daemon does it once a day."`
}

type retainShowCmd struct {
	DryRun bool `help:"The same: nothing is changed without run."`
}

func (retainShowCmd) Help() string {
	return "Versions of posts, counts, kept files and raw replies go when their term is over (retention in the configuration), after a warning, unless a hold covers them; the envelopes, and with them all proofs, stay."
}

func (c retainShowCmd) Run(s *session) error {
	return s.with("retain", func(cl *daemon.Client) error {
		var r daemon.Retained
		if err := cl.Call(s, "POST", "/v1/retention", daemon.RetainRequest{DryRun: true}, &r); err != nil {
			return err
		}
		return s.printRetained(r)
	})
}

type retainRunCmd struct {
	DryRun bool   `help:"Change nothing, say what would go."`
	As     string `help:"Your id in the configuration; it takes the role operator, senior or legal." env:"MUHAFIZ_AS" placeholder:"ID"`
}

func (c retainRunCmd) Run(s *session) error {
	if c.As == "" && !c.DryRun {
		return exit(exitUsage, errors.New("say who you are: --as ID; what would go is shown by muhafiz retain"))
	}
	return s.with("retain run", func(cl *daemon.Client) error {
		var r daemon.Retained
		if err := cl.Call(s, "POST", "/v1/retention", daemon.RetainRequest{Person: c.As, DryRun: c.DryRun}, &r); err != nil {
			return err
		}
		return s.printRetained(r)
	})
}

func (s *session) printRetained(r daemon.Retained) error {
	if s.json {
		return s.printJSON(r)
	}
	n := strconv.Itoa
	rows := [][]string{{"ACCOUNT", "TARGET", "TERM", "DUE", "RAW REPLIES", "HELD", "SOON", "SOON FROM", "NOT BEFORE"}}
	for _, x := range r.Rows {
		account := string(x.Account)
		if account == "v0" {
			account = "people's acts"
		}
		rows = append(rows, []string{account, orDash(x.Target), n(x.Days) + "d", n(x.Due), n(x.Replies), n(x.Held), n(x.Soon), dayOf(x.SoonFrom), dayOf(x.Earliest)})
	}
	if len(rows) > 1 {
		s.table(rows)
	}
	if len(r.HeldBy) > 0 {
		held := [][]string{{"HELD BY", "UNTIL", "RECORDS"}}
		for _, h := range r.HeldBy {
			held = append(held, []string{h.Why, dayOf(h.Until), n(h.Records)})
		}
		fmt.Fprintln(s.out)
		s.table(held)
	}
	verb := "erased"
	if r.DryRun {
		verb = "would be erased"
	}
	fmt.Fprintf(s.out, "%d records and the raw bytes of %d acquisitions %s, with %d files (%d bytes); %d are due and held; %d will be due within the warning\n",
		r.Erased.Bodies, r.Erased.Replies, verb, r.Erased.Files, r.Erased.Bytes, r.Held, r.Soon)
	for _, o := range r.Orders {
		fmt.Fprintln(s.out, safe(o))
	}
	if r.Lingering > 0 {
		fmt.Fprintf(s.out, "%d erased records linger in free pages and backups; run `muhafiz compact` by %s\n", r.Lingering, r.Deadline.Format("2006-01-02"))
	}
	return nil
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateOnly)
}
