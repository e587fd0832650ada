package telegramtest

import (
	"slices"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"pgregory.net/rapid"
)

// TestPage compares a page of history with a naive reading of https://core.telegram.org/api/offsets.
func TestPage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ch := NewWorld(nil).AddChannel(Profile{})
		n := rapid.IntRange(0, 30).Draw(t, "n")
		ch.Fill(n, func(i int) Post { return Post{Date: 1000 + i} })
		ch.DeleteSilently(rapid.SliceOf(rapid.IntRange(1, 30)).Draw(t, "deleted")...)
		q := &tg.MessagesGetHistoryRequest{
			OffsetID: rapid.IntRange(0, 35).Draw(t, "offset_id"), AddOffset: rapid.IntRange(-10, 10).Draw(t, "add_offset"),
			MaxID: rapid.IntRange(0, 35).Draw(t, "max_id"), MinID: rapid.IntRange(0, 35).Draw(t, "min_id"),
		}
		limit := rapid.IntRange(1, 12).Draw(t, "limit")
		var got []int
		for _, e := range ch.page(q, limit) {
			got = append(got, e.post.ID)
		}
		if want := naivePage(ch.Posts(), q, limit); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func naivePage(posts []Post, q *tg.MessagesGetHistoryRequest, limit int) (want []int) {
	slices.Reverse(posts)
	offset := q.AddOffset
	for _, p := range posts {
		if q.OffsetID > 0 && p.ID >= q.OffsetID {
			offset++
		}
	}
	for i, p := range posts {
		if i >= offset && i < offset+limit && (q.MaxID == 0 || p.ID < q.MaxID) && p.ID > q.MinID {
			want = append(want, p.ID)
		}
	}
	return want
}

// FuzzRequest gives the server every request that could come in, up to the answer.
func FuzzRequest(f *testing.F) {
	w := NewWorld(nil)
	ch := w.AddChannel(Profile{Username: "example_fuzz"})
	ch.Fill(3, func(int) Post { return Post{Text: "a simulated post"} })
	s := &Server{world: w, opts: Options{DC: 2, FileDC: 2}}
	s.auth = newAuthState(w, []Account{DefaultAccount()})
	s.auth.users[[8]byte{}] = s.auth.accounts[0]
	routes := s.routeTable()
	for _, q := range []bin.Encoder{
		&tg.MessagesGetHistoryRequest{Peer: &tg.InputPeerChannel{ChannelID: ch.id, AccessHash: ch.profile.AccessHash}, AddOffset: -1 << 31, Limit: -5},
		&tg.ChannelsGetMessagesRequest{Channel: &tg.InputChannel{ChannelID: ch.id, AccessHash: ch.profile.AccessHash}, ID: []tg.InputMessageClass{&tg.InputMessagePinned{}}},
		&tg.UpdatesGetChannelDifferenceRequest{Channel: &tg.InputChannel{ChannelID: ch.id, AccessHash: ch.profile.AccessHash}, Filter: &tg.ChannelMessagesFilterEmpty{}, Pts: 1, Limit: -1},
		&tg.UploadGetFileRequest{Location: &tg.InputPhotoFileLocation{ID: 1}, Offset: -1, Limit: 1 << 30},
		&tg.InvokeWithLayerRequest{Layer: 1, Query: &tg.HelpGetConfigRequest{}},
		&tg.AuthCheckPasswordRequest{Password: &tg.InputCheckPasswordSRP{}},
	} {
		var b bin.Buffer
		if err := q.Encode(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Buf)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b := &bin.Buffer{Buf: raw}
		if _, _, err := unwrap(b); err != nil {
			return
		}
		id, err := b.PeekID()
		if err != nil {
			return
		}
		r, ok := routes[id]
		if !ok {
			return
		}
		q, err := r.decode(b)
		if err != nil {
			return
		}
		s.channelID(q)
		out, err := r.answer(caller{dc: 2}, q)
		if err != nil {
			return
		}
		if err := out.Encode(&bin.Buffer{}); err != nil {
			t.Errorf("%T is answered with what cannot be sent: %v", q, err)
		}
	})
}
