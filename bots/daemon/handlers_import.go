package daemon

import (
	"context"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/chatexport"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// ImportRequest asks for an export of Telegram or WhatsApp, or a manual capture, to be read; which of them Path is, its content tells.
type ImportRequest struct {
	Person string `json:"person"`
	Target string `json:"target"`
	Path   string `json:"path"` // absolute, as the daemon's user sees it
	// DateOrder is how a WhatsApp export writes dates, where the file does not tell: dmy, mdy or ymd.
	DateOrder string `json:"date_order,omitempty"`
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
	sink := roomed{Sink: r.Vault, space: r.space, strict: true}
	if err := sink.refuses(); err != nil {
		return nil, err
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
			Sink: sink, Target: t.ID, Platform: t.Platform, Address: t.Address, Canonical: canonical, Path: in.Path,
			BoundAccount: bound, Bind: bound == "", Operator: in.Person, Build: r.Build, Media: set.Collect.Media,
			MaxMediaBytes: set.Collect.MaxBytes, Now: r.Now, Log: r.Log,
			Progress: func(p chatexport.Progress) { c.progress(p.Stage, p.Bytes, p.TotalBytes) },
		})
	}
	if t.Platform == config.PlatformWhatsApp {
		names, err := r.titles(ctx, t.Account)
		if err != nil {
			return nil, err
		}
		return chatexport.ImportWhatsApp(ctx, chatexport.WhatsAppOptions{
			Sink: sink, Target: t.ID, Path: in.Path, BoundAccount: bound, Names: names, DateOrder: in.DateOrder,
			Operator: in.Person, Build: r.Build, Media: set.Collect.Media, MaxMediaBytes: set.Collect.MaxBytes,
			Now: r.Now, Log: r.Log,
			Progress: func(p chatexport.Progress) { c.progress(p.Stage, p.Bytes, p.TotalBytes) },
		})
	}
	if chatexport.IsWhatsApp(in.Path) {
		return nil, usagef("%s is a WhatsApp export and target %s is on %s; choose the target that belongs to it", in.Path, t.ID, config.PlatformName(t.Platform))
	}
	if t.Platform != config.PlatformTelegram {
		return nil, usagef("target %s is on %s: what is imported for it is a folder with a capture.json, and %s holds none", t.ID, config.PlatformName(t.Platform), in.Path)
	}
	return chatexport.Import(ctx, chatexport.Options{
		Sink: sink, Target: t.ID, Address: t.Address, Path: in.Path, BoundAccount: bound, Bind: bound == "",
		Operator: in.Person, Build: r.Build, Media: set.Collect.Media, MaxMediaBytes: set.Collect.MaxBytes,
		Now: r.Now, Log: r.Log,
		Progress: func(p chatexport.Progress) { c.progress(p.Stage, p.Bytes, p.TotalBytes) },
	})
}

func canonical(link string) (string, error) {
	a, err := config.ParseAddress(link)
	return a.Canonical, err
}

// titles are the names under which an account was seen.
func (r *Rooms) titles(ctx context.Context, account evidence.Ordinal) ([]string, error) {
	if account == "" {
		return nil, nil
	}
	var out []string
	err := r.Vault.About(ctx, account, func(rec evidence.Record) error {
		if s, err := evidence.Decode[*evidence.AccountSeen](rec); err == nil && !slices.Contains(out, s.Title) {
			out = append(out, s.Title)
		}
		return nil
	})
	return out, err
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
