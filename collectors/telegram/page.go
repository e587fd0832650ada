package telegram

import (
	"context"
	"slices"
	"strings"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// page is a reply in our own words, before it has ids.
type page struct {
	acq    *evidence.Acquisition
	span   evidence.Span
	posts  []post
	counts []evidence.Post
	gone   []int
	how    string // of gone

	recount bool // the counters alone are worth a record

	drafts []evidence.Draft // what it comes to, where that was prepared
}

// translate reads a reply's messages. Chats say which mentioned names are channels.
func (w *watch) translate(raw []byte, span evidence.Span, chats []tg.ChatClass, msgs []tg.MessageClass) *page {
	t := newTranslator(w.channel(), chats)
	t.channels[w.username] = true
	p := &page{span: span}
	at := locator{raw: raw}
	for _, m := range msgs {
		x, ok := t.message(m)
		if !ok {
			if _, hole := m.(*tg.MessageEmpty); !hole {
				w.log.Warn().Int("number", m.GetID()).Str("type", m.TypeName()).Msg("a message of another chat or without a usable number is in the raw reply only")
			}
			continue
		}
		x.body.Vantage, x.body.Observed = w.r.o.Vantage, span
		x.body.Raw = at.find(m)
		x.body.RawExact = x.body.Raw != nil
		p.posts = append(p.posts, x)
		if told(x.counts) {
			p.counts = append(p.counts, x.counts)
		}
	}
	return p
}

func told(c evidence.Post) bool {
	return c.Views >= 0 || c.Forwards >= 0 || c.Replies >= 0 || len(c.Reactions) > 0 || c.Voters != nil || c.Closed
}

func (p *page) ids() []int {
	out := make([]int, 0, len(p.posts))
	for _, x := range p.posts {
		if x.id > 0 { // stories are looked at by themselves
			out = append(out, x.id)
		}
	}
	return out
}

func (p *page) empty() bool { return len(p.posts) == 0 && len(p.gone) == 0 && !p.recount }

// early drafts a page that will not change any more, and has the sink prepare it: beside other pages, and beside the commit of those
// before it.
func (w *watch) early(p *page) error {
	if p.empty() {
		return nil
	}
	b := w.r.batch()
	w.draft(b, p)
	p.drafts = b.Drafts
	return collectors.Prepare(w.r.sink, p.drafts)
}

// draft adds the page to a batch: the acquisition first, so that what refers to it stands after it. The acquisition and the
// counters accompany: a page on which nothing changed writes nothing.
func (w *watch) draft(b *batch, p *page) {
	acc := account(w.channel())
	acq := b.Add(acc, p.acq, true)
	for i := range p.posts {
		x := &p.posts[i]
		x.body.Acquisition = acq
		name := partName(acc, x.id)
		b.Add(name, x.body, false)
		for _, f := range x.files {
			if reason, rule := unwanted(w.target, f); reason != "" {
				b.Add(name, &evidence.MediaMissed{MediaID: f.media.ID, Reason: reason, Rule: rule, Size: f.media.Size, Acquisition: acq}, false)
			}
		}
	}
	for _, id := range p.gone {
		b.Add(acc.Post(int64(id)), &evidence.PostGone{
			How: p.how, Method: evidence.MethodMTProto, Vantage: w.r.o.Vantage, Acquisition: acq, Observed: p.span,
		}, false)
	}
	if len(p.counts) > 0 {
		b.Add(acc, &evidence.PostCounts{Acquisition: acq, At: p.span.To, Posts: p.counts}, !p.recount)
	}
}

// wanted lists the page's files that are to be fetched, apart from those of posts whose media is known and unchanged.
func (w *watch) wanted(p *page) ([]pending, map[pending]file) {
	var out []pending
	files := map[pending]file{}
	for _, x := range p.posts {
		for _, f := range x.files {
			if slices.Contains(w.known[x.id].media, f.media.ID) {
				continue
			}
			k := pending{Post: x.id, Media: f.media.ID}
			reason, _ := unwanted(w.target, f)
			if reason == "too-large" {
				f, k.Thumb = instead(w.target, f)
			}
			if reason != "" && !k.Thumb {
				continue
			}
			out = append(out, k)
			files[k] = f
		}
	}
	return out, files
}

// put makes pages durable in one batch, in order, together with the move of the cursor.
func (w *watch) put(ctx context.Context, pages []*page, extra func(*batch), move func(*cursor)) error {
	b := w.r.batch()
	var ids, gone []int
	var want []pending
	files := map[pending]file{}
	for _, p := range pages {
		if p.drafts != nil {
			b.Drafts = append(b.Drafts, p.drafts...)
		} else if !p.empty() {
			w.draft(b, p)
		}
		ids, gone = append(ids, p.ids()...), append(gone, p.gone...)
		ps, fs := w.wanted(p)
		want = append(want, ps...)
		for k, f := range fs {
			files[k] = f
		}
	}
	if extra != nil {
		extra(b)
	}
	err := w.commit(ctx, b, func(c *cursor) {
		for _, p := range pages {
			c.aged(p.posts, w.r.o.ages(), w.r.o.Now())
		}
		c.saw(ids, w.r.o.RecheckDepth)
		c.Known.add(ids, w.r.o.RecheckMost)
		c.climb(len(w.r.o.ages()))
		c.begin(&w.r.o, w.r.o.Now())
		c.gone(gone)
		c.want(want)
		if move != nil {
			move(c)
		}
	})
	if err != nil {
		return err
	}
	w.remember(pages)
	w.queue(files)
	return nil
}

// known is what the latest observation of a recent post came to, so that a recheck that finds nothing new stores nothing. Its digest
// also covers which files there are: the picture of a link's preview comes when the platform has made it, without an edit.
type known struct {
	digest evidence.Digest
	media  []string
}

func knownOf(x post) known {
	k := known{}
	for _, f := range x.files {
		k.media = append(k.media, f.media.ID)
	}
	k.digest = postDigest(x.body)
	if len(k.media) > 0 {
		k.digest = evidence.Sum([]byte(k.digest.String() + " " + strings.Join(k.media, " ")))
	}
	return k
}

// postDigest is of what makes a version. Persons have no ordinals before a Put, so their names stand in for them.
func postDigest(b *evidence.PostSeen) evidence.Digest {
	c := *b
	c.Entities = slices.Clone(b.Entities)
	for i := range c.Entities {
		if r := c.Entities[i].Person; r != nil {
			c.Entities[i].Person, c.Entities[i].ID = nil, r.Name.Key
		}
	}
	return digestOf(&c)
}

func (w *watch) remember(pages []*page) {
	recent := map[int]bool{}
	for _, id := range w.cursor().Recent {
		recent[id] = true
	}
	for _, p := range pages {
		w.rememberCounts(p.counts)
		for _, x := range p.posts {
			if recent[x.id] || x.id < 0 {
				w.known[x.id] = knownOf(x)
			}
		}
	}
	w.forgetCounts(recent)
	for id := range w.known {
		if !recent[id] && id > 0 {
			delete(w.known, id)
		}
	}
}
