package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors"
)

type planCmd struct{}

func (planCmd) Help() string {
	return "For each target: the mode in which it is observed, the account, the posting rate that was learned, how long a post is expected to wait until it is durable (in the mean, and at worst while the account works), and the share of its account's budget. For each account: what its budgets are used for, and whether they hold the delays that the modes promise. While a daemon runs this is what it does; otherwise what it would do if it were started now. Exit 4 when a budget does not suffice or a target has no account."
}

func (planCmd) Run(s *session) error {
	return s.with("plan", func(c *daemon.Client) error {
		var p daemon.Planned
		if err := c.Call(s, "GET", "/v1/plan", nil, &p); err != nil {
			return err
		}
		if s.json {
			if err := s.printJSON(p); err != nil {
				return err
			}
			return shortOf(p)
		}
		if !p.Running {
			fmt.Fprintln(s.out, "No daemon runs: this is what one would do if it were started now.")
		}
		for _, a := range p.Accounts {
			printPlan(s, a)
		}
		for _, t := range p.Without {
			fmt.Fprintf(s.out, "target %s has no account: add one of its platform, under telegram.accounts or whatsapp.accounts\n", safe(t))
		}
		return shortOf(p)
	})
}

func shortOf(p daemon.Planned) error {
	short := len(p.Without)
	for _, a := range p.Accounts {
		if !a.Fits {
			short++
		}
	}
	if short == 0 {
		return nil
	}
	return exit(exitIncomplete, errors.New("the accounts do not suffice for what the watchlist asks"))
}

func printPlan(s *session, a collectors.Plan) {
	fmt.Fprintf(s.out, "\n%s: %d targets. %s\n", a.Source, len(a.Targets), a.Says)
	rows := [][]string{{"TARGET", "MODE", "POSTS/DAY", "READ EVERY", "EXPECTED", "WORST", "SHARE", ""}}
	for _, t := range a.Targets {
		rows = append(rows, []string{
			t.Target, t.Mode, perDay(t.PerHour), pause(t.Every), pause(t.Expected), pause(t.Worst),
			percent(t.Share), remark(t),
		})
	}
	s.table(rows)
	if len(a.Budgets) == 0 {
		return
	}
	rows = [][]string{{"BUDGET", "PER MINUTE", "PLANNED", "USED", ""}}
	for _, b := range a.Budgets {
		used := "-"
		if b.Over > 0 {
			used = fmt.Sprintf("%d in %s", b.Granted, pause(b.Over))
		}
		rows = append(rows, []string{b.Method, strconv.FormatFloat(b.PerMinute, 'f', 2, 64), percent(b.Share), percent(b.Used), used})
	}
	fmt.Fprintln(s.out)
	s.table(rows)
}

// perDay is a learned rate; a source that learns none gives a negative one.
func perDay(perHour float64) string {
	if perHour < 0 {
		return "-"
	}
	return strconv.FormatFloat(24*perHour, 'f', 1, 64)
}

func remark(t collectors.TargetPlan) string {
	switch {
	case t.Mode != t.Asked:
		return "asked for " + t.Asked + ", which no account has room for"
	case !t.Known:
		return "address not yet looked up"
	case !t.BlindSince.IsZero():
		return "not observed since " + moment(t.BlindSince) + ": " + t.BlindCause
	}
	return ""
}

func pause(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d > 10*time.Second {
		return d.Round(time.Second).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + "%" }
