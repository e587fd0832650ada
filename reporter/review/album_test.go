package review_test

import (
	"slices"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// albumOf puts posts of one album, the first with the text.
func (d *desk) albumOf(group, text string, numbers ...int64) []evidence.Ordinal {
	d.t.Helper()
	var out []evidence.Ordinal
	for i, n := range numbers {
		if i > 0 {
			text = ""
		}
		out = append(out, d.put(evidence.Source("test"), account("1234").Post(n), &evidence.PostSeen{
			Method: evidence.MethodMTProto, Vantage: "v", Text: text, Group: group, ClaimedAt: evidence.At(d.now),
			Media: []evidence.Media{{ID: "photo 1", Type: "photo"}},
		}).Subject)
	}
	return out
}

// An album is one post to its readers: it stands in the queue once, is shown whole, and a decision on one of its posts binds all.
func TestAnAlbumIsOneExhibit(t *testing.T) {
	d, alone := approvedDesk(t)
	album := d.albumOf("77", "The simulated front asks for donations.", 10, 11, 12)
	other := d.albumOf("78", "Another simulated album.", 13, 14)
	w, err := d.Queue(t.Context(), "ana", 0)
	if err != nil {
		t.Fatal(err)
	}
	waiting := map[evidence.Ordinal]review.Item{}
	for _, it := range w.Posts {
		waiting[it.Post] = it
	}
	if it := waiting[album[0]]; len(waiting) != 3 || !slices.Equal(it.Album, album) || len(it.Media) != 3 {
		t.Fatalf("the queue holds %+v", w.Posts)
	}
	if waiting[alone].Album != nil || len(waiting[other[0]].Album) != 2 {
		t.Errorf("the queue holds %+v", w.Posts)
	}
	p, err := d.Show(t.Context(), "ana", album[1])
	if err != nil || len(p.Album) != 2 || p.Album[0].Ordinal != album[0] {
		t.Fatalf("%v, %+v", err, p.Album)
	}
	in := input(album[1])
	in.Passages[0].Quote = "[a photo]"
	payload, err := d.PrepareDecision(t.Context(), "ana", in)
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Decide(t.Context(), "ana", d.sign("ana", payload))
	if err != nil {
		t.Fatal(err)
	}
	var got []evidence.Ordinal
	for _, e := range c.Decision.Exhibits {
		got = append(got, e.Post)
	}
	if want := []evidence.Ordinal{album[1], album[0], album[2]}; !slices.Equal(got, want) {
		t.Errorf("the decision binds %v, want %v", got, want)
	}
	if w, err = d.Queue(t.Context(), "ana", 0); err != nil || len(w.Posts) != 2 {
		t.Errorf("%v: the queue still holds %+v", err, w.Posts)
	}
	d.albumOf("77", "", 15)
	if w, err = d.Queue(t.Context(), "ana", 0); err != nil || len(w.Posts) != 3 {
		t.Errorf("%v: an album that grew is not in the queue again: %+v", err, w.Posts)
	}
}

func TestADecisionOnAPartOfAnAlbumIsRefused(t *testing.T) {
	d, _ := approvedDesk(t)
	album := d.albumOf("77", "The simulated front asks for donations.", 10, 11)
	if _, err := d.Show(t.Context(), "ana", album[0]); err != nil {
		t.Fatal(err)
	}
	in := input(album[0])
	in.Passages[0].Quote = "asks for donations"
	payload, err := d.PrepareDecision(t.Context(), "ana", in)
	if err != nil {
		t.Fatal(err)
	}
	d.albumOf("77", "", 12)
	_, err = d.Decide(t.Context(), "ana", d.sign("ana", payload))
	refused(t, err, review.ChangedSince, "post a1/12 belongs to the album of an exhibit and is not among the exhibits; look at it and decide again")
}
