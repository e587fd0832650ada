package main

import (
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/review"
)

type watchCmd struct {
	List      watchListCmd      `cmd:"" default:"withargs" help:"List the targets and how they stand."`
	Show      watchShowCmd      `cmd:"" help:"Show everything about a target but what it published."`
	Add       watchAddCmd       `cmd:"" help:"Add a list as it came: CSV, XLSX, HTML or pasted text. Every row is accounted for."`
	Sign      watchSignCmd      `cmd:"" help:"Sign that you put targets on the list, as they are set now; nobody can approve them before."`
	Approve   watchApproveCmd   `cmd:"" help:"Approve a target as the second person: collection begins."`
	Confirm   watchConfirmCmd   `cmd:"" help:"Sign that a target whose address leads to another channel now is that channel."`
	Suspend   watchSuspendCmd   `cmd:"" help:"Suspend a target at once: collection and unsent notices stop."`
	Remove    watchRemoveCmd    `cmd:"" help:"Take a target off its watchlist, with a reason."`
	Successor watchSuccessorCmd `cmd:"" help:"List the account that came in place of a target."`
	watchRedress
}

// The states by which targets can be listed beside those of the log.
const (
	stateEmergency = "emergency"
	stateEnded     = "ended"
)

type watchListCmd struct {
	State string `help:"Only targets in this state: listed, approved, suspended, removed, innocent, emergency, or ended (an approval that has run out)." enum:",listed,approved,suspended,removed,innocent,emergency,ended" default:"" placeholder:"S"`
}

func (c watchListCmd) Run(s *session) error {
	return s.with("watch list", func(cl *daemon.Client) error {
		var all []daemon.TargetView
		if err := cl.Call(s, "GET", "/v1/targets", nil, &all); err != nil {
			return err
		}
		ts := []daemon.TargetView{}
		for _, t := range all {
			if c.State == "" || inState(t.Target, c.State, time.Now()) {
				ts = append(ts, t)
			}
		}
		if s.json {
			return s.printJSON(ts)
		}
		rows := [][]string{{"TARGET", "STATE", "ACCOUNT", "ADDRESS", "ORGANISATION", "REPORT", "LISTED BY", "APPROVED BY"}}
		for _, t := range ts {
			rows = append(rows, []string{t.ID, standing(t, time.Now()), orDash(string(t.Account)), t.Address, t.Organisation, yesNo(t.Report), t.ListedBy, orDash(t.ApprovedBy)})
		}
		s.table(rows)
		return nil
	})
}

func inState(t review.Target, state string, now time.Time) bool {
	ended := t.State == review.TargetApproved && !t.Collectable(now)
	switch state {
	case stateEnded:
		return ended
	case stateEmergency:
		return t.State == review.TargetApproved && t.Emergency && !ended
	case review.TargetApproved:
		return t.State == state && !t.Emergency && !ended
	}
	return t.State == state
}

// standing is stateOf with what the target's listing lacks.
func standing(t daemon.TargetView, now time.Time) string {
	if t.Unsigned != "" {
		return stateOf(t.Target, now) + ", listing not signed"
	}
	return stateOf(t.Target, now)
}

// stateOf is a target's state in words: an emergency start, an end, and that nothing is collected are always said.
func stateOf(t review.Target, now time.Time) string {
	state := t.State
	if t.State == review.TargetApproved {
		if t.Emergency {
			state = "EMERGENCY START by one person, not reported"
		}
		switch {
		case !t.Until.IsZero() && !t.Collectable(now):
			state += ", ENDED " + t.Until.Format("2006-01-02 15:04Z")
		case !t.Until.IsZero():
			state += " until " + t.Until.Format("2006-01-02 15:04Z")
		}
	}
	if !config.Collectable(t.Platform) {
		state += " (listed only)"
	}
	return state
}

type watchApproveCmd struct {
	Targets []string `arg:"" help:"The targets' ids."`
	signs
	Emergency bool   `help:"Start alone for 24 hours, once; everything says so, and nothing is reported." xor:"until"`
	Until     string `help:"When the approval ends: a day such as 2026-12-31 (its end, UTC), or a moment such as 2026-12-31T18:00:00Z. Approve again to renew." xor:"until" placeholder:"DATE"`
	Comment   string `help:"A comment that is signed with it."`
}

func (c watchApproveCmd) Run(s *session) error {
	until, err := parseUntil(c.Until)
	if err != nil {
		return exit(exitUsage, err)
	}
	return s.with("watch approve", func(cl *daemon.Client) error {
		for _, id := range c.Targets {
			var p daemon.Prepared
			if err := cl.Call(s, "POST", "/v1/targets/prepare", daemon.TargetRequest{Person: c.As, Target: id, Emergency: c.Emergency, Until: until, Reason: c.Comment}, &p); err != nil {
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
			fmt.Fprintf(s.out, "%s (%s) is approved by %s as record %d set it; %s\n", t.ID, t.Address, c.As, t.Set.Seq, afterApproval(t))
		}
		return nil
	})
}

// afterApproval says what an approval brings about.
func afterApproval(t review.Target) string {
	next := "a running daemon begins now"
	if !config.Collectable(t.Platform) {
		next = "it is listed only: nothing is collected, captures of it can be imported"
	}
	switch {
	case t.Emergency:
		return next + "; EMERGENCY START by one person, until " + t.Until.Format("2006-01-02 15:04Z") + ", not reported"
	case !t.Until.IsZero():
		return next + "; the approval ends " + t.Until.Format("2006-01-02 15:04Z")
	}
	return next
}

// parseUntil reads the end of an approval; a day counts to its end.
func parseUntil(s string) (evidence.Time, error) {
	if s == "" {
		return evidence.Time{}, nil
	}
	if d, err := time.Parse(time.DateOnly, s); err == nil {
		return evidence.At(d.AddDate(0, 0, 1).Add(-time.Second)), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return evidence.Time{}, fmt.Errorf("--until is a day such as 2026-12-31 or a moment such as 2026-12-31T18:00:00Z, not %q", s)
	}
	return evidence.At(t), nil
}

type watchSuspendCmd struct {
	Target string `arg:"" help:"The target's id."`
	who
	Reason string `required:"" help:"Why; it is recorded."`
}

func (c watchSuspendCmd) Run(s *session) error {
	return s.with("watch suspend", func(cl *daemon.Client) error {
		var t daemon.Stopped
		if err := cl.Call(s, "POST", "/v1/targets/suspend", daemon.TargetRequest{Person: c.As, Target: c.Target, Reason: c.Reason}, &t); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(t)
		}
		fmt.Fprintf(s.out, "%s is suspended: nothing more is collected, and what has not been sent will not be\n", t.ID)
		s.printCorrections(t)
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
