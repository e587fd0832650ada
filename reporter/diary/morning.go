package diary

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Morning gathers a Today. It reads views only: what it costs grows with what happened since, never with the log. Posts found gone are
// counted by the hour, so those of the hour in which Since falls are told as a whole.
func Morning(ctx context.Context, log Log, in Inputs) (Today, error) {
	m := morning{ctx: ctx, log: log, in: in, out: Today{At: in.Now.UTC(), Since: in.Since.UTC()}, of: map[evidence.Ordinal][]string{}}
	for _, t := range in.Targets {
		m.of[t.Ordinal] = append(m.of[t.Ordinal], t.ID)
		if t.Account != "" {
			m.of[t.Account] = append(m.of[t.Account], t.ID)
		}
	}
	for _, step := range []func() error{m.happenings, m.gone, m.blind} {
		if err := step(); err != nil {
			return Today{}, fmt.Errorf("gather the morning: %w", err)
		}
	}
	m.out.Retention = append(m.out.Retention, in.Retention...)
	m.targets()
	m.waiting()
	m.notices()
	return m.out, nil
}

type morning struct {
	ctx context.Context
	log Log
	in  Inputs
	out Today
	of  map[evidence.Ordinal][]string // ids of the targets, by target and by account
}

// days calls fn with every day from Since to the newest record's, which is beyond now where a clock was set back.
func (m *morning) days(fn func(day string) error) error {
	size := m.log.Size()
	if size == 0 {
		return nil
	}
	first, err := m.log.Record(m.ctx, 0)
	if err != nil {
		return err
	}
	last, err := m.log.Record(m.ctx, size-1)
	if err != nil {
		return err
	}
	day := m.in.Since.UTC()
	if day.Before(first.At.Time) {
		day = first.At.Time
	}
	for day = day.Truncate(24 * time.Hour); !day.After(last.At.Time); day = day.AddDate(0, 0, 1) {
		if err := fn(day.Format(time.DateOnly)); err != nil {
			return err
		}
	}
	return nil
}

func (m *morning) happenings() error {
	into := map[string]*[]Event{
		HappenedDown: &m.out.Down, HappenedRenamed: &m.out.Renamed, HappenedBack: &m.out.Back, HappenedGap: &m.out.Gaps,
		HappenedAnswered: &m.out.Answers, HappenedDisputed: &m.out.Answers, HappenedLink: &m.out.Candidates, HappenedFinding: &m.out.Candidates,
	}
	teller := NewTeller(m.log)
	return m.days(func(day string) error {
		return m.log.Each(m.ctx, ViewDays, "day/"+day+"/", func(key string, value []byte, _ int64) error {
			var h Happening
			if err := json.Unmarshal(value, &h); err != nil {
				return fmt.Errorf("view %s, key %s: %w", ViewDays, key, err)
			}
			list := into[h.What]
			if list == nil || h.At.Before(m.in.Since) {
				return nil
			}
			e := Event{Seq: h.Seq, At: h.At, Subject: h.Subject, Targets: m.of[h.Subject], What: h.Detail}
			if e.What == "" {
				r, err := m.log.Record(m.ctx, h.Seq)
				if err != nil {
					return err
				}
				told, err := teller.Tell(m.ctx, r)
				if err != nil {
					return err
				}
				e.What = told.Who + " " + told.Sentence
			}
			*list = append(*list, e)
			return nil
		})
	})
}

func (m *morning) gone() error {
	at := map[evidence.Ordinal]int{}
	return m.days(func(day string) error {
		return m.log.Each(m.ctx, ViewDays, "gone/"+day+"/", func(key string, value []byte, _ int64) error {
			var t Tally
			if err := json.Unmarshal(value, &t); err != nil {
				return fmt.Errorf("view %s, key %s: %w", ViewDays, key, err)
			}
			if t.At.Before(m.in.Since) {
				return nil
			}
			i, had := at[t.Account]
			if !had {
				i = len(m.out.Gone)
				at[t.Account] = i
				m.out.Gone = append(m.out.Gone, Gone{Account: t.Account, Targets: m.of[t.Account], How: map[string]int{}})
			}
			g := &m.out.Gone[i]
			g.Latest = t.At
			for how, n := range t.How {
				g.How[how] += n
			}
			return nil
		})
	})
}

