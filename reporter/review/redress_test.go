package review_test

import (
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

func (d *desk) relist(person, target, reason string) (review.Target, error) {
	d.t.Helper()
	payload, err := d.PrepareRelisting(d.t.Context(), person, target, reason)
	if err != nil {
		return review.Target{}, err
	}
	return d.Relist(d.t.Context(), person, target, d.sign(person, payload))
}

func TestAnInnocentAccountDoesNotComeBackByOnePerson(t *testing.T) {
	d, post := approvedDesk(t)
	d.keys["eva"] = newKey(t)
	d.enlist("eva", "senior", d.keys["eva"], false)
	_, err := d.Mark(t.Context(), "dina", "demo", "friend", "x")
	refused(t, err, review.Incomplete, "say what the account is, as one of: journalist, researcher, rights_group, news_outlet, other")
	_, err = d.Mark(t.Context(), "dina", "demo", "journalist", " ")
	refused(t, err, review.Incomplete, "say how you know that target demo is innocent")
	got, err := d.Mark(t.Context(), "dina", "demo", "journalist", "works for a paper (simulated)")
	if err != nil || got.State != review.TargetInnocent || got.Stop.Category != "journalist" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if d.count(evidence.KindTargetSuspended) != 1 || d.count(evidence.KindTargetMarked) != 1 {
		t.Error("a mark suspends as well")
	}
	_, err = d.PrepareDecision(t.Context(), "ana", input(post))
	refused(t, err, review.Innocent, "target demo is marked innocent (journalist: works for a paper (simulated)); its cases are frozen")

	// Neither another edit, nor leaving the list for a while, nor another id, nor another address of the same account helps.
	d.set("demo", "ana", "https://t.me/example_simulated", false)
	d.put(evidence.Vault(), evidence.Target("demo"), &evidence.TargetRemoved{Reason: "no longer in the watchlists"})
	d.set("demo", "ana", "https://t.me/example_simulated", true)
	d.set("again", "ana", "https://t.me/Example_Simulated", true)
	d.set("moved", "ana", "https://t.me/moved_simulated", true)
	if err := d.approveTarget("bilal", "moved"); err != nil {
		t.Fatal(err)
	}
	d.bind("moved", "1234")
	for _, id := range []string{"demo", "again", "moved"} {
		if got := d.target(id); got.State != review.TargetInnocent || got.Collectable(d.now) {
			t.Errorf("%s: got %+v", id, got)
		}
		refused(t, d.approveTarget("bilal", id), review.Innocent, "target "+id+" is marked innocent (journalist: works for a paper (simulated)); two other people must first sign why it belongs on the list: muhafiz watch relist "+id)
	}

	// Two other people can, each with a reason.
	_, err = d.relist("bilal", "again", "")
	refused(t, err, review.Incomplete, "say why target again belongs on the list although it was marked innocent")
	_, err = d.relist("ana", "again", "y")
	refused(t, err, review.Role, "")
	d.enlist("dina", "senior", d.keys["dina"], false)
	_, err = d.relist("dina", "again", "y")
	refused(t, err, review.SamePerson, "dina marked or suspended target demo, so two other people must relist it")
	d.enlist("ana", "senior", d.keys["ana"], false)
	_, err = d.relist("ana", "again", "y")
	refused(t, err, review.SamePerson, "ana put target again on the list, so two other people must relist it")
	d.enlist("eva", "senior", d.keys["dina"], false)
	eva := d.keys["eva"]
	d.keys["eva"] = d.keys["dina"]
	_, err = d.relist("eva", "again", "y")
	refused(t, err, review.SameKey, "eva and dina have the same key on the roster; two people need two keys")
	d.keys["eva"] = eva
	d.enlist("eva", "senior", eva, false)

	if got, err := d.relist("bilal", "again", "the paper does not know them (simulated)"); err != nil || got.State != review.TargetInnocent {
		t.Fatalf("got %+v, %v", got, err)
	}
	_, err = d.relist("bilal", "again", "once more")
	refused(t, err, review.SamePerson, "bilal signed already that target again be lifted; a second person must sign as well")
	if got, err := d.relist("carla", "again", "confirmed by the paper (simulated)"); err != nil || got.State != review.TargetListed {
		t.Fatalf("got %+v, %v", got, err)
	}
	if err := d.approveTarget("eva", "again"); err != nil {
		t.Fatal(err)
	}
	if !d.target("again").Collectable(d.now) || d.target("demo").State != review.TargetInnocent {
		t.Error("a relisting frees one target, and only that")
	}
}

func TestASuspendedAccountIsHidden(t *testing.T) {
	d, post := approvedDesk(t)
	c := d.decide("ana", input(post))
	d.enlist("olga", "auditor", newKey(t), false)
	if err := d.Suspend(t.Context(), "ana", "demo", "in doubt"); err != nil {
		t.Fatal(err)
	}
	hidden := func(person, reason string) bool {
		t.Helper()
		desk := *d.Desk
		desk.Reason = reason
		p, err := desk.Show(t.Context(), person, post)
		if err != nil {
			t.Fatal(err)
		}
		f, err := desk.ShowCase(t.Context(), person, c.Ordinal)
		if err != nil {
			t.Fatal(err)
		}
		if (p.Hidden == "") != (p.Latest().Post != nil) || (f.Hidden == "") != (f.Decision != nil && len(f.Exhibits) == 1) || p.Hidden != f.Hidden {
			t.Errorf("%s: %q, %q", person, p.Hidden, f.Hidden)
		}
		return p.Hidden != ""
	}
	for _, c := range []struct {
		person, reason string
		want           bool
	}{{"ana", "curious", true}, {"bilal", "", true}, {"dina", "", true}, {"dina", "a complaint (simulated)", false}, {"olga", "an audit (simulated)", false}} {
		if got := hidden(c.person, c.reason); got != c.want {
			t.Errorf("%s with %q: hidden %v", c.person, c.reason, got)
		}
	}
	last, err := d.vault.Record(t.Context(), d.vault.Size()-1)
	if err != nil {
		t.Fatal(err)
	}
	a, err := evidence.Decode[*evidence.Access](last)
	if err != nil || !strings.Contains(a.What, "show") {
		t.Errorf("got %+v, %v", a, err)
	}
	w, err := d.Queue(t.Context(), "bilal", 10)
	if err != nil || len(w.Posts) != 0 || len(w.Waiting) != 1 || w.Waiting[0].Frozen != "target demo is suspended (in doubt); its cases are frozen until two people approve it again" {
		t.Errorf("got %+v, %v", w, err)
	}
	// The same account under another id waits for two people as well.
	d.set("twin", "ana", "https://t.me/example_simulated", true)
	if got := d.target("twin"); got.State != review.TargetSuspended {
		t.Errorf("got %+v", got)
	}
}

func TestSuspensionStopsEveryTargetOfTheAccount(t *testing.T) {
	d, _ := approvedDesk(t)
	d.set("twin", "ana", "https://t.me/twin_simulated", false)
	if err := d.approveTarget("bilal", "twin"); err != nil {
		t.Fatal(err)
	}
	d.bind("twin", "1234")
	if err := d.Suspend(t.Context(), "ana", "twin", "in doubt"); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"demo", "twin"} {
		if got := d.target(id); got.State != review.TargetSuspended {
			t.Errorf("%s: %+v", id, got)
		}
	}
	// A reply that was under way must not turn a suspension into a listing.
	d.bind("twin", "777")
	if got := d.target("twin"); got.State != review.TargetSuspended || got.Stop.Account != got.Account {
		t.Errorf("got %+v", got)
	}
}

