package chatexport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Import reads the export at o.Path into o.Sink. It returns what it accounted for even where it fails midway: what was put is
// durable, and importing again goes on where the vault lacks something. A file that ends in the middle is no error: the report
// says so. An export that may not be imported is ErrRefused, before anything of it is kept.
func Import(ctx context.Context, o Options) (Report, error) {
	o = o.withDefaults()
	rep := Report{Reasons: map[string]int{}, MediaMissed: map[string]int{}}
	if o.Sink == nil || o.Target == "" {
		return rep, errors.New("import needs a sink and a target")
	}
	x, err := openExport(ctx, o)
	if err != nil {
		return rep, err
	}
	defer x.close()
	rep.File, rep.Name, rep.Account, rep.TimesAreLocal = x.name, x.head.name, decimal(x.channel), x.head.local
	im := &importer{o: o, x: x, rep: &rep, skips: MethodSkipped, account: evidence.Account(platform, "channel", decimal(x.channel))}
	if err := im.begin(ctx); err != nil {
		return rep, err
	}
	if err := im.run(ctx); err != nil {
		return rep, err
	}
	if x.changed() {
		return rep, fmt.Errorf("%s was changed while it was read; import it again once nothing writes to it", x.name)
	}
	o.Log.Info().Str("target", o.Target).Int("messages", rep.Messages).Int("posts", rep.Posts).Int("skipped", rep.Skipped).Msg("export imported")
	return rep, nil
}

// begin keeps the chat's bytes and prepares the drafts that stand before all others.
func (im *importer) begin(ctx context.Context) error {
	start := im.o.Now()
	request := map[string]any{"target": im.o.Target, "channel": decimal(im.x.channel), "type": im.x.head.typ}
	if im.x.head.full {
		d, err := im.x.digest(ctx)
		if err != nil {
			return err
		}
		request["file_sha256"], request["file_offset"], request["file_length"] = d, im.x.head.start, im.x.head.end-im.x.head.start
	}
	total := im.x.head.end - im.x.head.start
	read := int64(0)
	last := int64(0)
	src := &fileReader{ctx: ctx, r: im.x.chat(), n: func(n int) {
		if read += int64(n); read-last >= 8<<20 {
			last = read
			im.o.Progress(Progress{Stage: "keep", Bytes: read, TotalBytes: total})
		}
	}}
	d, size, err := im.o.Sink.Keep(ctx, src, im.o.MaxFileBytes)
	if errors.Is(err, evidence.ErrTooLarge) {
		return fmt.Errorf("the export is larger than %d bytes; raise the limit, or export a shorter stretch of time: %w", im.o.MaxFileBytes, err)
	}
	if err != nil {
		return fmt.Errorf("keep export: %w", err)
	}
	im.rep.Bytes, im.rep.SHA256 = size, d
	im.acq = evidence.NewAcq(start)
	im.observed = span(start, im.o.Now())
	js, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("import request: %w", err)
	}
	if err := im.bindActor(ctx); err != nil {
		return err
	}
	im.heads(js)
	im.cursor = sourceName + " " + decimal(im.x.channel) + " " + d.String()
	done, err := im.o.Sink.Cursor(ctx, im.cursor)
	im.done = len(done) > 0
	return err
}

// sourceName is the actor of an import for which nobody else is named, and the name of the cursor that says that it is bound.
const sourceName = "chatexport"

// bindActor makes the source known to the log, once: a cursor remembers that it was done.
func (im *importer) bindActor(ctx context.Context) error {
	if im.actor = im.o.Actor; im.actor != (evidence.Name{}) {
		return nil
	}
	name, state := sourceName, &evidence.Collector{Key: sourceName, Platform: platform, State: "starting", Detail: MethodName}
	if im.source != nil {
		name, state = im.source.Key, im.source
	}
	im.actor = evidence.Source(name)
	bound, err := im.o.Sink.Cursor(ctx, name)
	if err != nil || len(bound) > 0 {
		return err
	}
	recs, err := im.o.Sink.Put(ctx, evidence.Batch{
		Drafts: []evidence.Draft{{
			ID: evidence.NewID(im.o.Now()), Actor: im.actor, Subject: im.actor,
			Body: state,
		}},
		Cursor: &evidence.Cursor{Name: name, Data: []byte(`{"bound":true}`)},
	})
	im.rep.Records += len(recs)
	if err != nil {
		return fmt.Errorf("bind the source: %w", err)
	}
	return nil
}

// heads drafts what every record of the import leans on. They accompany the first batch that writes something.
func (im *importer) heads(request json.RawMessage) {
	im.rep.ID = evidence.ID{Acq: im.acq, N: uint32(len(im.head))}
	im.head = append(im.head, evidence.Draft{Subject: im.account, Accompany: true, Body: &evidence.Acquisition{
		Method: MethodName, Request: request, Reply: evidence.Object{SHA256: im.rep.SHA256, Size: im.rep.Bytes}, Vantage: vantage,
		Observed: im.observed, Build: im.o.Build, File: clean(im.x.name), Operator: im.o.Operator, TimesAreLocal: im.x.head.local,
	}})
	if im.o.Bind {
		im.head = append(im.head, evidence.Draft{Subject: evidence.Target(im.o.Target), Body: &evidence.TargetBound{
			Account: evidence.Ref{Name: im.account}, Address: im.o.Address, Acquisition: im.rep.ID,
		}})
	}
	im.head = append(im.head, evidence.Draft{Subject: im.account, Body: &evidence.AccountSeen{
		Method: evidence.MethodExport, Vantage: vantage, Acquisition: im.rep.ID, Observed: im.observed, Title: im.x.head.name,
	}})
	for i := range im.head {
		im.head[i].ID = evidence.ID{Acq: im.acq, N: uint32(i)}
		im.head[i].Actor = im.actor
	}
	im.n = uint32(len(im.head))
}

// run reads and puts at the same time: one page is read while the one before it is committed.
func (im *importer) run(ctx context.Context) error {
	rd := &reader{channel: im.x.channel, own: ownName(im.o.Address)}
	k := &keeper{root: im.x.root, sink: im.o.Sink, kinds: im.o.Media, limit: im.o.MaxMediaBytes}
	return im.pages(ctx, k, func(ctx context.Context, emit func(page) bool) { parse(ctx, im.x.chat(), rd, emit) })
}

// pages puts what read emits.
func (im *importer) pages(ctx context.Context, k *keeper, read func(ctx context.Context, emit func(page) bool)) error {
	ctx, cancel := context.WithCancel(ctx)
	pages := make(chan page, 2)
	go func() {
		defer close(pages)
		read(ctx, func(p page) bool {
			select {
			case pages <- p:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	defer func() { // the reader has the file: wait until it let go
		cancel()
		for range pages {
		}
	}()
	for p := range pages {
		if err := im.put(ctx, p, k); err != nil {
			return err
		}
		if p.err != nil {
			return fmt.Errorf("read export: %w", p.err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return im.finish(ctx)
}

// ownName is the user name in an address such as https://t.me/name, in lower case.
func ownName(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '/')+1:])
}

func clean(s string) string {
	v, _ := evidence.ValidText(s)
	return v
}