// blind lists our accounts that do not observe, and the approved targets of which nothing is seen.
func (m *morning) blind() error {
	sighted := map[string]bool{}
	troubled := map[string]string{}
	for _, s := range m.in.Sources {
		platform, _, _ := strings.Cut(s.Name, "/")
		if s.Well() {
			sighted[platform] = true
			continue
		}
		troubled[platform] = s.Name
		m.out.Blind = append(m.out.Blind, Blind{Source: s.Name, Since: s.Since.UTC(), Why: s.State + because(s.Detail)})
	}
	for _, t := range m.in.Targets {
		if !t.collected(m.in.Now) {
			continue
		}
		v, _, err := m.log.Get(m.ctx, ViewDays, "unseen/"+string(t.Ordinal))
		if err != nil {
			return err
		}
		switch {
		case v != nil:
			var h Happening
			if err := json.Unmarshal(v, &h); err != nil {
				return fmt.Errorf("view %s, target %s: %w", ViewDays, t.Ordinal, err)
			}
			m.out.Blind = append(m.out.Blind, Blind{Target: t.ID, Since: h.At.UTC(), Why: h.Detail + "; nothing of it was recorded since"})
		case !sighted[t.Platform] && troubled[t.Platform] != "":
			m.out.Blind = append(m.out.Blind, Blind{Target: t.ID, Why: "none of our " + t.Platform + " accounts observes, such as " + troubled[t.Platform]})
		case t.Account == "":
			m.out.Blind = append(m.out.Blind, Blind{Target: t.ID, Why: "it is approved, and its address was not resolved to an account yet"})
		}
	}
	return nil
}

func (t Target) collected(now time.Time) bool {
	return t.State == TargetApproved && (t.Until.IsZero() || now.Before(t.Until))
}

func (m *morning) targets() {
	for _, t := range m.in.Targets {
		a := Approval{Target: t.ID, Until: t.Until, Ended: !t.Until.IsZero() && !m.in.Now.Before(t.Until), By: t.ListedBy}
		switch {
		case !t.Stopped.IsZero():
			m.out.Suspended = append(m.out.Suspended, Stopped{t.ID, t.State, t.Stopped.UTC(), m.hours(t.Stopped), Visible(t.Reason)})
		case t.State == TargetApproved && t.Emergency && !a.Ended:
			m.out.Emergencies = append(m.out.Emergencies, a)
		case t.State == TargetListed, t.State == TargetApproved && !t.Until.IsZero() && t.Until.Sub(m.in.Now) <= ApprovalNotice:
			m.out.Approvals = append(m.out.Approvals, a)
		}
	}
	slices.SortStableFunc(m.out.Approvals, func(a, b Approval) int { return a.Until.Compare(b.Until) })
	slices.SortStableFunc(m.out.Suspended, func(a, b Stopped) int { return a.Since.Compare(b.Since) })
}

// waiting orders cases by severity and then by age: the worst and the oldest first.
func (m *morning) waiting() {
	for _, c := range m.in.Cases {
		m.out.Cases = append(m.out.Cases, Waiting{c.Ordinal, c.Target, c.Waits, c.Severity, c.Exhibits, c.Since.UTC(), m.hours(c.Since)})
	}
	slices.SortStableFunc(m.out.Cases, func(a, b Waiting) int {
		if d := rank(b.Severity) - rank(a.Severity); d != 0 {
			return d
		}
		return a.Since.Compare(b.Since)
	})
}

func (m *morning) notices() {
	stopped := map[evidence.Ordinal][]Target{}
	for _, t := range m.in.Targets {
		if !t.Stopped.IsZero() && t.Account != "" {
			stopped[t.Account] = append(stopped[t.Account], t)
		}
	}
	for _, n := range m.in.Notices {
		if n.State == "uncertain" || n.State == "failed" || n.State == "attempted" {
			m.out.Notices = append(m.out.Notices, Trouble{n.Ordinal, n.Platform, n.State, n.Since.UTC(), Visible(n.Reason)})
		}
		if !n.Left || n.Settled {
			continue
		}
		for _, a := range n.Accounts {
			for _, t := range stopped[a] {
				m.out.Corrections = append(m.out.Corrections, Due{n.Ordinal, n.Platform, t.ID, t.Stopped.UTC(), m.hours(t.Stopped), Visible(t.Reason)})
			}
		}
	}
}

// hours is how long ago something was, to a tenth of an hour; 0 where it is not known or lies ahead.
func (m *morning) hours(t time.Time) float64 {
	if t.IsZero() || t.After(m.in.Now) {
		return 0
	}
	return float64(m.in.Now.Sub(t).Round(6*time.Minute)) / float64(time.Hour)
}
