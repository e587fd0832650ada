package chatexport

import (
	"context"
	"encoding/json"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// maxSkipped is how many skipped parts one record lists; more go into further records.
const maxSkipped = 1000

// importer puts pages into the sink.
type importer struct {
	o        Options
	x        *export
	rep      *Report
	account  evidence.Name
	actor    evidence.Name
	acq      string
	observed evidence.Span
	head     []evidence.Draft    // sent with each batch until one wrote something
	n        uint32              // count of the next draft
	source   *evidence.Collector // that acts; nil: that of exports
	skips    string              // method of the records that list what was not read
	cursor   string              // its presence says that this file was read to its end before
	done     bool

	drafts []evidence.Draft
	roles  []role
}

// role says what a draft counts as once its outcome is known.
type role uint8

const (
	roleOther role = iota
	rolePost
	roleService
	roleKept
)

func (im *importer) add(r role, subject evidence.Name, accompany bool, b evidence.Body) {
	im.drafts = append(im.drafts, evidence.Draft{
		ID: evidence.ID{Acq: im.acq, N: im.n}, Actor: im.actor, Subject: subject, Body: b, Accompany: accompany,
	})
	im.roles = append(im.roles, r)
	im.n++
}

// put makes one page durable and counts what came of it.
func (im *importer) put(ctx context.Context, p page, k *keeper) error {
	im.drafts, im.roles = make([]evidence.Draft, 0, len(im.head)+len(p.entries)+1), im.roles[:0]
	for _, d := range im.head {
		im.drafts, im.roles = append(im.drafts, d), append(im.roles, roleOther)
	}
	results, err := keepAll(ctx, k, p.entries)
	if err != nil {
		return err
	}
	var skipped []evidence.Skipped
	parts := len(p.skipped)
	counts := &evidence.PostCounts{Acquisition: im.rep.ID, At: im.observed.To}
	for i := range p.entries {
		e := &p.entries[i]
		skipped = append(skipped, e.skipped...)
		if e.body == nil {
			continue
		}
		parts += len(e.skipped)
		im.entry(e, results[i])
		if e.counts != nil {
			counts.Posts = append(counts.Posts, *e.counts)
		}
	}
	if len(counts.Posts) > 0 {
		im.add(roleOther, im.account, true, counts)
	}
	if !im.done {
		im.skipped(append(skipped, p.skipped...))
	}
	if err := im.commit(ctx, nil); err != nil {
		return err
	}
	im.count(p, results)
	im.rep.Parts += parts
	im.o.Progress(Progress{Stage: "read", Bytes: p.end, TotalBytes: im.rep.Bytes, Messages: im.rep.Messages})
	return nil
}

func (im *importer) entry(e *entry, files []result) {
	e.body.Acquisition, e.body.Observed = im.rep.ID, im.observed
	r := rolePost
	if e.body.Service != nil {
		r = roleService
	}
	post := im.account.Post(e.number)
	if e.part != "" {
		post.Part = e.part
	}
	im.add(r, post, false, e.body)
	for i, f := range files {
		if m := f.missed; m != nil {
			id := e.files[i].media
			if e.files[i].thumb {
				id += " thumbnail" // a slot of its own: the file itself may be there
			}
			im.add(roleOther, post, false, &evidence.MediaMissed{
				MediaID: id, Reason: m.reason, Detail: m.detail, Size: e.files[i].size, Acquisition: im.rep.ID,
			})
			continue
		}
		im.add(roleKept, post, false, &evidence.MediaKept{
			MediaID: e.files[i].media, Blob: f.kept.blob, MIME: f.kept.mime, Name: e.files[i].name, Acquisition: im.rep.ID,
			Observed: im.observed, Thumbnail: e.files[i].thumb,
		})
	}
}

// skipped drafts the list of what was not read, in as many records as it takes.
func (im *importer) skipped(list []evidence.Skipped) {
	for len(list) > 0 {
		n := min(len(list), maxSkipped)
		request, _ := json.Marshal(map[string]any{"import": im.rep.ID}) // of a text: cannot fail
		im.add(roleOther, im.account, false, &evidence.Acquisition{
			Method: im.skips, Request: request, Vantage: vantage, Observed: im.observed, Build: im.o.Build, File: clean(im.rep.File),
			Operator: im.o.Operator, Skipped: list[:n:n],
		})
		list = list[n:]
	}
}

// commit puts the drafts. Once the acquisition is in the log, the heads are no longer sent.
func (im *importer) commit(ctx context.Context, c *evidence.Cursor) error {
	recs, err := im.o.Sink.Put(ctx, evidence.Batch{Drafts: im.drafts, Cursor: c})
	if err != nil {
		return fmt.Errorf("put a page of the export: %w", err)
	}
	if len(recs) != len(im.drafts) {
		return fmt.Errorf("put a page of the export: %d records for %d drafts", len(recs), len(im.drafts))
	}
	opened := false
	for i, r := range recs {
		// A sink may remember under a draft's id that nothing had changed, and answer with the older record.
		written := r.Outcome == evidence.Written || (r.Outcome == evidence.Repeated && r.ID == im.drafts[i].ID)
		if written {
			im.rep.Records++
		}
		opened = opened || (i < len(im.head) && written && im.drafts[i].ID == im.rep.ID)
		switch im.roles[i] {
		case rolePost:
			tally(written, &im.rep.Posts, &im.rep.Unchanged)
		case roleService:
			tally(written, &im.rep.Service, &im.rep.Unchanged)
		case roleKept:
			tally(written, &im.rep.MediaKept, &im.rep.MediaUnchanged)
		}
	}
	if opened {
		im.head = nil
	}
	return nil
}

func tally(written bool, yes, no *int) {
	if written {
		*yes++
	} else {
		*no++
	}
}

func (im *importer) count(p page, results [][]result) {
	for i := range p.entries {
		im.rep.Messages++
		if e := &p.entries[i]; e.body == nil {
			im.rep.Skipped++
			im.rep.Reasons[e.reason]++
		}
		for _, r := range results[i] {
			if r.missed != nil {
				im.rep.MediaMissed[r.missed.reason]++
			}
		}
	}
	if p.cut {
		im.rep.Truncated, im.rep.TruncatedAt = true, p.end
	}
}

// finish notes that the file was read to its end, so that reading it again need not list again what it could not read.
func (im *importer) finish(ctx context.Context) error {
	if im.done {
		return nil
	}
	im.drafts, im.roles = nil, nil
	return im.commit(ctx, &evidence.Cursor{Name: im.cursor, Data: []byte(`{"done":true}`)})
}

// result is what became of one file of an entry.
type result struct {
	kept   kept
	missed *missed
}

// keepers is how many files are stored at once: most of the time goes into waiting for the disk.
const keepers = 4

// keepAll stores the files of a page, before the records that name them are put.
func keepAll(ctx context.Context, k *keeper, entries []entry) ([][]result, error) {
	out := make([][]result, len(entries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(keepers)
	for i := range entries {
		if len(entries[i].files) == 0 {
			continue
		}
		out[i] = make([]result, len(entries[i].files))
		for j, f := range entries[i].files {
			g.Go(func() (err error) {
				out[i][j].kept, out[i][j].missed, err = k.keep(ctx, f)
				return err
			})
		}
	}
	return out, g.Wait()
}
