package review

import (
	"context"
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Redress is what is known to have left of a target, so that it can be put right.
type Redress struct {
	Target   Target             `json:"target"`
	Accounts []evidence.Ordinal `json:"accounts"`         // that its address ever resolved to
	Stopped  evidence.Time      `json:"stopped,omitzero"` // when it was suspended or marked
	Hours    float64            `json:"hours"`            // since then
	Cases    []Case             `json:"cases"`
	Notices  []Left             `json:"notices"` // by notice; What is how far it came
	Bundles  []Left             `json:"bundles"`
	Exports  []Left             `json:"exports"`
	Looks    int                `json:"looks"` // at the content of its posts and cases; for whom, ask the log
}

// Left is one thing that left, or may have.
type Left struct {
	Seq     int64            `json:"seq,omitempty"` // its record
	At      evidence.Time    `json:"at,omitzero"`
	Subject evidence.Ordinal `json:"subject"`
	By      string           `json:"by,omitempty"` // a person's id
	What    string           `json:"what"`
	// Unsure says that the record is about several accounts at once and does not tell whether this one was among them.
	Unsure bool `json:"unsure,omitempty"`
}

// Redress lists what left of a target: notices, bundles and exports, with who took them. The look is recorded. It names what the
// log knows: a copy of a bundle that somebody passed on is not in it.
func (d *Desk) Redress(ctx context.Context, person, target string) (Redress, error) {
	var out Redress
	_, t, err := d.personAndTarget(ctx, person, target)
	if err != nil {
		return out, err
	}
	if err := d.access(ctx, person, look{evidence.Target(t.ID), "redress", ""}); err != nil {
		return out, err
	}
	out.Target = t
	if t.Stop != nil {
		out.Stopped = t.Stop.At
		out.Hours = max(0, d.now().Sub(t.Stop.At.Time).Hours())
	}
	if out.Accounts, err = d.accountsOf(ctx, t); err != nil {
		return out, err
	}
	all, err := d.CasesInSight(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range all {
		if c.Target != t.ID && !slices.Contains(out.Accounts, c.Account) {
			continue
		}
		out.Cases = append(out.Cases, c)
		if c.Notice != "" && !slices.ContainsFunc(out.Notices, func(l Left) bool { return l.Subject == c.Notice }) {
			out.Notices = append(out.Notices, Left{Subject: c.Notice, What: c.Delivery})
		}
	}
	return out, d.taken(ctx, &out)
}

// AccountsOf lists every account that a target's address ever resolved to.
func (d *Desk) AccountsOf(ctx context.Context, t Target) ([]evidence.Ordinal, error) {
	return d.accountsOf(ctx, t)
}

// accountsOf lists every account that a target's address resolved to.
func (d *Desk) accountsOf(ctx context.Context, t Target) ([]evidence.Ordinal, error) {
	var out []evidence.Ordinal
	err := d.Log.About(ctx, t.Ordinal, func(r evidence.Record) error {
		b, err := evidence.Decode[*evidence.TargetBound](r)
		if err == nil && b.Account.Ordinal != "" && !slices.Contains(out, b.Account.Ordinal) {
			out = append(out, b.Account.Ordinal)
		}
		return nil
	})
	return out, wrap("read target", err)
}

// taken finds the bundles, exports and looks: about the accounts, their posts and cases, and about the whole vault. It reads the
// records that say so and no others: an account may have a million posts.
func (d *Desk) taken(ctx context.Context, out *Redress) error {
	subjects := append([]evidence.Ordinal{"v0", out.Target.Ordinal}, out.Accounts...)
	for _, c := range out.Cases {
		subjects = append(subjects, c.Ordinal)
	}
	for _, o := range subjects {
		if err := d.takenOf(ctx, o, func(r evidence.Record) error { return d.note(ctx, r, out) }); err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) note(ctx context.Context, r evidence.Record, out *Redress) error {
	l := Left{Seq: r.Seq, At: r.At, Subject: r.Subject, Unsure: r.Subject == "v0"}
	b, err := evidence.DecodeBody(r)
	switch b := b.(type) {
	case *evidence.BundleBuilt:
		l.What = strings.TrimSpace(b.Edition + " bundle " + b.Name + " " + b.Recipient)
	case *evidence.Access:
		if b.What == lookAtPost || b.What == lookAtCase {
			out.Looks++
		}
		if b.What != lookExport {
			return nil
		}
		l.What = strings.TrimSpace("export " + b.Note)
	default:
		if err == nil || r.Kind != evidence.KindBundleBuilt {
			return nil
		}
		l.What = "bundle, its record erased"
	}
	if n, err := d.Log.Name(ctx, r.Actor); err == nil {
		l.By = n.Key
	}
	if r.Kind == evidence.KindBundleBuilt {
		out.Bundles = append(out.Bundles, l)
	} else {
		out.Exports = append(out.Exports, l)
	}
	return nil
}
