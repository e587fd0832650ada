package telegram

import (
	"context"
	"slices"
	"strconv"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// A story stands in pages and in the cursor under its negative number, since stories are numbered apart from posts.

// partName names a post, or the story that a negative number stands for.
func partName(acc evidence.Name, id int) evidence.Name {
	if id < 0 {
		return acc.Story(-int64(id))
	}
	return acc.Post(int64(id))
}

// hasStories reports whether a channel says that it has stories, so that nobody is asked for the stories of the many that have none.
func hasStories(ch *tg.Channel) bool {
	v, ok := ch.GetStoriesMaxID()
	return ok && v.MaxID > 0 && !ch.StoriesUnavailable
}

// stories reads the channel's stories that have not expired. Looking at a story is a request of its own
// (core.telegram.org/api/stories, stories.incrementStoryViews and stories.readStories), which is never made. A story that is gone
// before its time is not told from one that expired: both are no longer listed.
func (w *watch) stories(ctx context.Context) error {
	if !w.tellsStories.Load() {
		return nil
	}
	q := &tg.StoriesGetPeerStoriesRequest{Peer: w.peer()}
	rep, err := ask(ctx, w.r, "stories.getPeerStories", true, func(ctx context.Context) (*tg.StoriesPeerStories, error) {
		return w.r.api.StoriesGetPeerStories(ctx, q.Peer)
	})
	if err != nil {
		return err
	}
	list := rep.value.Stories.Stories
	p := w.storyPage(rep.raw, rep.span(), rep.value.Chats, list)
	w.forgetStories(p)
	if err := w.storeStories(ctx, p, func() (*evidence.Acquisition, error) {
		return acquired(ctx, w.r, "stories.getPeerStories", map[string]any{"channel": strconv.FormatInt(w.channel(), 10)}, rep)
	}); err != nil {
		return err
	}
	var skipped []int
	for _, s := range list {
		if s, ok := s.(*tg.StoryItemSkipped); ok && !s.CloseFriends && w.known[-s.ID].digest.IsZero() {
			skipped = append(skipped, s.ID)
		}
	}
	for ids := range slices.Chunk(skipped, pageSize) {
		if _, err := w.storiesByID(ctx, ids, true); err != nil {
			return err
		}
	}
	return nil
}

func (w *watch) peer() tg.InputPeerClass {
	c := w.cursor()
	return &tg.InputPeerChannel{ChannelID: c.Channel, AccessHash: c.AccessHash}
}

// storiesByID reads stories whole; with keep they are stored.
func (w *watch) storiesByID(ctx context.Context, ids []int, keep bool) ([]post, error) {
	q := &tg.StoriesGetStoriesByIDRequest{Peer: w.peer(), ID: ids}
	rep, err := ask(ctx, w.r, "stories.getStoriesByID", true, func(ctx context.Context) (*tg.StoriesStories, error) {
		return w.r.api.StoriesGetStoriesByID(ctx, q)
	})
	if err != nil {
		return nil, err
	}
	p := w.storyPage(rep.raw, rep.span(), rep.value.Chats, rep.value.Stories)
	if !keep {
		return p.posts, nil
	}
	return p.posts, w.storeStories(ctx, p, func() (*evidence.Acquisition, error) {
		return acquired(ctx, w.r, "stories.getStoriesByID", map[string]any{"channel": strconv.FormatInt(w.channel(), 10), "id": ids}, rep)
	})
}

// storeStories puts what is new or changed among the stories.
func (w *watch) storeStories(ctx context.Context, p *page, acq func() (*evidence.Acquisition, error)) (err error) {
	p.posts = slices.DeleteFunc(p.posts, func(x post) bool { return w.known[x.id].digest == knownOf(x).digest })
	if p.empty() {
		return nil
	}
	if p.acq, err = acq(); err != nil {
		return err
	}
	return w.put(ctx, []*page{p}, nil, nil)
}

// storyPage translates a reply's stories.
func (w *watch) storyPage(raw []byte, span evidence.Span, chats []tg.ChatClass, list []tg.StoryItemClass) *page {
	t := newTranslator(w.channel(), chats)
	t.channels[w.username] = true
	p := &page{span: span}
	at := locator{raw: raw}
	for _, s := range list {
		s, ok := s.(*tg.StoryItem)
		if !ok || s.ID <= 0 || s.CloseFriends || s.Contacts || s.SelectedContacts {
			continue // deleted, to be asked for, or not for everyone
		}
		x := t.story(s)
		x.body.Vantage, x.body.Observed = w.r.o.Vantage, span
		x.body.Raw = at.find(s)
		x.body.RawExact = x.body.Raw != nil
		p.posts = append(p.posts, x)
		if told(x.counts) {
			p.counts = append(p.counts, x.counts)
		}
	}
	return p
}

// forgetStories drops what is known of stories that are no longer listed.
func (w *watch) forgetStories(p *page) {
	for id := range w.known {
		if id < 0 && !slices.ContainsFunc(p.posts, func(x post) bool { return x.id == id }) {
			delete(w.known, id)
		}
	}
}

// story translates a story; who looked at it is never read, though the platform may name some.
func (t *translator) story(s *tg.StoryItem) post {
	text, bad := evidence.ValidText(s.Caption)
	b := &evidence.PostSeen{
		Method: evidence.MethodMTProto, ClaimedAt: date(s.Date), ExpiresAt: date(s.ExpireDate), Text: text, InvalidUTF8: bad,
	}
	b.Entities, b.NamesAPerson = t.entities(s.Caption, s.Entities)
	if f, ok := s.GetFwdFrom(); ok {
		b.Forward = &evidence.Forward{From: whoever(f.From, f.FromName)}
		if n, ok := f.GetStoryID(); ok {
			b.Forward.Post = "s" + strconv.Itoa(n)
		}
	}
	p := post{id: -s.ID, body: b, counts: evidence.Post{Post: "s" + strconv.Itoa(s.ID), Views: -1, Forwards: -1, Replies: -1}}
	mark(&p, nil, s.Pinned, "pinned")
	mark(&p, nil, s.Noforwards, "noforwards")
	mark(&p, nil, s.Edited, "edited")
	if v, ok := s.GetViews(); ok {
		p.counts.Views, p.counts.Reactions = int64(v.ViewsCount), reactions(v.Reactions)
		if n, ok := v.GetForwardsCount(); ok {
			p.counts.Forwards = int64(n)
		}
	}
	t.attach(&p, s.Media)
	return p
}

// again reads a post or story once more, for file references that are valid now.
func (w *watch) again(ctx context.Context, id int) ([]post, error) {
	if id < 0 {
		return w.storiesByID(ctx, []int{-id}, false)
	}
	_, list, err := w.byID(ctx, []int{id})
	if err != nil {
		return nil, err
	}
	var out []post
	t := newTranslator(w.channel(), nil)
	for _, m := range list.GetMessages() {
		if x, ok := t.message(m); ok {
			out = append(out, x)
		}
	}
	return out, nil
}
