package telegramtest

import (
	"slices"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
)

// Story is a story of a channel. It stays until it is removed or the clock passes Expires.
type Story struct {
	ID       int // assigned when zero
	Date     int // Unix seconds, UTC; the world's clock when zero
	Expires  int // Unix seconds, UTC; a day after Date when zero
	Caption  string
	Entities []Entity
	Photo    *Photo
	Document *Document
	Views    int
	Forwards int
	Viewers  []int64 // users whom the platform names as recent viewers, and nobody may record
	Friends  bool    // for close friends only
	Brief    bool    // listed without its content, so that it must be asked for
}

// Stories are not kept by World.Save.

// Story adds a story and returns its number.
func (ch *Channel) Story(s Story) int {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	if s.ID == 0 {
		s.ID = len(ch.stories) + 1
	}
	if s.Date == 0 {
		s.Date = ch.w.unix()
	}
	if s.Expires == 0 {
		s.Expires = s.Date + 24*60*60
	}
	p := Post{Photo: s.Photo, Document: s.Document}
	ch.w.adoptAll(&p)
	ch.stories = append(ch.stories, s)
	return s.ID
}

// RemoveStory takes a story away before its time.
func (ch *Channel) RemoveStory(id int) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	ch.stories = slices.DeleteFunc(ch.stories, func(s Story) bool { return s.ID == id })
}

// live lists the stories that have not expired.
func (ch *Channel) live() []Story {
	now := ch.w.unix()
	return slices.DeleteFunc(slices.Clone(ch.stories), func(s Story) bool { return s.Expires <= now })
}

func (ch *Channel) storiesMax() (max int) {
	for _, s := range ch.live() {
		if s.ID > max {
			max = s.ID
		}
	}
	return max
}

func (ch *Channel) story(s Story) *tg.StoryItem {
	p := Post{Photo: s.Photo, Document: s.Document, Date: s.Date}
	item := &tg.StoryItem{
		Public: !s.Friends, CloseFriends: s.Friends, ID: s.ID, Date: s.Date, ExpireDate: s.Expires, Caption: s.Caption,
		Entities: entities(s.Entities), Media: ch.w.media(&p),
	}
	if item.Media == nil {
		item.Media = &tg.MessageMediaEmpty{}
	}
	if s.Views > 0 {
		item.Views = tg.StoryViews{HasViewers: true, ViewsCount: s.Views, ForwardsCount: s.Forwards, RecentViewers: s.Viewers}
	}
	return item
}

func (s *Server) getPeerStories(_ caller, q *tg.StoriesGetPeerStoriesRequest) (bin.Encoder, error) {
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	ch, err := w.visible(q.Peer)
	if err != nil {
		return nil, err
	}
	out := &tg.StoriesPeerStories{Stories: tg.PeerStories{Peer: &tg.PeerChannel{ChannelID: ch.id}}, Chats: []tg.ChatClass{ch.chat()}}
	for _, x := range ch.live() {
		if x.Brief {
			out.Stories.Stories = append(out.Stories.Stories, &tg.StoryItemSkipped{ID: x.ID, Date: x.Date, ExpireDate: x.Expires, CloseFriends: x.Friends})
			continue
		}
		out.Stories.Stories = append(out.Stories.Stories, ch.story(x))
	}
	return out, nil
}

func (s *Server) getStoriesByID(_ caller, q *tg.StoriesGetStoriesByIDRequest) (bin.Encoder, error) {
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	ch, err := w.visible(q.Peer)
	if err != nil {
		return nil, err
	}
	out := &tg.StoriesStories{Chats: []tg.ChatClass{ch.chat()}}
	for _, x := range ch.live() {
		if slices.Contains(q.ID, x.ID) {
			out.Stories = append(out.Stories, ch.story(x))
		}
	}
	out.Count = len(out.Stories)
	return out, nil
}
