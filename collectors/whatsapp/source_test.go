package whatsapp_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

func TestBackfillAndLive(t *testing.T) {
	l := linked(t)
	ch := l.world.AddChannel(whatsapptest.Profile{Name: "Simulated gazette", Description: "simulated", Followers: 1234, Verified: true})
	ch.Fill(230, func(i int) whatsapptest.Post {
		return whatsapptest.Post{Text: fmt.Sprintf("simulated %d", i), Views: i, Reactions: map[string]int{"👍": i % 3}}
	})
	r := observe(t, l, target(ch, joined))
	rs := r.until(t, "the history", posts(230))
	for _, p := range ch.Posts() {
		if got := texts(rs)[fmt.Sprint(p.ServerID)]; !slices.Equal(got, []string{p.Text}) {
			t.Fatalf("post %d: %q", p.ServerID, got)
		}
	}
	if a := of[*evidence.AccountSeen](rs); len(a) != 1 || a[0].Title != "Simulated gazette" || a[0].Subscribers != 1234 || !a[0].Verified {
		t.Fatalf("snapshots: %+v", a)
	}
	checkRaw(t, r, rs)

	id := ch.Post(whatsapptest.Post{Text: "simulated and pushed"})
	rs = r.until(t, "the push", func(rs []record) bool { return len(texts(rs)[fmt.Sprint(id)]) > 0 && shown(t, r, rs, id) })
	if n := len(texts(rs)[fmt.Sprint(id)]); n != 1 {
		t.Errorf("a push and the answer that shows it made %d versions", n)
	}
	ch.Edit(id, func(p *whatsapptest.Post) { p.Text = "simulated and edited" })
	r.until(t, "the edit", func(rs []record) bool { return len(texts(rs)[fmt.Sprint(id)]) == 2 })
	if err := l.srv.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, d := range l.world.Devices() {
		if d.Pending != 0 {
			t.Errorf("%d pushes are not acknowledged", d.Pending)
		}
	}
}

// shown reports whether a query's elements that hold the post are kept.
func shown(t testing.TB, r *rig, rs []record, id int) bool {
	for _, a := range of[*evidence.Acquisition](rs) {
		if a.Method == "newsletter.messages" && strings.Contains(string(blob(t, r.v, a.Reply.SHA256)), fmt.Sprintf(`"server_id":"%d"`, id)) {
			return true
		}
	}
	return false
}

// checkRaw holds every post against the element in the reply that it says it stands in.
func checkRaw(t testing.TB, r *rig, rs []record) {
	t.Helper()
	acqs := map[string]*evidence.Acquisition{}
	for _, x := range rs {
		if a, ok := x.body.(*evidence.Acquisition); ok {
			acqs[x.ID.String()] = a
		}
	}
	for _, x := range rs {
		p, ok := x.body.(*evidence.PostSeen)
		if !ok {
			continue
		}
		a := acqs[p.Acquisition.String()]
		if a == nil || !a.Reencoded || p.RawExact || p.Raw == nil {
			t.Fatalf("%s: acquisition %+v, raw %v exact %v", x.Subject, a, p.Raw, p.RawExact)
		}
		if a.Method != "newsletter.messages" {
			continue
		}
		var e struct {
			Tag   string
			Attrs map[string]string
		}
		if err := json.Unmarshal(blob(t, r.v, a.Reply.SHA256)[p.Raw.Offset:p.Raw.Offset+p.Raw.Length], &e); err != nil || e.Attrs["server_id"] != x.Subject.Part() {
			t.Fatalf("%s: %v %+v", x.Subject, err, e)
		}
	}
}
