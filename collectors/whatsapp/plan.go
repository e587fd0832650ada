package whatsapp

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// pushTime is how long the platform usually takes to push a post and we to store it.
const pushTime = 5 * time.Second

// Plan computes the plan of the targets that are watched: what the account asks in an hour, and what delay that leaves to each.
// A target's cost is one page of posts each pause, which in rotation depends on how often it posts, a recheck of posts and metadata each
// RecheckEvery, and where it is followed the request for its counters. History that is still to be read comes on top of it, and takes
// turns with the rest.
func (s *Source) Plan(ctx context.Context, sink collectors.Sink) (collectors.Plan, error) {
	targets := s.watched()
	slices.SortFunc(targets, func(a, b collectors.Target) int { return cmp.Compare(a.ID, b.ID) })
	p := collectors.Plan{Source: s.Name(), Targets: make([]collectors.TargetPlan, len(targets)), Fits: true}
	cursors, every, err := s.standing(ctx, sink, targets)
	if err != nil {
		return collectors.Plan{}, err
	}
	hourly, planned := s.hourly(), 0.0
	for i, t := range targets {
		c, pause := cursors[i], every[i]
		mode := t.Mode
		if t.Rotates() {
			mode = collectors.ModeRotation
		}
		x := collectors.TargetPlan{
			Target: t.ID, Mode: mode, Asked: mode, PerHour: c.Rate.PerHour(), Known: c.Channel != "" && c.Address == t.Address,
			Every: pause.Seconds(), Expected: pause.Seconds() / 2, Worst: pause.Seconds() * 5 / 4,
		}
		if mode == collectors.ModeJoined {
			x.Expected = pushTime.Seconds()
		}
		if hourly > 0 {
			x.Share = s.cost(mode, pause) / hourly
		}
		planned += x.Share
		if since := s.unseen(c, pause); !since.IsZero() {
			x.BlindSince, x.BlindCause = evidence.At(since), "outage"
		}
		p.Targets[i] = x
	}
	if hourly > 0 {
		p.Budgets = []collectors.BudgetPlan{s.budget(hourly, planned)}
	}
	p.Fits = planned <= 1
	s.say(&p, planned, hourly)
	return p, nil
}

// unseen returns since when a target of a source at work has not been observed, where that is longer than its pause and what a cursor may
// lag behind explain.
func (s *Source) unseen(c cursor, pause time.Duration) time.Time {
	s.mu.Lock()
	atWork := s.now != nil || s.failed
	s.mu.Unlock()
	if !atWork || c.Channel == "" || c.Stopped != "" || c.Observed.IsZero() || s.o.Now().Sub(c.Observed) <= s.o.GapAfter+pause*5/4+s.o.FoldEvery {
		return time.Time{}
	}
	return c.Observed
}

// hourly is how many queries the account makes in an hour at most; 0 where there is no bound.
func (s *Source) hourly() float64 {
	most := math.Inf(1)
	if s.o.QueriesAnHour > 0 {
		most = float64(s.o.QueriesAnHour)
	}
	if s.o.QueryPace > 0 {
		most = min(most, time.Hour.Seconds()/s.o.QueryPace.Seconds())
	}
	if math.IsInf(most, 1) {
		return 0
	}
	return most
}

// standing reads what is known of the targets, and shares the reads in rotation out over them.
func (s *Source) standing(ctx context.Context, sink collectors.Sink, targets []collectors.Target) ([]cursor, []time.Duration, error) {
	cursors, every := make([]cursor, len(targets)), make([]time.Duration, len(targets))
	habits := map[string]habit{}
	for i, t := range targets {
		var err error
		if cursors[i], err = cursorOf(ctx, sink, s.Name(), t.ID); err != nil {
			return nil, nil, err
		}
		if t.Rotates() {
			habits[t.ID] = habit{cursors[i].Rate, t.Urgent}
		}
	}
	pauses := s.o.pauses(habits)
	for i, t := range targets {
		if every[i] = s.o.PollEvery[t.Mode]; t.Rotates() {
			every[i] = pauses[t.ID]
		}
	}
	return cursors, every, nil
}

// cost is what a target of a mode takes in an hour.
func (s *Source) cost(mode string, every time.Duration) float64 {
	pages := math.Ceil(float64(s.o.RecheckDepth) / float64(s.o.PageSize))
	queries := time.Hour.Seconds()/every.Seconds() + (pages+1)*time.Hour.Seconds()/s.o.RecheckEvery.Seconds()
	if mode == collectors.ModeJoined {
		queries += time.Hour.Seconds() / (usualLive * 3 / 4).Seconds()
	}
	return queries
}

func (s *Source) budget(hourly, planned float64) collectors.BudgetPlan {
	b := collectors.BudgetPlan{Method: "queries", PerMinute: hourly / 60, Share: planned, Over: time.Hour.Seconds()}
	s.mu.Lock()
	r := s.now
	s.mu.Unlock()
	if r != nil {
		r.mu.Lock()
		b.Granted, b.Over = int64(r.asked), min(b.Over, max(0, r.o.Now().Sub(r.hour).Seconds()))
		r.mu.Unlock()
		b.Used = float64(b.Granted) / hourly
	}
	return b
}

// say puts into words whether the budget holds, and stretches the delays where it does not.
func (s *Source) say(p *collectors.Plan, planned, hourly float64) {
	switch {
	case len(p.Targets) == 0:
		p.Says = "The account observes no target."
	case p.Fits:
		p.Says = "The budget holds the promised delays."
	default:
		for i := range p.Targets {
			t := &p.Targets[i]
			t.Every, t.Expected, t.Worst = t.Every*planned, t.Expected*planned, t.Worst*planned
		}
		p.Says = fmt.Sprintf("The budget of %.0f queries an hour does not hold the promised delays: everything takes %.1f times as long. Add an account, poll fewer targets, or remove some.", hourly, planned)
	}
}
