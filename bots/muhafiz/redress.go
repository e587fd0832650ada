package main

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// watchRedress is the part of `watch` that puts a wrong listing right.
type watchRedress struct {
	Mark    watchMarkCmd    `cmd:"" help:"Mark a target as listed by mistake: it stops at once and cannot be listed again by one person."`
	Relist  watchRelistCmd  `cmd:"" help:"Sign, as one of two other people, that a target marked innocent belongs on the list after all."`
	Erase   watchEraseCmd   `cmd:"" help:"Sign, as one of two people, that all that was collected of a stopped target is erased."`
	Redress watchRedressCmd `cmd:"" help:"List what is known to have left of a target: notices, bundles, exports, and who took them."`
}

type watchMarkCmd struct {
	Target string `arg:"" help:"The target's id."`
	who
	Innocent string `required:"" help:"What the account is: journalist, researcher, rights_group, news_outlet or other." enum:"journalist,researcher,rights_group,news_outlet,other" placeholder:"CATEGORY"`
	Reason   string `required:"" help:"How you know; it is recorded."`
}

func (c watchMarkCmd) Run(s *session) error {
	return s.with("watch mark", func(cl *daemon.Client) error {
		var t daemon.Stopped
		req := daemon.MarkRequest{Person: c.As, Target: c.Target, Mark: evidence.MarkInnocent, Category: c.Innocent, Reason: c.Reason}
		if err := cl.Call(s, "POST", "/v1/targets/mark", req, &t); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(t)
		}
		fmt.Fprintf(s.out, "%s is marked innocent (%s): nothing is collected, shown or sent, and two other people must sign before it is listed again\n", t.ID, c.Innocent)
		fmt.Fprintf(s.out, "what left already: muhafiz watch redress %s --as %s\n", t.ID, c.As)
		s.printCorrections(t)
		return nil
	})
}

// printCorrections says what is ready to be sent to whoever got a wrong notice.
func (s *session) printCorrections(t daemon.Stopped) {
	for _, n := range t.Corrections {
		fmt.Fprintf(s.out, "a correction is drafted as %s; it leaves with: muhafiz notice correct\n", n)
	}
}

type watchRelistCmd struct {
	Target string `arg:"" help:"The target's id."`
	signs
	Reason string `required:"" help:"Why it belongs on the list although it was marked; it is signed."`
}

func (c watchRelistCmd) Run(s *session) error {
	return s.with("watch relist", func(cl *daemon.Client) error {
		var t review.Target
		if err := c.handIn(s, cl, "/v1/targets/relist", daemon.TargetRequest{Person: c.As, Target: c.Target, Reason: c.Reason}, evidence.StatementRelisting, c.Target, &t); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(t)
		}
		if t.State == review.TargetInnocent {
			fmt.Fprintf(s.out, "%s: your word is recorded; one more person must sign: muhafiz watch relist %s --as THEM\n", t.ID, t.ID)
		} else {
			fmt.Fprintf(s.out, "%s is listed again and waits for its approval: muhafiz watch approve %s --as THEM\n", t.ID, t.ID)
		}
		return nil
	})
}

type watchEraseCmd struct {
	Target string `arg:"" help:"The target's id."`
	signs
	Reason  string `required:"" help:"Why; it is signed."`
	Confirm bool   `help:"You are the second of the two: your word erases. Without it yours is the first, which erases nothing."`
}

func (watchEraseCmd) Help() string {
	return "Posts in all versions, counts, files, raw replies, snapshots of the account and the decisions that quote it go; so does every view of them. The listing, the suspension or mark, the cases' envelopes, what was sent and the statistics stay, so that the mistake can be known and put right. A hold beats it until it is released. What lingers in free pages and backups goes with `muhafiz compact`."
}

func (c watchEraseCmd) Run(s *session) error {
	return s.with("watch erase", func(cl *daemon.Client) error {
		var all []daemon.TargetView
		if err := cl.Call(s, "GET", "/v1/targets", nil, &all); err != nil {
			return err
		}
		for _, t := range all {
			if t.ID != c.Target {
				continue
			}
			switch begun := t.Erasing != ""; {
			case c.Confirm && !begun:
				return exit(exitUsage, fmt.Errorf("nobody signed yet that what was collected of %s is erased: leave out --confirm, and a second person confirms", c.Target))
			case !c.Confirm && begun:
				return exit(exitUsage, fmt.Errorf("%s signed already that what was collected of %s is erased: add --confirm, and your word erases", t.Erasing, c.Target))
			}
		}
		var e daemon.ErasedTarget
		if err := c.handIn(s, cl, "/v1/targets/erase", daemon.TargetRequest{Person: c.As, Target: c.Target, Reason: c.Reason}, evidence.StatementErasure, c.Target, &e); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(e)
		}
		if e.Erased == nil {
			fmt.Fprintf(s.out, "%s: your word is recorded, and nothing is erased yet; a second person signs: muhafiz watch erase %s --confirm --reason WHY --as THEM\n", c.Target, c.Target)
			return nil
		}
		fmt.Fprintf(s.out, "%s: %d records and the raw bytes of %d acquisitions are erased, %d files (%d bytes) removed\n", c.Target, e.Erased.Bodies, e.Erased.Replies, e.Erased.Files, e.Erased.Bytes)
		if e.Erased.Lingering > 0 {
			fmt.Fprintf(s.out, "%d of them are gone for every reader, and linger in free pages and backups until: muhafiz compact\n", e.Erased.Lingering)
		}
		return nil
	})
}

type watchRedressCmd struct {
	Target string `arg:"" help:"The target's id."`
	who
}

func (c watchRedressCmd) Run(s *session) error {
	return s.with("watch redress", func(cl *daemon.Client) error {
		var r review.Redress
		q := url.Values{"person": {c.As}, "target": {c.Target}}
		if err := cl.Call(s, "GET", "/v1/targets/redress?"+q.Encode(), nil, &r); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(r)
		}
		fmt.Fprintf(s.out, "%s (%s) is %s", r.Target.ID, r.Target.Address, r.Target.State)
		if !r.Stopped.IsZero() {
			fmt.Fprintf(s.out, " since %s, %.1f hours ago: %s", r.Stopped.Format("2006-01-02 15:04Z"), r.Hours, safe(r.Target.Reason))
		}
		fmt.Fprintf(s.out, "\n%d cases; its content was looked at %d times\n", len(r.Cases), r.Looks)
		rows := [][]string{{"LEFT", "ABOUT", "WHAT", "BY", "WHEN", "RECORD"}}
		for _, part := range []struct {
			what string
			left []review.Left
		}{{"notice", r.Notices}, {"bundle", r.Bundles}, {"export", r.Exports}} {
			for _, l := range part.left {
				rows = append(rows, leftRow(part.what, l))
			}
		}
		if len(rows) == 1 {
			fmt.Fprintln(s.out, "nothing is known to have left")
			return nil
		}
		s.table(rows)
		return nil
	})
}

func leftRow(what string, l review.Left) []string {
	row := []string{what, string(l.Subject), safe(l.What), orDash(l.By), "-", "-"}
	if l.Unsure {
		row[1] = "several accounts, perhaps this one"
	}
	if !l.At.IsZero() {
		row[4], row[5] = l.At.Format("2006-01-02 15:04Z"), strconv.FormatInt(l.Seq, 10)
	}
	return row
}
