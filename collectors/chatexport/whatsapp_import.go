package chatexport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// MethodWhatsApp is Acquisition.Method of an import of WhatsApp's `Export chat`.
const MethodWhatsApp = "import whatsapp-export"

// MethodWhatsAppSkipped is Acquisition.Method of the records that list what such an import could not read.
const MethodWhatsAppSkipped = "import whatsapp-export skipped"

// The limits of a text export. WhatsApp puts at most 40,000 messages into one.
const (
	maxChatText     = 256 << 20
	maxChatMessages = 2_000_000
)

// WhatsAppOptions say which export to import, for whom and into what. Sink, Target, Path, BoundAccount and Names are needed.
type WhatsAppOptions struct {
	Sink   collectors.Sink
	Target string // the configured id
	Path   string // the text, the archive, or the folder that holds the text and its files

	// BoundAccount is the platform's own id of the channel, as the target is bound to it. An export holds none.
	BoundAccount string
	// Names are those under which the log knows the channel. Every message must be of one of them.
	Names []string
	// DateOrder is DayFirst, MonthFirst or YearFirst; empty: the file tells, or the export is refused.
	DateOrder string

	Actor    evidence.Name // zero: the source `chatexport/whatsapp`, bound by a collector record
	Operator string        // who ran the import
	Build    string

	Media         []string // kinds of files to keep, as in Options
	MaxMediaBytes int64    // of one media file; 0: 4 GiB
	MaxFileBytes  int64    // of the text; 0: 256 MiB

	Now      func() time.Time // nil: time.Now
	Log      zerolog.Logger
	Progress func(Progress)
}

// ImportWhatsApp reads a WhatsApp export at o.Path into o.Sink, as Import does that of Telegram. What is not surely the export of
// the target's channel is ErrRefused, before anything of it is kept.
func ImportWhatsApp(ctx context.Context, o WhatsAppOptions) (Report, error) {
	rep := Report{Reasons: map[string]int{}, MediaMissed: map[string]int{}, TimesAreLocal: true, Account: o.BoundAccount}
	if o.Sink == nil || o.Target == "" {
		return rep, errors.New("import needs a sink and a target")
	}
	known, err := o.known()
	if err != nil {
		return rep, err
	}
	given, err := parseOrder(o.DateOrder)
	if err != nil {
		return rep, err
	}
	im := &importer{rep: &rep, skips: MethodWhatsAppSkipped, account: evidence.Account(whatsapp, "channel", o.BoundAccount), o: Options{
		Sink: o.Sink, Target: o.Target, Actor: o.Actor, Operator: o.Operator, Build: o.Build, Media: o.Media,
		MaxMediaBytes: o.MaxMediaBytes, MaxFileBytes: o.MaxFileBytes, Now: o.Now, Log: o.Log, Progress: o.Progress,
	}.withDefaults()}
	if o.MaxFileBytes == 0 {
		im.o.MaxFileBytes = maxChatText
	}
	x, err := openChat(o.Path)
	if err != nil {
		return rep, err
	}
	defer x.close()
	rep.File = x.name
	start := im.o.Now()
	s, err := x.survey(ctx, known, given, im.o.MaxFileBytes)
	if err != nil {
		return rep, err
	}
	rep.Name, rep.DateOrder = s.name, s.order.String()
	if err := im.beginChat(ctx, x, s, start); err != nil {
		return rep, err
	}
	rd := &textReader{names: names{s.name}, order: s.order}
	k := &keeper{from: x.medium, sink: im.o.Sink, kinds: im.o.Media, limit: im.o.MaxMediaBytes}
	err = im.pages(ctx, k, func(ctx context.Context, emit func(page) bool) { parseChat(ctx, x, rd, s, emit) })
	if err != nil {
		return rep, err
	}
	if x.changed() {
		return rep, fmt.Errorf("%s was changed while it was read; import it again once nothing writes to it", x.name)
	}
	im.o.Log.Info().Str("target", o.Target).Int("messages", rep.Messages).Int("posts", rep.Posts).Int("skipped", rep.Skipped).Msg("export imported")
	return rep, nil
}

const whatsapp = "whatsapp"

// known are the channel's names. Without one, and without the channel's own id, nothing tells its export from that of a
// conversation: the text says neither what it is of nor who is who.
func (o WhatsAppOptions) known() (names, error) {
	var out names
	for _, n := range o.Names {
		if n = tidy(n); n != "" {
			out = append(out, n)
		}
	}
	if o.BoundAccount == "" || len(out) == 0 {
		return nil, fmt.Errorf("%w: the log does not know target %s's channel and its name yet, without which the export of a channel cannot be told from that of a conversation; let a WhatsApp account read the channel first (muhafiz login whatsapp NAME, then muhafiz run)", ErrRefused, o.Target)
	}
	return out, nil
}

