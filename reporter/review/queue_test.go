package review_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

func TestQueueHoldsNoContentAndNewestFirst(t *testing.T) {
	d, _ := approvedDesk(t)
	d.set("second", "ana", "https://t.me/second_simulated", true)
	d.bind("second", "55")
	if err := d.approveTarget("carla", "second"); err != nil {
		t.Fatal(err)
	}
	d.set("unapproved", "ana", "https://t.me/third_simulated", true)
	d.bind("unapproved", "66")
	d.set("silent", "ana", "https://t.me/fourth_simulated", false)
	d.bind("silent", "88")
	if err := d.approveTarget("carla", "silent"); err != nil {
		t.Fatal(err)
	}
	for n := int64(10); n < 100; n++ {
		d.post("1234", n, "secret words (simulated)")
	}
	d.post("55", 42, "secret words (simulated)", evidence.Media{ID: "photo 1", Type: "photo"})
	d.post("66", 43, "secret words (simulated)")
	d.post("88", 44, "secret words (simulated)")
	d.put(evidence.Source("test"), account("1234").Post(200), &evidence.MediaMissed{MediaID: "photo 9", Reason: "unreachable"})

	w, err := d.Queue(t.Context(), "ana", 60)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Posts) != 60 || !w.More || w.Targets != 2 {
		t.Fatalf("got %d posts, more %v, of %d targets", len(w.Posts), w.More, w.Targets)
	}
	if w.Posts[0].Post != "a1/99" || w.Posts[58].Post.Part() != "42" || w.Posts[57].Post.Part() != "42" {
		t.Errorf("got %s, %s, %s", w.Posts[0].Post, w.Posts[57].Post, w.Posts[58].Post)
	}
	b, err := json.Marshal(w)
	if err != nil || strings.Contains(string(b), "secret") {
		t.Errorf("the queue shows content: %v", err)
	}
	if w, err = d.Queue(t.Context(), "ana", 1000); err != nil || len(w.Posts) != 92 || w.More {
		t.Errorf("got %d posts, %v", len(w.Posts), err)
	}
	if n := d.count(evidence.KindAccess); n != 2 {
		t.Errorf("%d looks were recorded, want 2", n)
	}
	_, err = d.Queue(t.Context(), "nobody", 1)
	refused(t, err, review.NotOnRoster, "")
}

func TestDecidedPostComesBackWhenItChanges(t *testing.T) {
	d, post := approvedDesk(t)
	in := review.DecisionInput{Posts: []evidence.Ordinal{post}, Outcome: review.OutcomeNoAction, Comment: "nothing broken"}
	if c := d.decide("ana", in); c.Status != review.CaseClosed {
		t.Fatalf("got %+v", c)
	}
	w, err := d.Queue(t.Context(), "ana", 10)
	if err != nil || len(w.Posts) != 0 {
		t.Fatalf("got %+v, %v", w, err)
	}
	d.post("1234", 4, "edited, asks for donations (simulated)")
	w, err = d.Queue(t.Context(), "ana", 10)
	if err != nil || len(w.Posts) != 1 || w.Posts[0].Changed != "c1" || w.Posts[0].Versions != 2 {
		t.Fatalf("got %+v, %v", w, err)
	}
	if c := d.decide("ana", input(post)); c.Ordinal != "c2" {
		t.Errorf("decided in %s, want a case of its own", c.Ordinal)
	}
}

func TestShowRecordsTheLookFirst(t *testing.T) {
	d, post := approvedDesk(t)
	d.put(evidence.Source("test"), account("1234").Post(4), &evidence.PostGone{How: evidence.GoneMissing, Method: evidence.MethodMTProto, Vantage: "v"})
	p, err := d.Show(t.Context(), "dina", post)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.Latest().Post.Text, "donations") || p.Link != "https://t.me/example_simulated/4" ||
		p.Platform != "telegram channel 1234" || p.Gone != evidence.GoneMissing || len(p.History) != 2 || p.Target != "demo" {
		t.Errorf("got %+v", p)
	}
	last, err := d.vault.Record(t.Context(), d.vault.Size()-1)
	if err != nil || last.Kind != evidence.KindAccess || last.Subject != post {
		t.Errorf("got %+v, %v", last.Envelope, err)
	}
	_, err = d.Show(t.Context(), "eve", post)
	refused(t, err, review.NotOnRoster, "")
	if n := d.count(evidence.KindAccess); n != 1 {
		t.Errorf("%d looks were recorded", n)
	}
}

func TestWaitingCaseTakesAllItsPosts(t *testing.T) {
	d, first := approvedDesk(t)
	second := d.post("1234", 5, "also asks for donations (simulated)")
	third := d.post("1234", 6, "again asks for donations (simulated)")
	d.decide("ana", input(first, second))
	_, err := d.PrepareDecision(t.Context(), "ana", input(first))
	refused(t, err, review.WrongCase, "case c1 is decided and also holds a1/5; name all of its posts to decide it again")
	if c := d.decide("ana", input(third)); c.Ordinal != "c2" {
		t.Errorf("got %s", c.Ordinal)
	}
	_, err = d.PrepareDecision(t.Context(), "ana", input(first, second, third))
	refused(t, err, review.AlreadyDecided, "")
}

func TestShowCaseIsWhatTheSecondPersonReads(t *testing.T) {
	d, post := approvedDesk(t)
	c := d.decide("ana", input(post))
	f, err := d.ShowCase(t.Context(), "bilal", c.Ordinal)
	if err != nil {
		t.Fatal(err)
	}
	if f.Decision.Grounds.Passages[0].Quote != "asks for donations" || len(f.Exhibits) != 1 || f.Stands != "" || f.Target.Key != "demo" ||
		!strings.Contains(f.Exhibits[0].Latest().Post.Text, "donations") {
		t.Errorf("got %+v", f)
	}
	d.post("1234", 4, "edited, asks for donations (simulated)")
	if f, err = d.ShowCase(t.Context(), "bilal", c.Ordinal); err != nil || !strings.Contains(f.Stands, "has a newer version") {
		t.Errorf("got %q, %v", f.Stands, err)
	}
	// One look at the post, and two at the case with its exhibit.
	if n := d.count(evidence.KindAccess); n != 5 {
		t.Errorf("%d looks were recorded", n)
	}
	_, err = d.ShowCase(t.Context(), "bilal", "c7")
	refused(t, err, review.WrongCase, "there is no case c7; the queue lists them")
}
