package telegram

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
)

// The plan's types are those of every source.
type (
	Plan       = collectors.Plan
	TargetPlan = collectors.TargetPlan
	BudgetPlan = collectors.BudgetPlan
)

// pollsUsually is the pause between polls that the platform usually asks for.
const pollsUsually = 30 * time.Second

// pushTime is how long the platform usually takes to push a small channel's post and we to store it.
const pushTime = time.Second

// Plan computes the plan of the targets that are watched. What was learned of them is taken from the present run, or from the sink where
// none is under way.
func (s *Source) Plan(ctx context.Context, sink collectors.Sink) (Plan, error) {
	targets := s.watched()
	slices.SortFunc(targets, func(a, b collectors.Target) int { return strings.Compare(a.ID, b.ID) })
	cursors, err := s.learned(ctx, sink, targets)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Source: s.Name(), Targets: make([]TargetPlan, len(targets))}
	var rates []float64
	var urgent []bool
	for i, t := range targets {
		c := cursors[i]
		p.Targets[i] = TargetPlan{
			Target: t.ID, Mode: t.Mode, Asked: t.Mode, PerHour: c.Rate.PerHour(),
			Known: c.Channel != 0 && c.AccessHash != 0 && c.Address == t.Address,
		}
		if t.Rotates() {
			rates, urgent = append(rates, c.Rate.PerHour()), append(urgent, t.Urgent)
			p.Targets[i].Mode, p.Targets[i].Asked = collectors.ModeRotation, collectors.ModeRotation
		}
	}
	every, fits := s.o.intervals(rates, urgent)
	p.Fits = fits
	for i, t := range targets {
		if t.Rotates() {
			s.planRotation(&p.Targets[i], every[0], len(every))
			every = every[1:]
		} else {
			s.planPolls(&p.Targets[i], t)
		}
	}
	s.planBlind(&p, cursors)
	s.planBudgets(&p)
	s.say(&p)
	return p, nil
}

// learned returns what is known of each target.
func (s *Source) learned(ctx context.Context, sink collectors.Sink, targets []collectors.Target) ([]cursor, error) {
	s.mu.Lock()
	r := s.now
	s.mu.Unlock()
	known := newKnowledge(s.Name(), s.o.Siblings)
	out := make([]cursor, len(targets))
	for i, t := range targets {
		if r != nil {
			if w := r.watch(t.ID); w != nil {
				out[i] = w.cursor()
				continue
			}
		}
		c, _, err := known.read(ctx, sink, t)
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}

func (s *Source) perSecond(method string) float64 {
	return s.budgets.of[method].PerSecond()
}

// part is what one request each pause is of a budget.
func (s *Source) part(method string, every time.Duration) float64 {
	if rate := s.perSecond(method); rate > 0 {
		return 1 / every.Seconds() / rate
	}
	return 0
}

// planRotation: a post waits for half an interval in the mean, and never longer than the interval and one round of all that could be
// due at the same moment.
func (s *Source) planRotation(p *TargetPlan, every time.Duration, all int) {
	p.Every, p.Expected, p.Worst = every.Seconds(), every.Seconds()/2, every.Seconds()
	if rate := s.perSecond("messages.getHistory"); rate > 0 {
		p.Worst += float64(all) / (rate * rotationShare)
	}
	p.Share = s.part("messages.getHistory", every)
}

func (s *Source) planPolls(p *TargetPlan, t collectors.Target) {
	every, worst := s.o.PollEvery, s.o.PollEvery
	if every == 0 {
		every, worst = pollsUsually, maxTimeout
	}
	expected := every / 2
	if t.Mode == collectors.ModeJoined {
		every, worst, expected = s.o.JoinedEvery, s.o.JoinedEvery, pushTime
	}
	p.Every, p.Expected, p.Worst = every.Seconds(), expected.Seconds(), worst.Seconds()
	p.Share = s.part("updates.getChannelDifference", every)
}

func (s *Source) planBudgets(p *Plan) {
	share := map[string]float64{}
	for _, t := range p.Targets {
		if t.Mode == collectors.ModeRotation {
			share["messages.getHistory"] += t.Share
		} else {
			share["updates.getChannelDifference"] += t.Share
		}
	}
	for method, b := range s.budgets.of {
		u := b.Used()
		p.Budgets = append(p.Budgets, BudgetPlan{
			Method: method, PerMinute: b.PerSecond() * 60, Share: share[method],
			Used: u.Share, Granted: u.Granted, Over: u.Over.Seconds(),
		})
	}
	slices.SortFunc(p.Budgets, func(a, b BudgetPlan) int { return strings.Compare(a.Method, b.Method) })
}

// say puts into words whether the budget holds the promised delays.
func (s *Source) say(p *Plan) {
	unknown, blind, slowest, polls := 0, 0, 0.0, 0.0
	for _, t := range p.Targets {
		if !t.BlindSince.IsZero() {
			blind++
		}
		if !t.Known {
			unknown++
		}
		if t.Mode == collectors.ModeRotation {
			slowest = max(slowest, t.Every)
		} else {
			polls += t.Share
		}
	}
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)).Round(time.Second) }
	switch {
	case len(p.Targets) == 0:
		p.Says = "The account observes no target."
	case polls > 1:
		p.Fits = false
		p.Says = "The budget of polls does not hold what the polled and joined targets need: give fewer of them those modes, or add an account."
	case !p.Fits:
		p.Says = fmt.Sprintf("The budget does not hold the promised delays: some targets are read only every %s instead of every %s. Add an account, or remove targets.",
			seconds(slowest), s.o.RotateMax)
	default:
		p.Says = "The budget holds the promised delays."
	}
	if blind > 0 {
		p.Says += fmt.Sprintf(" %d targets are not observed at present.", blind)
	}
	rate := s.perSecond("contacts.resolveUsername")
	if unknown == 0 || rate == 0 {
		return
	}
	wait := float64(unknown) / rate
	p.Says += fmt.Sprintf(" %d addresses are yet to be looked up, which takes the account up to %s.", unknown, seconds(wait).Round(time.Minute))
}

// HeldUntil returns until when the platform holds up what this account needs to see news, the zero time where it does not.
func (s *Source) HeldUntil() time.Time {
	s.mu.Lock()
	r := s.now
	s.mu.Unlock()
	if r == nil {
		return time.Time{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return later(r.floods["messages.getHistory"], r.floods["updates.getChannelDifference"])
}

// Home returns which of several sources observed a target last, by their cursors; empty where none did.
func Home(ctx context.Context, sink collectors.Sink, sources []string, t collectors.Target) (string, error) {
	if len(sources) == 0 {
		return "", nil
	}
	k, home, best := newKnowledge(sources[0], sources[1:]), "", time.Time{}
	for _, source := range k.sources {
		c, err := k.one(ctx, sink, source, t)
		if err != nil {
			return "", err
		}
		if c.Channel != 0 && (home == "" || c.Observed.After(best)) {
			home, best = source, c.Observed
		}
	}
	return home, nil
}
