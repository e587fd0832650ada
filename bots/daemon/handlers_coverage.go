package daemon

import (
	"context"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// CoverageReport is how much of the time targets were observed.
type CoverageReport struct {
	Since   evidence.Time    `json:"since,omitzero"`
	At      evidence.Time    `json:"at"`
	Says    string           `json:"says"` // what counts as observed
	Targets []TargetCoverage `json:"targets"`
	Total   TotalCoverage    `json:"total"`
}

// TotalCoverage adds up. Times are in seconds; a share is absent where nothing was to be observed.
type TotalCoverage struct {
	Expected float64  `json:"expected_s"`
	Observed *float64 `json:"observed_share"`
	Read     *float64 `json:"observed_or_recovered_share"`
}

// TargetCoverage is of one target.
type TargetCoverage struct {
	Target  string           `json:"target"`
	Account evidence.Ordinal `json:"account,omitempty"`
	From    evidence.Time    `json:"from,omitzero"` // its first request
	TotalCoverage
	Gaps []evidence.Missing `json:"gaps"` // that end after Since, by their beginning as recorded
}

func (r *Rooms) coverage(ctx context.Context, c *call, _ none) (any, error) {
	since, err := r.since(c, "since")
	if err != nil {
		return nil, err
	}
	var targets []review.Target
	if id := c.FormValue("target"); id != "" {
		t, _, err := r.desk(c).Target(ctx, id)
		if err != nil {
			return nil, err
		}
		targets = []review.Target{t}
	} else if targets, err = r.desk(c).Targets(ctx); err != nil {
		return nil, err
	}
	out := CoverageReport{Since: evidence.At(since), At: evidence.At(r.Now()), Says: evidence.CoverageRotation, Targets: []TargetCoverage{}}
	var total evidence.Shares
	until, err := r.blindness(ctx)
	if err != nil {
		return nil, err
	}
	for i, t := range targets {
		x, s, err := r.coverageOf(ctx, t, since, until)
		if err != nil {
			return nil, err
		}
		out.Targets = append(out.Targets, x)
		total.Expected, total.Observed, total.Read = total.Expected+s.Expected, total.Observed+s.Observed, total.Read+s.Read
		c.progress("coverage", int64(i+1), int64(len(targets)))
	}
	out.Total = totalOf(total)
	return out, nil
}

func totalOf(s evidence.Shares) TotalCoverage {
	t := TotalCoverage{Expected: s.Expected.Seconds()}
	if s.Expected > 0 {
		o, again := float64(s.Observed)/float64(s.Expected), float64(s.Read)/float64(s.Expected)
		t.Observed, t.Read = &o, &again
	}
	return t
}

func (r *Rooms) coverageOf(ctx context.Context, t review.Target, since time.Time, until blindness) (TargetCoverage, evidence.Shares, error) {
	var x evidence.Coverage
	see := func(rec evidence.Record) error { x.See(rec); return nil }
	out := TargetCoverage{Target: t.ID, Gaps: []evidence.Missing{}}
	if err := r.Vault.About(ctx, t.Ordinal, see); err != nil {
		return out, evidence.Shares{}, err
	}
	if out.Account = x.Account; x.Account != "" {
		if err := r.Vault.About(ctx, x.Account, see); err != nil {
			return out, evidence.Shares{}, err
		}
	}
	out.From = x.From
	now := r.Now()
	var more []evidence.Missing
	if x.Live && config.Collectable(t.Platform) && t.Collectable(now) {
		g, err := until(ctx, t.ID)
		if err != nil {
			return out, evidence.Shares{}, err
		}
		if !g.From.IsZero() && g.From.Before(now) {
			g.Record, g.Subject, g.To = -1, t.Ordinal, evidence.At(now)
			more = append(more, g)
		}
	}
	s := x.Shares(since, now, more...)
	out.TotalCoverage = totalOf(s)
	for _, g := range append(x.Gaps, more...) {
		if g.To.IsZero() || g.To.After(since) {
			out.Gaps = append(out.Gaps, g)
		}
	}
	return out, s, nil
}

// blindness returns the stretch in which a target is not observed at present, of which the log does not know yet; without a beginning
// where there is none.
type blindness func(ctx context.Context, target string) (evidence.Missing, error)

func (r *Rooms) blindness(ctx context.Context) (blindness, error) {
	if r.plans == nil {
		last := r.lastLooks()
		return func(ctx context.Context, target string) (evidence.Missing, error) {
			at, err := last(ctx, target)
			return evidence.Missing{
				From: evidence.At(at), Cause: "not-running", Detail: "no daemon runs; the next one records this gap when it begins",
			}, err
		}, nil
	}
	plans, err := r.plans(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string]evidence.Missing{}
	for _, p := range plans {
		for _, t := range p.Targets {
			if t.BlindSince.IsZero() {
				continue
			}
			of[t.Target] = evidence.Missing{
				From: t.BlindSince, Cause: t.BlindCause, Source: p.Source,
				Detail: "not yet over; a gap is recorded when it is, or when the target is tried again",
			}
		}
	}
	return func(_ context.Context, target string) (evidence.Missing, error) { return of[target], nil }, nil
}

// lastLooks returns a reader of when any of our accounts observed a target last.
func (r *Rooms) lastLooks() func(context.Context, string) (time.Time, error) {
	var looks []func(context.Context, string) (time.Time, error)
	for _, a := range r.Config.Telegram.Accounts {
		look := telegram.Looks(r.Vault, "telegram/"+a.Name)
		looks = append(looks, func(ctx context.Context, target string) (time.Time, error) {
			l, err := look(ctx, target)
			return l.Until, err
		})
	}
	for _, a := range r.Config.WhatsApp.Accounts {
		look := whatsapp.Looks(r.Vault, "whatsapp/"+a.Name)
		looks = append(looks, func(ctx context.Context, target string) (time.Time, error) {
			l, err := look(ctx, target)
			return l.Until, err
		})
	}
	return func(ctx context.Context, target string) (time.Time, error) {
		var last time.Time
		for _, look := range looks {
			until, err := look(ctx, target)
			if err != nil {
				return last, err
			}
			if until.After(last) {
				last = until
			}
		}
		return last, nil
	}
}
