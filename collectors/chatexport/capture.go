package chatexport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// MethodManual is Acquisition.Method of a manual capture.
const MethodManual = "manual capture"

// captureFile names what a capture's folder holds beside the files.
const captureFile = "capture.json"

// CaptureOptions say which capture to import, for whom and into what. Sink, Target, Platform, Address, Canonical and Path are
// needed.
type CaptureOptions struct {
	Sink     collectors.Sink
	Target   string // the configured id; a target.set must have bound it where Bind is true
	Platform string // x, facebook, instagram or telegram
	Address  string // the target's normalised address, such as https://x.com/name
	// Canonical gives the normalised address of the account that a link names, or why it names none.
	Canonical func(link string) (string, error)
	Path      string // capture.json, or the folder that holds it

	BoundAccount string // the identity that the target is known to have; empty: none yet
	Bind         bool   // writes the target.bound record

	Actor    evidence.Name // zero: the source `capture/PLATFORM`, bound by a collector record
	Operator string        // who ran the import; who made the capture is the capture's own claim
	Build    string

	Media         []string // kinds of the posts' own media to keep; nil: all. Screenshots and pages are always kept
	MaxMediaBytes int64    // of one file; 0: 4 GiB

	Now      func() time.Time // nil: time.Now
	Log      zerolog.Logger
	Progress func(Progress)
}

// CaptureReport accounts for every post and file of a capture: Messages = Posts + Unchanged.
type CaptureReport struct {
	Report
	Platform   string
	CapturedAt evidence.Time
	CapturedBy string
	Tool       string
}

// IsCapture reports whether a path is a capture: capture.json, or a folder that holds one.
func IsCapture(name string) bool {
	if filepath.Base(name) == captureFile {
		return true
	}
	_, err := os.Lstat(filepath.Join(name, captureFile))
	return err == nil
}

