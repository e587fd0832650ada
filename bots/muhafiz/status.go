package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
)

type statusCmd struct{}

func (statusCmd) Run(s *session) error {
	return s.with("status", func(c *daemon.Client) error {
		var st daemon.Status
		if err := c.Call(s, "GET", "/v1/status", nil, &st); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(st)
		}
		state := "no daemon runs"
		if st.Running {
			state = "a daemon runs"
		}
		fmt.Fprintf(s.out, "vault %s: %d records; %s\n", st.Vault, st.Records, state)
		if st.Checkpoint != nil {
			fmt.Fprintf(s.out, "newest checkpoint: %d records, %s; newest outside anchor: %s\n", st.Checkpoint.Size, st.Checkpoint.At.Format("2006-01-02 15:04:05Z"), anchorText(st.Anchor))
		}
		fmt.Fprintf(s.out, "put right: %d listings found wrong, %d notices corrected%s\n", st.Redress.Wrong, st.Redress.Corrected, within(st.Redress.MedianHours))
		sealed := "bodies are NOT sealed at rest (vault_key)"
		if st.Sealed {
			sealed = "bodies are sealed at rest"
		}
		fmt.Fprintf(s.out, "%s; %s\n", sealed, retentionText(st.Retention))
		fmt.Fprintln(s.out, scrubText(st.Scrub))
		fmt.Fprintln(s.out, st.Space.Line())
		if len(st.Sources) > 0 {
			fmt.Fprintln(s.out)
			s.table(sourceRows(st.Sources))
		}
		if len(st.Alerts) > 0 {
			fmt.Fprintln(s.out)
			s.table(alertRows(st.Alerts))
		}
		rows := [][]string{{"TARGET", "STATE", "ACCOUNT", "VERSIONS", "GONE", "FILES", "MISSED", "GAPS", "REPORT"}}
		n := func(v int64) string { return strconv.FormatInt(v, 10) }
		for _, t := range st.Targets {
			rows = append(rows, []string{t.ID, standing(t.TargetView, time.Now()), orDash(string(t.Account)), n(t.Versions), n(t.Gone), n(t.Files), n(t.Missed), n(t.Gaps), yesNo(t.Report)})
		}
		fmt.Fprintln(s.out)
		s.table(rows)
		for _, w := range st.Warnings {
			fmt.Fprintln(s.out, "\nwarning:", safe(w))
		}
		return nil
	})
}

// within says how long corrections took, where one has left.
func within(hours *float64) string {
	if hours == nil {
		return ""
	}
	return fmt.Sprintf(" (median %.1f hours from the stop to the correction's leaving)", *hours)
}

// retentionText says where retention, holds, erasures and quarantine stand.
func retentionText(t daemon.RetentionStatus) string {
	out := "retention never ran"
	if t.Last != nil {
		out = fmt.Sprintf("retention ran %s: %d erased, %d due and held", t.Last.At.Format("2006-01-02 15:04Z"), t.Last.Run.Erased, t.Last.Run.Held)
	}
	out += fmt.Sprintf("; %d holds; %d wrong listings erased by two people (%d records)", t.Holds, t.Erasures, t.Erased)
	if t.Proposed > 0 {
		out += fmt.Sprintf(", %d wait for a second", t.Proposed)
	}
	return out + fmt.Sprintf("; %d posts in quarantine", t.Quarantined)
}
