package daemon

import (
	"context"

	"github.com/muhafiz/muhafiz/collectors/chatexport"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// ImportRequest asks for an export to be read.
type ImportRequest struct {
	Person string `json:"person"`
	Target string `json:"target"`
	Path   string `json:"path"` // absolute, as the daemon's user sees it
}

// importExport reads an export of a target's channel. The same ground and the same second person are asked for as before any
// other collection.
func (r *Rooms) importExport(ctx context.Context, c *call, in ImportRequest) (any, error) {
	if _, err := r.person(ctx, in.Person); err != nil {
		return nil, err
	}
	t, _, err := r.desk(c).Target(ctx, in.Target)
	if err != nil {
		return nil, err
	}
	if !t.Collectable(r.Now()) {
		return nil, &review.Refusal{Code: review.NotApprovedTarget, Sentence: "target " + t.ID + " is " + t.State + ": nothing is collected or imported before a second person has approved it (muhafiz watch approve " + t.ID + ")"}
	}
	rec, err := r.Vault.Record(ctx, t.Set.Seq)
	if err != nil {
		return nil, err
	}
	set, err := evidence.Decode[*evidence.TargetSet](rec)
	if err != nil {
		return nil, err
	}
	bound, err := r.platformID(ctx, t.Account)
	if err != nil {
		return nil, err
	}
	return chatexport.Import(ctx, chatexport.Options{
		Sink: r.Vault, Target: t.ID, Address: t.Address, Path: in.Path, BoundAccount: bound, Bind: bound == "",
		Operator: in.Person, Build: r.Build, Media: set.Collect.Media, MaxMediaBytes: set.Collect.MaxBytes,
		Now: r.Now, Log: r.Log,
		Progress: func(p chatexport.Progress) { c.progress(p.Stage, p.Bytes, p.TotalBytes) },
	})
}

// platformID is the platform's own id of an account, empty where the target has none yet.
func (r *Rooms) platformID(ctx context.Context, account evidence.Ordinal) (string, error) {
	if account == "" {
		return "", nil
	}
	id := ""
	err := r.Vault.About(ctx, account, func(rec evidence.Record) error {
		if b, err := evidence.Decode[*evidence.AccountBound](rec); err == nil {
			id = b.ID
		}
		return nil
	})
	return id, err
}