// ImportCapture reads a manual capture into o.Sink. A capture that is malformed, names another account or leads out of its folder
// is ErrRefused, before anything of it is kept; a file that is not there is in the report and in the log.
func ImportCapture(ctx context.Context, o CaptureOptions) (CaptureReport, error) {
	rep := CaptureReport{Report: Report{Reasons: map[string]int{}, MediaMissed: map[string]int{}, File: captureFile}}
	if o.Sink == nil || o.Target == "" || o.Canonical == nil || o.Address == "" {
		return rep, errors.New("import of a capture needs a sink, a target, its address and a way to compare addresses")
	}
	im := &importer{rep: &rep.Report, done: true, o: Options{
		Sink: o.Sink, Target: o.Target, Address: o.Address, Bind: o.Bind, Actor: o.Actor, Operator: o.Operator, Build: o.Build,
		Media: o.Media, MaxMediaBytes: o.MaxMediaBytes, Now: o.Now, Log: o.Log, Progress: o.Progress,
	}.withDefaults()}
	root, raw, err := openCapture(o.Path)
	if err != nil {
		return rep, err
	}
	defer root.Close()
	start := im.o.Now()
	c, err := readCapture(raw)
	if err == nil {
		err = c.check(o, start)
	}
	if err == nil {
		err = c.checkFiles(root)
	}
	if err != nil {
		return rep, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	rep.Platform, rep.CapturedAt, rep.CapturedBy, rep.Tool = c.platform, c.at, c.by, c.tool
	rep.Name, rep.Account = c.name, c.id
	if err := im.beginCapture(ctx, c, raw, start); err != nil {
		return rep, err
	}
	media := o.Media
	if media == nil {
		media = AllMedia()
	}
	k := &keeper{root: root, sink: o.Sink, kinds: append([]string{kindShown}, media...), limit: im.o.MaxMediaBytes, plain: true}
	for i := 0; i < len(c.posts); i += pagePosts {
		p := page{end: int64(len(raw))}
		for _, post := range c.posts[i:min(i+pagePosts, len(c.posts))] {
			p.entries = append(p.entries, post.entry(c))
		}
		if err := im.put(ctx, p, k); err != nil {
			return rep, err
		}
	}
	o.Log.Info().Str("target", o.Target).Int("posts", rep.Messages).Int("new", rep.Posts).Msg("capture imported")
	return rep, nil
}

// pagePosts is how many posts of a capture go into one batch.
const pagePosts = 100

// beginCapture keeps the capture's bytes and prepares the drafts that stand before all others.
func (im *importer) beginCapture(ctx context.Context, c *capture, raw []byte, start time.Time) error {
	im.rep.Bytes = int64(len(raw))
	d, _, err := im.o.Sink.Keep(ctx, strings.NewReader(string(raw)), maxCapture)
	if err != nil {
		return fmt.Errorf("keep capture: %w", err)
	}
	im.rep.SHA256, im.acq = d, evidence.NewAcq(start)
	im.rep.ID = evidence.ID{Acq: im.acq}
	im.account = c.accountName()
	im.observed = evidence.Span{From: c.at, To: c.at}
	im.source = &evidence.Collector{Key: "capture/" + c.platform, Platform: c.platform, State: "starting", Detail: MethodManual}
	if err := im.bindActor(ctx); err != nil {
		return err
	}
	request, err := json.Marshal(map[string]string{
		"target": im.o.Target, "platform": c.platform, "account": c.account, "account_id": c.accountID,
		"captured_at": c.at.Format(time.RFC3339), "captured_by": c.by, "tool": c.tool,
	})
	if err != nil {
		return fmt.Errorf("capture request: %w", err)
	}
	im.head = []evidence.Draft{{Subject: im.account, Accompany: true, Body: &evidence.Acquisition{
		Method: MethodManual, Request: request, Reply: evidence.Object{SHA256: d, Size: im.rep.Bytes}, Vantage: c.by,
		Observed: span(start, im.o.Now()), Build: im.o.Build, File: captureFile, Operator: im.o.Operator,
	}}}
	if im.o.Bind {
		im.head = append(im.head, evidence.Draft{Subject: evidence.Target(im.o.Target), Body: &evidence.TargetBound{
			Account: evidence.Ref{Name: im.account}, Address: im.o.Address, Acquisition: im.rep.ID,
		}})
	}
	if c.shows != nil {
		im.head = append(im.head, evidence.Draft{Subject: im.account, Body: c.shows.account(c, im.rep.ID, im.observed)})
	}
	for i := range im.head {
		im.head[i].ID = evidence.ID{Acq: im.acq, N: uint32(i)}
		im.head[i].Actor = im.actor
	}
	im.n = uint32(len(im.head))
	return nil
}

// accountName is the account's name in the log. A Telegram channel has the same one whoever observes it.
func (c *capture) accountName() evidence.Name {
	if c.platform == platform {
		return evidence.Account(platform, "channel", c.id)
	}
	return evidence.Account(c.platform, "account", c.id)
}

// kindShown is the kind of files that show a post and are no part of it: no target leaves them out.
const kindShown = "shown"

// entry is the post as a record. Screenshots and saved pages stand beside the post, not in it: a further capture with another
// screenshot is the same version of the post.
func (p capturedPost) entry(c *capture) entry {
	e := entry{part: p.part, body: &evidence.PostSeen{
		Method: evidence.MethodCapture, Vantage: c.by, ClaimedAt: p.claimedAt, ClaimedLocal: p.claimedLocal,
		Text: p.text, InvalidUTF8: p.invalid, Raw: &evidence.Slice{Offset: p.offset, Length: p.length},
	}}
	if p.lang != "" {
		e.mark(true, "lang:"+p.lang)
	}
	media := 0
	for i, f := range p.files {
		out := file{
			kind: kindShown, path: f.path, name: path.Base(f.path),
			media: fmt.Sprintf("%s %s/%d", f.what, c.at.Format(time.RFC3339), i+1),
		}
		if f.what == whatMedia {
			media++
			out.kind = kindOf(f.path)
			out.media = fmt.Sprintf("%s capture/%s/%d", out.kind, p.part, media)
			e.body.Media = append(e.body.Media, evidence.Media{ID: out.media, Type: out.kind, Name: out.name})
		}
		e.files = append(e.files, out)
	}
	return e
}

// kindOf tells a file's kind by its name, so that it is known of a file that is not there.
func kindOf(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".webp", ".heic", ".avif":
		return "photo"
	case ".mp4", ".mov", ".webm", ".mkv", ".m4v", ".ts":
		return "video"
	case ".mp3", ".m4a", ".ogg", ".opus", ".wav", ".aac":
		return "audio"
	}
	return "document"
}
