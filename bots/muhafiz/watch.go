package main

import (
	"fmt"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

type watchCmd struct {
	List    watchListCmd    `cmd:"" default:"withargs" help:"List the targets and how they stand."`
	Approve watchApproveCmd `cmd:"" help:"Approve a target as the second person: collection begins."`
	Suspend watchSuspendCmd `cmd:"" help:"Suspend a target at once: collection and unsent notices stop."`
}

type watchListCmd struct{}

func (watchListCmd) Run(s *session) error {
	return s.with("watch list", func(c *daemon.Client) error {
		var ts []review.Target
		if err := c.Call(s, "GET", "/v1/targets", nil, &ts); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(ts)
		}
		rows := [][]string{{"TARGET", "STATE", "ACCOUNT", "ADDRESS", "ORGANISATION", "REPORT", "LISTED BY", "APPROVED BY"}}
		for _, t := range ts {
			state := t.State
			if t.Emergency {
				state += " (emergency, one person)"
			}
			if !t.Until.IsZero() {
				state += " until " + t.Until.Format("2006-01-02 15:04Z")
			}
			rows = append(rows, []string{t.ID, state, orDash(string(t.Account)), t.Address, t.Organisation, yesNo(t.Report), t.ListedBy, orDash(t.ApprovedBy)})
		}
		s.table(rows)
		return nil
	})
}

type watchApproveCmd struct {
	Targets []string `arg:"" help:"The targets' ids."`
	signs
	Emergency bool   `help:"Start alone for 24 hours, once; everything says so, and nothing is reported."`
	Comment   string `help:"A comment that is signed with it."`
}

func (c watchApproveCmd) Run(s *session) error {
	return s.with("watch approve", func(cl *daemon.Client) error {
		for _, id := range c.Targets {
			var p daemon.Prepared
			if err := cl.Call(s, "POST", "/v1/targets/prepare", daemon.TargetRequest{Person: c.As, Target: id, Emergency: c.Emergency, Reason: c.Comment}, &p); err != nil {
				return err
			}
			signed, err := c.sign(s, s, p.Payload, evidence.StatementTargetApproval)
			if err != nil {
				return err
			}
			var t review.Target
			if err := cl.Call(s, "POST", "/v1/targets/approve", daemon.SignedBy{Person: c.As, Target: id, Signed: signed}, &t); err != nil {
				return err
			}
			if s.json {
				if err := s.printJSON(t); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(s.out, "%s (%s) is approved by %s as record %d set it; a running daemon begins now\n", t.ID, t.Address, c.As, t.Set.Seq)
		}
		return nil
	})
}

type watchSuspendCmd struct {
	Target string `arg:"" help:"The target's id."`
	who
	Reason string `required:"" help:"Why; it is recorded."`
}

func (c watchSuspendCmd) Run(s *session) error {
	return s.with("watch suspend", func(cl *daemon.Client) error {
		var t review.Target
		if err := cl.Call(s, "POST", "/v1/targets/suspend", daemon.TargetRequest{Person: c.As, Target: c.Target, Reason: c.Reason}, &t); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(t)
		}
		fmt.Fprintf(s.out, "%s is suspended: nothing more is collected, and what has not been sent will not be\n", t.ID)
		return nil
	})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
