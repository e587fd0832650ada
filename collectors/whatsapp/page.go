package whatsapp

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	waBinary "go.mau.fi/whatsmeow/binary"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// page is an answer in our own words, before it has ids.
type page struct {
	acq     *evidence.Acquisition
	span    evidence.Span
	posts   []post
	counts  []evidence.Post
	gone    []int // the element says that they are deleted
	missing []int // known, in the page's range, and not in it
	keep    bool  // the acquisition is written even if nothing differs: it is what shows a push's posts
	all     []int // numbers of everything that is in it
	skipped []evidence.Skipped

	drafts []evidence.Draft // what it comes to, where that was prepared
}

// translate reads a list of messages, in the order of their numbers.
func (w *watch) translate(list *waBinary.Node, at []evidence.Slice, span evidence.Span) *page {
	p := &page{span: span}
	seen := map[int]bool{}
	for i, n := range list.GetChildren() {
		x, why := element(&n)
		if why == "" && seen[x.id] {
			why = "a second message with server_id " + strconv.Itoa(x.id)
		}
		if why != "" {
			p.skipped = append(p.skipped, evidence.Skipped{Where: fmt.Sprintf("message[%d]", i), Reason: why})
			continue
		}
		seen[x.id] = true
		p.all = append(p.all, x.id)
		if told(x.counts) {
			p.counts = append(p.counts, x.counts)
		}
		switch {
		case x.bare:
		case x.deleted:
			p.gone = append(p.gone, x.id)
		default:
			raw := at[i]
			x.body.Vantage, x.body.Observed, x.body.Raw = w.r.o.Vantage, span, &raw
			p.posts = append(p.posts, x)
		}
	}
	slices.Sort(p.all)
	slices.Sort(p.gone)
	slices.SortFunc(p.posts, func(a, b post) int { return a.id - b.id })
	w.link(p.posts)
	return p
}

// link turns the ids that quotes use into numbers, where the quoted post is known.
func (w *watch) link(posts []post) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range posts {
		w.numbers[x.message] = x.id
	}
	for _, x := range posts {
		if n := w.numbers[x.quotes]; x.quotes != "" && n > 0 {
			x.body.ReplyTo = strconv.Itoa(n)
		}
	}
	if len(w.numbers) > 4*w.r.o.RecheckDepth+1000 {
		clear(w.numbers)
	}
}

func (p *page) ids() []int {
	out := make([]int, 0, len(p.posts))
	for _, x := range p.posts {
		out = append(out, x.id)
	}
	return out
}

func (p *page) empty() bool {
	return len(p.posts) == 0 && len(p.gone) == 0 && len(p.missing) == 0 && len(p.skipped) == 0 && !p.keep
}

// fresh leaves out what is known already, so that a look that finds nothing new stores nothing, not even its bytes.
func (w *watch) fresh(p *page) {
	p.posts = slices.DeleteFunc(p.posts, func(x post) bool { return w.known[x.id].digest == postDigest(x.body) })
	p.gone = slices.DeleteFunc(p.gone, func(id int) bool { return w.deleted[id] })
	p.skipped = slices.DeleteFunc(p.skipped, func(s evidence.Skipped) bool { return w.skipped[s.Reason] })
}

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

// draft adds the page to a batch: the acquisition first, so that what refers to it stands after it. Unless it shows what a push told of,
// it accompanies, as the counters do: a page on which nothing changed writes nothing.
func (w *watch) draft(b *batch, p *page) {
	acc := account(w.channel())
	p.acq.Skipped = p.skipped
	acq := b.Add(acc, p.acq, !p.keep && len(p.skipped) == 0)
	for i := range p.posts {
		x := &p.posts[i]
		x.body.Acquisition = acq
		w.draftPost(b, x, acq)
	}
	for _, g := range []struct {
		ids []int
		how string
	}{{p.gone, evidence.GoneDeletionNotice}, {p.missing, evidence.GoneMissing}} {
		for _, id := range g.ids {
			b.Add(acc.Post(int64(id)), &evidence.PostGone{
				How: g.how, Method: evidence.MethodWhatsApp, Vantage: w.r.o.Vantage, Acquisition: acq, Observed: p.span,
			}, false)
		}
	}
	if len(p.counts) > 0 {
		b.Add(acc, &evidence.PostCounts{Acquisition: acq, At: p.span.To, Posts: p.counts}, true)
	}
}

