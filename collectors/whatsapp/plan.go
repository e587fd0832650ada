package whatsapp

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
)

// pushTime is how long the platform usually takes to push a post and we to store it.
const pushTime = 5 * time.Second

// Plan computes the plan of the targets that are watched: what the account asks in an hour, and what delay that leaves to each.
// A target's cost is one page of posts each pause of its mode, and a recheck of posts and metadata each RecheckEvery. History that is
// still to be read comes on top of it, and takes turns with the rest.
func (s *Source) Plan(ctx context.Context, sink collectors.Sink) (collectors.Plan, error) {
	targets := s.watched()
	slices.SortFunc(targets, func(a, b collectors.Target) int { return cmp.Compare(a.ID, b.ID) })
	p := collectors.Plan{Source: s.Name(), Targets: make([]collectors.TargetPlan, len(targets)), Fits: true}
	hourly, planned := s.hourly(), 0.0
	for i, t := range targets {
		c, err := cursorOf(ctx, sink, s.Name(), t.ID)
		if err != nil {
			return collectors.Plan{}, err
		}
		mode := t.Mode
		if t.Rotates() {
			mode = collectors.ModeRotation
		}
		every, cost := s.o.PollEvery[mode], s.cost(mode)
		x := collectors.TargetPlan{
			Target: t.ID, Mode: mode, Asked: mode, PerHour: -1, Known: c.Channel != "" && c.Address == t.Address,
			Every: every.Seconds(), Expected: every.Seconds() / 2, Worst: every.Seconds() * 5 / 4,
		}
		if mode == collectors.ModeJoined {
			x.Expected = pushTime.Seconds()
		}
		if hourly > 0 {
			x.Share = cost / hourly
		}
		planned += x.Share
		p.Targets[i] = x
	}
	if hourly > 0 {
		p.Budgets = []collectors.BudgetPlan{s.budget(hourly, planned)}
	}
	p.Fits = planned <= 1
	s.say(&p, planned, hourly)
	return p, nil
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

// cost is what a target of a mode takes in an hour.
func (s *Source) cost(mode string) float64 {
	pages := math.Ceil(float64(s.o.RecheckDepth) / float64(s.o.PageSize))
	return time.Hour.Seconds()/s.o.PollEvery[mode].Seconds() + (pages+1)*time.Hour.Seconds()/s.o.RecheckEvery.Seconds()
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
