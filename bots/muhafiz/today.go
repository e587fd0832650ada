package main

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/reporter/diary"
)

type todayCmd struct {
	who
	Since string `help:"Changes from then on: today, yesterday, a date, an instant in UTC, or how long ago, such as 36h or 7d." default:"yesterday" placeholder:"T"`
}

func (todayCmd) Help() string {
	return "Accounts that went down, changed names or came back; targets that are blind, and why; cases that wait, the worst and oldest first; answers; corrections that are due; approvals that end; new candidates. No post is quoted. The look is recorded."
}

func (c todayCmd) Run(s *session) error {
	return s.with("today", func(cl *daemon.Client) error {
		var t diary.Today
		q := url.Values{"person": {c.As}, "since": {c.Since}}
		if err := cl.Call(s, "GET", "/v1/today?"+q.Encode(), nil, &t); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(t)
		}
		p := morningPaper{s: s}
		p.print(t)
		return nil
	})
}

// morningPaper prints a Today. A part in which nothing happened is left out.
type morningPaper struct {
	s     *session
	parts int
}

func (p *morningPaper) print(t diary.Today) {
	fmt.Fprintf(p.s.out, "%s, since %s\n", when(t.At), when(t.Since))
	p.events("ACCOUNTS DOWN", t.Down)
	p.events("ACCOUNTS RENAMED", t.Renamed)
	p.events("ACCOUNTS BACK", t.Back)
	p.part("POSTS GONE", len(t.Gone), func(i int) []string {
		g := t.Gone[i]
		var how []string
		for _, k := range slices.Sorted(maps.Keys(g.How)) {
			how = append(how, strconv.Itoa(g.How[k])+" "+strings.ReplaceAll(k, "_", " "))
		}
		return []string{string(g.Account), orDash(strings.Join(g.Targets, ",")), strings.Join(how, ", "), "latest " + when(g.Latest.Time)}
	})
	p.part("BLIND", len(t.Blind), func(i int) []string {
		b := t.Blind[i]
		return []string{b.Target + b.Source, orDash(when(b.Since)), b.Why}
	})
	p.events("GAPS THAT ARE OVER", t.Gaps)
	p.part("CASES THAT WAIT", len(t.Cases), func(i int) []string {
		k := t.Cases[i]
		return []string{string(k.Case), k.Target, orDash(k.Severity), "for " + k.Waits, hours(k.Hours), strconv.Itoa(k.Exhibits) + " exhibits"}
	})
	p.events("ANSWERS", t.Answers)
	p.part("CORRECTIONS DUE", len(t.Corrections), func(i int) []string {
		d := t.Corrections[i]
		return []string{string(d.Notice), d.Platform, d.Target, "stopped " + hours(d.Hours) + " ago", d.Reason}
	})
	p.part("APPROVALS", len(t.Approvals), func(i int) []string {
		a := t.Approvals[i]
		switch {
		case a.Until.IsZero():
			return []string{a.Target, "waits for a second person; listed by " + a.By}
		case a.Ended:
			return []string{a.Target, "ended " + when(a.Until) + "; nothing is collected"}
		}
		return []string{a.Target, "ends " + when(a.Until)}
	})
	p.part("EMERGENCY STARTS", len(t.Emergencies), func(i int) []string {
		return []string{t.Emergencies[i].Target, "one person alone, until " + when(t.Emergencies[i].Until)}
	})
	p.part("SUSPENDED OR MARKED", len(t.Suspended), func(i int) []string {
		x := t.Suspended[i]
		return []string{x.Target, x.State, hours(x.Hours), x.Reason}
	})
	p.events("NEW CANDIDATES", t.Candidates)
	p.part("NOTICES TO LOOK AFTER", len(t.Notices), func(i int) []string {
		n := t.Notices[i]
		return []string{string(n.Notice), n.Platform, n.State, "since " + when(n.Since), n.Reason}
	})
	p.part("RETENTION", len(t.Retention), func(i int) []string { return []string{t.Retention[i]} })
	if p.parts == 0 {
		fmt.Fprintln(p.s.out, "\nnothing happened and nothing waits")
	}
}

func (p *morningPaper) events(title string, es []diary.Event) {
	p.part(title, len(es), func(i int) []string {
		e := es[i]
		return []string{when(e.At.Time), string(e.Subject), orDash(strings.Join(e.Targets, ",")), e.What, "record " + strconv.FormatInt(e.Seq, 10)}
	})
}

func (p *morningPaper) part(title string, n int, row func(int) []string) {
	if n == 0 {
		return
	}
	p.parts++
	fmt.Fprintf(p.s.out, "\n%s (%d)\n", title, n)
	var rows [][]string
	for i := range n {
		rows = append(rows, append([]string{" "}, row(i)...))
	}
	p.s.table(rows)
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

func hours(h float64) string { return strconv.FormatFloat(h, 'f', 1, 64) + " h" }