func (w *watch) draftPost(b *batch, x *post, acq evidence.ID) {
	name := account(w.channel()).Post(int64(x.id))
	b.Add(name, x.body, false)
	for _, f := range x.files {
		if reason := unwanted(w.target, f); reason != "" {
			b.Add(name, &evidence.MediaMissed{MediaID: f.media.ID, Reason: reason, Size: f.media.Size, Acquisition: acq}, false)
		}
	}
}

// unwanted says why a file is not to be fetched, or nothing where it is.
func unwanted(t collectors.Target, f file) string {
	switch {
	case !t.Keeps(f.kind):
		return "not-collected"
	case t.MaxBytes > 0 && f.media.Size > t.MaxBytes:
		return "too-large"
	}
	return ""
}

// wanted lists the page's files that are to be fetched, apart from those of posts whose media is known and unchanged.
func (w *watch) wanted(p *page) ([]pending, map[pending]file) {
	var out []pending
	files := map[pending]file{}
	for _, x := range p.posts {
		for _, f := range x.files {
			if unwanted(w.target, f) != "" || slices.Contains(w.known[x.id].media, f.media.ID) {
				continue
			}
			out = append(out, pending{Post: x.id, Media: f.media.ID, At: x.body.ClaimedAt.Time})
			files[pending{Post: x.id, Media: f.media.ID}] = f
		}
	}
	return out, files
}

// put makes pages durable in one batch, in order, together with the move of the cursor.
func (w *watch) put(ctx context.Context, pages []*page, extra func(*batch), move func(*cursor)) error {
	b := w.r.batch()
	var ids, gone, all []int
	var want []pending
	files := map[pending]file{}
	for _, p := range pages {
		if p.drafts != nil {
			b.Drafts = append(b.Drafts, p.drafts...)
		} else if !p.empty() {
			w.draft(b, p)
		}
		ids, gone = append(ids, p.ids()...), append(append(gone, p.gone...), p.missing...)
		all = append(append(all, p.all...), p.missing...)
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
		c.saw(ids, w.r.o.RecheckDepth)
		c.gone(gone)
		c.want(want)
		c.confirmed(func(id int) bool { return slices.Contains(all, id) })
		if move != nil {
			move(c)
		}
	})
	if err != nil {
		return err
	}
	w.remember(pages)
	for _, p := range pages {
		w.told(p.posts, nil)
	}
	w.queue(files)
	return nil
}

// known is what the latest observation of a recent post came to, so that a recheck that finds nothing new stores nothing.
type known struct {
	digest evidence.Digest
	media  []string
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

func digestOf(o evidence.Observer) evidence.Digest {
	var all []byte
	for _, f := range o.Facets() {
		all = append(all, f.Slot...)
		all = append(all, f.Value[:]...)
	}
	return evidence.Sum(all)
}

// remember notes what is durable now. It runs in the loop's goroutine alone.
func (w *watch) remember(pages []*page) {
	recent := map[int]bool{}
	for _, id := range w.cursor().Recent {
		recent[id] = true
	}
	for _, p := range pages {
		for _, x := range p.posts {
			if recent[x.id] {
				k := known{digest: postDigest(x.body)}
				for _, f := range x.files {
					k.media = append(k.media, f.media.ID)
				}
				w.known[x.id] = k
			}
			delete(w.deleted, x.id)
		}
		for _, id := range p.gone {
			w.deleted[id] = true
			delete(w.known, id)
		}
		for _, id := range p.missing {
			delete(w.known, id)
		}
		for _, s := range p.skipped {
			w.skipped[s.Reason] = true
		}
	}
	for id := range w.known {
		if !recent[id] {
			delete(w.known, id)
		}
	}
	if len(w.deleted) > 100_000 || len(w.skipped) > 10_000 {
		clear(w.deleted)
		clear(w.skipped)
	}
}
