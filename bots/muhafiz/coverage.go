package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

type coverageCmd struct {
	Target string `help:"Only this target, with its gaps."`
	Since  string `help:"Only from then on: a day, a moment, yesterday, 36h, 7d."`
}

func (coverageCmd) Help() string {
	return "For each target: the share of the time in which it was to be observed (approved and not stopped, from the first request on) in which it was; the share if gaps count across which the history was read again; and, with --target, every gap with its cause. " + evidence.CoverageRotation
}

func (c coverageCmd) Run(s *session) error {
	return s.with("coverage", func(cl *daemon.Client) error {
		var r daemon.CoverageReport
		q := url.Values{"target": {c.Target}, "since": {c.Since}}
		if err := cl.Call(s, "GET", "/v1/coverage?"+q.Encode(), nil, &r); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(r)
		}
		rows := [][]string{{"TARGET", "FROM", "OBSERVED", "WITH RECOVERED", "GAPS"}}
		for _, t := range r.Targets {
			rows = append(rows, []string{t.Target, moment(t.From), shareOf(t.Observed), shareOf(t.Read), fmt.Sprint(len(t.Gaps))})
		}
		if len(r.Targets) != 1 {
			rows = append(rows, []string{"all", "", shareOf(r.Total.Observed), shareOf(r.Total.Read), ""})
		}
		s.table(rows)
		if c.Target != "" && len(r.Targets) == 1 && len(r.Targets[0].Gaps) > 0 {
			fmt.Fprintln(s.out)
			s.table(gapRows(r.Targets[0].Gaps))
		}
		fmt.Fprintf(s.out, "\n%s\n", r.Says)
		return nil
	})
}

func gapRows(gaps []evidence.Missing) [][]string {
	rows := [][]string{{"FROM", "TO", "LONG", "CAUSE", "READ AGAIN", "RECORD", ""}}
	for _, g := range gaps {
		record := "-"
		if g.Record >= 0 {
			record = fmt.Sprint(g.Record)
		}
		rows = append(rows, []string{
			moment(g.From), moment(g.To), g.To.Sub(g.From.Time).Round(time.Second).String(), safe(g.Cause), yesNo(g.Recovered), record, safe(g.Detail),
		})
	}
	return rows
}

func moment(t evidence.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func shareOf(p *float64) string {
	if p == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100*min(*p, 1))
}
