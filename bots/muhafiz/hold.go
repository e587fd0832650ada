package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

type holdCmd struct {
	Place   holdPlaceCmd   `cmd:"" help:"Keep a target, a post, a notice, or an account's time from being erased."`
	Release holdReleaseCmd `cmd:"" help:"End a hold. What it held goes by the usual terms."`
	List    holdListCmd    `cmd:"" default:"withargs" help:"List the holds that stand."`
}

type holdPlaceCmd struct {
	who
	Target  string `help:"All of a target: its account, cases and notices." xor:"what" placeholder:"ID"`
	Post    string `help:"A post, such as a12/456." xor:"what" placeholder:"O"`
	Notice  string `help:"A notice, such as n3, with its cases and their exhibits." xor:"what" placeholder:"O"`
	Account string `help:"An account, such as a12, in the time that --from and --to give." xor:"what" placeholder:"O"`
	From    string `help:"What was recorded from then on: 2026-01-31 or 2026-01-31T18:00:00Z." placeholder:"T"`
	To      string `help:"What was recorded until then; a day counts to its end." placeholder:"T"`
	Reason  string `required:"" help:"Why; it is recorded."`
	Basis   string `help:"The order, case number or law that asks for it." placeholder:"TEXT"`
	Until   string `help:"When it ends by itself: a day (its end, UTC) or a moment. Without it, when it is released." placeholder:"T"`
}

func (c holdPlaceCmd) input() (in review.HoldInput, err error) {
	in = review.HoldInput{
		Target: c.Target, Post: evidence.Ordinal(c.Post), Notice: evidence.Ordinal(c.Notice), Account: evidence.Ordinal(c.Account),
		Reason: c.Reason, Basis: c.Basis,
	}
	if (c.From != "" || c.To != "") && c.Account == "" {
		return in, fmt.Errorf("--from and --to go with --account")
	}
	if in.Until, err = parseUntil(c.Until); err != nil {
		return in, err
	}
	if in.To, err = parseUntil(c.To); err != nil {
		return in, fmt.Errorf("--to is a day such as 2026-12-31 or a moment such as 2026-12-31T18:00:00Z, not %q", c.To)
	}
	if c.From == "" {
		return in, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, c.From); err == nil {
			in.From = evidence.At(t)
			return in, nil
		}
	}
	return in, fmt.Errorf("--from is a day such as 2026-12-31 or a moment such as 2026-12-31T18:00:00Z, not %q", c.From)
}

func (c holdPlaceCmd) Run(s *session) error {
	in, err := c.input()
	if err != nil {
		return exit(exitUsage, err)
	}
	return s.with("hold place", func(cl *daemon.Client) error {
		var h review.Hold
		if err := cl.Call(s, "POST", "/v1/holds", daemon.HoldRequest{Person: c.As, HoldInput: in}, &h); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(h)
		}
		fmt.Fprintf(s.out, "hold %d stands on %s, %s: nothing of it is erased, by anybody; it ends with: muhafiz hold release %d\n", h.Seq, h.Subject, untilText(h), h.Seq)
		return nil
	})
}

func untilText(h review.Hold) string {
	if h.Until.IsZero() {
		return "until it is released"
	}
	return "until " + h.Until.Format("2006-01-02 15:04Z")
}

type holdReleaseCmd struct {
	Hold int64 `arg:"" help:"The hold's number."`
	who
	Reason string `required:"" help:"Why; it is recorded."`
}

func (c holdReleaseCmd) Run(s *session) error {
	return s.with("hold release", func(cl *daemon.Client) error {
		var h review.Hold
		if err := cl.Call(s, "POST", "/v1/holds/release", daemon.ReleaseRequest{Person: c.As, Hold: c.Hold, Reason: c.Reason}, &h); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(h)
		}
		fmt.Fprintf(s.out, "hold %d on %s is released; what would go now: muhafiz retain\n", h.Seq, h.Subject)
		return nil
	})
}

type holdListCmd struct {
	All bool `help:"Released and ended ones too."`
}

func (c holdListCmd) Run(s *session) error {
	return s.with("hold list", func(cl *daemon.Client) error {
		path := "/v1/holds"
		if c.All {
			path += "?all=1"
		}
		var hs []review.Hold
		if err := cl.Call(s, "GET", path, nil, &hs); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(hs)
		}
		rows := [][]string{{"HOLD", "ON", "WHAT", "BY", "SINCE", "UNTIL", "BASIS", "REASON"}}
		for _, h := range hs {
			until := untilText(h)
			if !h.Released.IsZero() {
				until = "released " + h.Released.Format("2006-01-02 15:04Z") + " by " + h.Releaser
			}
			rows = append(rows, []string{strconv.FormatInt(h.Seq, 10), string(h.Subject), h.What, h.By, h.At.Format("2006-01-02 15:04Z"), until, orDash(h.Basis), h.Reason})
		}
		s.table(rows)
		return nil
	})
}