func TestRedressListsWhatLeft(t *testing.T) {
	d, post := approvedDesk(t)
	c := d.decide("ana", input(post))
	if _, err := d.approve("bilal", c.Ordinal, true); err != nil {
		t.Fatal(err)
	}
	d.put(evidence.Vault(), evidence.Notice("k"), &evidence.NoticeDrafted{Key: "k", Platform: "telegram", Cases: []evidence.NoticeCase{{Case: c.Ordinal}}})
	d.put(evidence.Vault(), evidence.Notice("k"), &evidence.NoticeSent{Receipt: "250 ok"})
	d.put(evidence.Person("dina"), evidence.Case(c.Key), &evidence.BundleBuilt{Name: "c1-bag", Edition: "full"})
	d.put(evidence.Person("dina"), evidence.Vault(), &evidence.BundleBuilt{Name: "many", Edition: "standard"})
	d.put(evidence.Person("bilal"), account("1234"), &evidence.Access{What: "export", Note: "10 posts"})
	d.put(evidence.Person("bilal"), account("1234").Post(7), &evidence.Access{What: "export", Note: "1 post"})
	d.put(evidence.Person("bilal"), account("99").Post(7), &evidence.Access{What: "export", Note: "of another account"})
	if err := d.Suspend(t.Context(), "ana", "demo", "in doubt"); err != nil {
		t.Fatal(err)
	}
	at := d.target("demo").Stop.At
	d.now = at.Add(90 * time.Minute)
	r, err := d.Redress(t.Context(), "ana", "demo")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Cases) != 1 || len(r.Notices) != 1 || r.Notices[0].What != "sent" || r.Hours != 1.5 ||
		len(r.Bundles) != 2 || len(r.Exports) != 2 || r.Exports[0].By != "bilal" || r.Looks == 0 {
		t.Errorf("got %+v", r)
	}
	for _, b := range r.Bundles {
		if b.By != "dina" || b.Unsure != (b.Subject == "v0") {
			t.Errorf("got %+v", b)
		}
	}
}
