package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/retention"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// allHolds gathers what people hold, and what work holds by itself.
func (r *Rooms) allHolds(ctx context.Context, targets []review.Target) ([]retention.Hold, error) {
	h := holding{r: r, ctx: ctx, targets: targets}
	for _, step := range []func() error{h.cases, h.notices, h.bundles, h.quarantined, h.placed} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("gather holds: %w", err)
		}
	}
	return h.out, nil
}

type holding struct {
	r       *Rooms
	ctx     context.Context
	targets []review.Target
	cs      map[evidence.Ordinal]review.Case
	ns      []notice.State
	out     []retention.Hold
}

func (h *holding) add(x retention.Hold) { h.out = append(h.out, x) }

// exhibits holds the posts of a case, with the acts about it.
func (h *holding) exhibits(c review.Case, why string, until time.Time) {
	h.add(retention.Hold{Why: why, Until: until, Subject: c.Ordinal})
	if c.Decision == nil {
		return
	}
	for _, e := range c.Decision.Exhibits {
		h.add(retention.Hold{Why: why, Until: until, Post: e.Post})
	}
}

func (h *holding) cases() error {
	all, err := h.r.Desk.Cases(h.ctx)
	h.cs = map[evidence.Ordinal]review.Case{}
	term := h.r.Config.Retention.Holds.Case.Duration()
	for _, c := range all {
		h.cs[c.Ordinal] = c
		switch c.Status {
		case review.CaseOpen, review.CaseDecided, review.CaseRejected, review.CaseApproved:
			since := c.OpenedAt
			if c.Decision != nil {
				since = c.Decision.At
			}
			h.exhibits(c, "case "+string(c.Ordinal)+" is "+c.Status, since.Add(term))
		}
	}
	return err
}

func (h *holding) notices() error {
	t := h.r.Config.Retention.Holds
	var err error
	if h.ns, err = h.r.noticeStates(h.ctx); err != nil {
		return err
	}
	for _, n := range h.ns {
		why, until := "notice "+string(n.Ordinal)+" is "+n.Status, n.ChangedAt.Add(t.Notice.Duration())
		switch {
		case n.Status == notice.Withdrawn:
			continue
		case n.Status == notice.Answered, n.Status == notice.Corrected:
			until = n.ChangedAt.Add(t.Answer.Duration())
		}
		if len(n.Disputes) > 0 {
			if d := n.Disputes[len(n.Disputes)-1].At.Add(t.Dispute.Duration()); d.After(until) || n.Status == notice.Disputed {
				why, until = "notice "+string(n.Ordinal)+" is disputed", d
			}
		}
		h.notice(n, why, until)
	}
	return nil
}

func (h *holding) notice(n notice.State, why string, until time.Time) {
	h.add(retention.Hold{Why: why, Until: until, Subject: n.Ordinal})
	for _, nc := range n.Cases {
		if c, ok := h.cs[nc.Case]; ok {
			h.exhibits(c, why, until)
		}
	}
}

// noticeStates reads every notice, also where the configuration has no reporter any more.
func (r *Rooms) noticeStates(ctx context.Context) (out []notice.State, err error) {
	err = r.Vault.Each(ctx, notice.ViewNotices, string(rune(evidence.SpaceNotice)), func(_ string, value []byte, _ int64) error {
		var n notice.State
		err := json.Unmarshal(value, &n)
		out = append(out, n)
		return err
	})
	return out, err
}

// bundles holds what bundles were built of, so that whoever attacks one can be answered.
func (h *holding) bundles() error {
	return h.r.Vault.Each(h.ctx, viewBundles, "", func(_ string, value []byte, _ int64) error {
		b, err := decodeBundleEntry(value)
		if err != nil {
			return err
		}
		why, until := fmt.Sprintf("bundle %s (record %d)", b.Name, b.Seq), b.At.Add(h.r.Config.Retention.Holds.Bundle.Duration())
		switch {
		case b.Subject.Space() == evidence.SpaceAccount && len(b.Posts) == 0:
			h.add(retention.Hold{Why: why, Until: until, Account: b.Subject.Whole(), Below: b.Seq})
		case b.Subject.Space() == evidence.SpaceCase:
			h.exhibits(h.cs[b.Subject], why, until)
		}
		for _, p := range b.Posts {
			h.add(retention.Hold{Why: why, Until: until, Post: p})
		}
		return nil
	})
}

// quarantined keeps what the law says is to be preserved.
func (h *holding) quarantined() error {
	if h.r.Config.Quarantine.Law != config.QuarantineKeep {
		return nil
	}
	all, err := h.r.Desk.Quarantines(h.ctx)
	for _, q := range all {
		h.add(retention.Hold{Why: "quarantine, and the law says keep", Post: q.Post})
	}
	return err
}

func (h *holding) placed() error {
	all, err := h.r.Desk.AllHolds(h.ctx, false)
	for _, x := range all {
		why := fmt.Sprintf("hold %d by %s: %s", x.Seq, x.By, x.Reason)
		switch {
		case x.Subject.Space() == evidence.SpaceTarget:
			if err := h.target(x, why); err != nil {
				return err
			}
		case x.Subject.Space() == evidence.SpaceNotice:
			for _, n := range h.ns {
				if n.Ordinal == x.Subject {
					h.notice(n, why, x.Until.Time)
				}
			}
		case x.Subject.Part() != "":
			h.add(retention.Hold{Why: why, Until: x.Until.Time, Post: x.Subject})
		default:
			q := retention.Hold{Why: why, Until: x.Until.Time, Account: x.Subject}
			if x.Query != nil {
				q.From, q.To = x.Query.From.Time, x.Query.To.Time
			}
			h.add(q)
		}
	}
	return err
}

// target holds all of a target's accounts, its cases and their notices.
func (h *holding) target(x review.Hold, why string) error {
	until := x.Until.Time
	h.add(retention.Hold{Why: why, Until: until, Subject: x.Subject})
	for _, t := range h.targets {
		if t.Ordinal != x.Subject || t.Account == "" {
			continue
		}
		accounts, err := h.r.Desk.AccountsOf(h.ctx, t)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			h.add(retention.Hold{Why: why, Until: until, Account: a})
		}
		h.add(retention.Hold{Why: why, Until: until, Account: t.Account})
		for _, c := range h.cs {
			if c.Account != t.Account {
				continue
			}
			h.add(retention.Hold{Why: why, Until: until, Subject: c.Ordinal})
			if c.Notice != "" {
				h.add(retention.Hold{Why: why, Until: until, Subject: c.Notice})
			}
		}
	}
	return nil
}