// survey checks the text, whatever its size when unpacked.
func (x *chatText) survey(ctx context.Context, known names, given order, limit int64) (surveyed, error) {
	in, err := x.text()
	if err != nil {
		return surveyed{}, fmt.Errorf("open export: %w", err)
	}
	defer in.Close()
	s, err := checkChat(ctx, io.LimitReader(in, limit+1), known, given)
	if err == nil && s.size > limit {
		err = fmt.Errorf("%w: its text is larger than %d MiB; export a shorter stretch of time", ErrRefused, limit>>20)
	}
	return s, err
}

// beginChat keeps the text's bytes, those that were checked, and prepares the draft that stands before all others.
func (im *importer) beginChat(ctx context.Context, x *chatText, s surveyed, start time.Time) error {
	in, err := x.text()
	if err != nil {
		return fmt.Errorf("open export: %w", err)
	}
	defer in.Close()
	d, size, err := im.o.Sink.Keep(ctx, &fileReader{ctx: ctx, r: in}, im.o.MaxFileBytes)
	if err != nil {
		return fmt.Errorf("keep export: %w", err)
	}
	if d != s.digest {
		return fmt.Errorf("%s was changed while it was read; import it again once nothing writes to it", x.name)
	}
	im.rep.Bytes, im.rep.SHA256, im.acq = size, d, evidence.NewAcq(start)
	im.rep.ID = evidence.ID{Acq: im.acq}
	im.observed = span(start, im.o.Now())
	im.source = &evidence.Collector{Key: sourceName + "/" + whatsapp, Platform: whatsapp, State: "starting", Detail: MethodWhatsApp}
	if err := im.bindActor(ctx); err != nil {
		return err
	}
	request, err := json.Marshal(map[string]string{
		"target": im.o.Target, "channel": im.rep.Account, "sender": clean(s.name), "date_order": s.order.String(), "date_order_by": s.orderBy,
	})
	if err != nil {
		return fmt.Errorf("import request: %w", err)
	}
	im.head = []evidence.Draft{{
		ID: im.rep.ID, Actor: im.actor, Subject: im.account, Accompany: true, Body: &evidence.Acquisition{
			Method: MethodWhatsApp, Request: request, Reply: evidence.Object{SHA256: d, Size: size}, Vantage: vantage,
			Observed: im.observed, Build: im.o.Build, File: clean(x.name), Operator: im.o.Operator, TimesAreLocal: true,
		},
	}}
	im.n = 1
	im.cursor = strings.Join([]string{im.source.Key, im.rep.Account, d.String()}, " ")
	done, err := im.o.Sink.Cursor(ctx, im.cursor)
	im.done = len(done) > 0
	return err
}

// parseChat reads the messages of a checked text and calls emit for each page; emit returns false to stop.
func parseChat(ctx context.Context, x *chatText, rd *textReader, s surveyed, emit func(page) bool) {
	in, err := x.text()
	if err != nil {
		emit(page{err: err})
		return
	}
	defer in.Close()
	p := page{}
	if s.before > 0 {
		p.skipped = append(p.skipped, evidence.Skipped{Where: "byte 0", Reason: fmt.Sprintf("%d bytes before the first message", s.before)})
	}
	l := newLines(&fileReader{ctx: ctx, r: in}, s.order)
	for {
		m, err := l.next()
		var e entry
		if err == nil {
			p.end = m.offset + m.length
			e, err = rd.entry(m)
		}
		if err != nil {
			if p.err = err; errors.Is(err, io.EOF) {
				p.err, p.end = nil, l.off
				p.skipped = append(p.skipped, l.doubts()...)
			}
			emit(p)
			return
		}
		p.entries = append(p.entries, e)
		if p.size += len(m.body); len(p.entries) >= pageEntries || p.size >= pageBytes {
			if !emit(p) {
				return
			}
			p = page{entries: make([]entry, 0, pageEntries)}
		}
	}
}

// doubts tells of lines that were read as text and may not be.
func (l *lines) doubts() []evidence.Skipped {
	if l.other == 0 {
		return nil
	}
	return []evidence.Skipped{{
		Where:  fmt.Sprintf("line %d", l.firstOther),
		Reason: fmt.Sprintf("lines that begin as messages do, with a date that is none in the order %s: %d, read as text", l.given, l.other),
	}}
}
