package reporter

import (
	"cmp"
	"context"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// Departure is a notice that left about an account, or may have.
type Departure struct {
	Notice    evidence.Ordinal `json:"notice"`
	Kind      string           `json:"kind"`
	Platform  string           `json:"platform"`
	Route     string           `json:"route"`
	To        []string         `json:"to"`
	MessageID string           `json:"message_id"`
	At        evidence.Time    `json:"at"` // when it was sent, or tried
	Status    string           `json:"status"`
	// Unsure says that nobody knows whether it arrived.
	Unsure      bool               `json:"unsure,omitempty"`
	Accounts    []evidence.Ordinal `json:"accounts"`
	Corrections []evidence.Ordinal `json:"corrections,omitempty"` // the notices that put it right
}

// Left lists every notice that left, or may have, about a target (`t7`) or an account (`a12`), oldest first: for a target, those
// of its cases and those about the account that it leads to.
func (r *Reporter) Left(ctx context.Context, o evidence.Ordinal) ([]Departure, error) {
	match, err := r.about(ctx, o)
	if err != nil {
		return nil, err
	}
	all, err := r.Notices(ctx)
	if err != nil {
		return nil, err
	}
	out := []Departure{}
	for _, n := range all {
		if !n.Left() || !slices.ContainsFunc(n.Cases, match) {
			continue
		}
		d := Departure{
			Notice: n.Ordinal, Kind: cmp.Or(n.NoticeKind, notice.KindPlatformRules), Platform: n.Platform, Route: n.Route, To: n.To,
			MessageID: n.MessageID, At: n.SentAt, Status: n.Status, Unsure: n.SentAt.IsZero(),
		}
		if d.Unsure {
			d.At = n.ChangedAt
		}
		for _, c := range n.Cases {
			d.Accounts = append(d.Accounts, c.Account)
		}
		for _, c := range n.Corrections {
			d.Corrections = append(d.Corrections, c.Correction)
		}
		out = append(out, d)
	}
	return out, nil
}

// about returns what tells the cases of a target or account.
func (r *Reporter) about(ctx context.Context, o evidence.Ordinal) (func(evidence.NoticeCase) bool, error) {
	if o.Space() == evidence.SpaceAccount {
		return func(c evidence.NoticeCase) bool { return c.Account == o.Whole() }, nil
	}
	targets, err := r.desk.Targets(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(targets, func(t review.Target) bool { return t.Ordinal == o })
	if i < 0 {
		return nil, refuse(review.WrongTarget, "%q is neither a target such as t7 nor an account such as a12", string(o))
	}
	cases, err := r.desk.Cases(ctx)
	if err != nil {
		return nil, err
	}
	var its []evidence.Ordinal
	for _, c := range cases {
		if c.Target == targets[i].ID {
			its = append(its, c.Ordinal)
		}
	}
	return func(c evidence.NoticeCase) bool {
		return slices.Contains(its, c.Case) || targets[i].Account != "" && c.Account == targets[i].Account
	}, nil
}
