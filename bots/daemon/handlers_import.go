package daemon

import (
	"context"

	"github.com/muhafiz/muhafiz/collectors/chatexport"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// ImportRequest asks for an export or a manual capture to be read; which of them Path is, its content tells.
type ImportRequest struct {
	Person string `json:"person"`
	Target string `json:"target"`
	Path   string `json:"path"` // absolute, as the daemon's user sees it
}

// importFile reads an export of a target's channel, or a manual capture of its account. The same ground and the same second person are asked for as before any
// other collection.
func (r *Rooms) importFile(ctx context.Context, c *call, in ImportRequest) (any, error) {
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
	if chatexport.IsCapture(in.Path) {
		return chatexport.ImportCapture(ctx, chatexport.CaptureOptions{
			Sink: r.Vault, Target: t.ID, Platform: t.Platform, Address: t.Address, Canonical: canonical, Path: in.Path,
			BoundAccount: bound, Bind: bound == "", Operator: in.Person, Build: r.Build, Media: set.Collect.Media,
			MaxMediaBytes: set.Collect.MaxBytes, Now: r.Now, Log: r.Log,
			Progress: func(p chatexport.Progress) { c.progress(p.Stage, p.Bytes, p.TotalBytes) },
		})
	}
	if t.Platform != config.PlatformTelegram {
		return nil, usagef("target %s is on %s: what is imported for it is a folder with a capture.json, and %s holds none", t.ID, config.PlatformName(t.Platform), in.Path)
	}
	return chatexport.Import(ctx, chatexport.Options{
		Sink: r.Vault, Target: t.ID, Address: t.Address, Path: in.Path, BoundAccount: bound, Bind: bound == "",
		Operator: in.Person, Build: r.Build, Media: set.Collect.Media, MaxMediaBytes: set.Collect.MaxBytes,
		Now: r.Now, Log: r.Log,
		Progress: func(p chatexport.Progress) { c.progress(p.Stage, p.Bytes, p.TotalBytes) },
	})
}

func canonical(link string) (string, error) {
	a, err := config.ParseAddress(link)
	return a.Canonical, err
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
