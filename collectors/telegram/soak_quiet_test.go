package telegram_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// quiet runs what happens in a world of the soak's in which nothing happens by itself, and returns what is recorded then.
func quiet(t *testing.T, channels int, tune func(*telegram.Options), what func(t *testing.T, s *soak)) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		s := newSoak(t, channels, 1, 1)
		s.tune, s.lost["telegram/"+soakSpare] = tune, true
		what(t, s)
	})
}

// lives runs our daemon meanwhile and returns what is recorded after it.
func (s *soak) lives(meanwhile func()) map[*chanTruth]*recorded {
	ctx, stop := context.WithCancel(s.Context())
	done := make(chan struct{})
	go func() { s.live(ctx); close(done) }()
	meanwhile()
	stop()
	<-done
	v, err := vault.Open(s.path, s.vault)
	if err != nil {
		s.Fatal(err)
	}
	defer v.Close()
	return s.read(v)
}

// A post that is new on a page on which an old one is looked at again is looked at at its own time.
func TestANewPostKeepsItsOwnLooks(t *testing.T) {
	quiet(t, 1, nil, func(t *testing.T, s *soak) {
		c := s.truth.channels[0]
		var p *postTruth
		got := s.lives(func() {
			s.truth.post(c)
			<-time.After(10 * time.Minute)
			s.down.Store(true) // so that the old one's look and the new one come to be on one page
			s.srv.DropConnections()
			<-time.After(soakRecheck)
			p = s.truth.post(c)
			s.down.Store(false)
			<-time.After(20 * time.Minute)
			s.truth.edit(c, p, true)
			<-time.After(50 * time.Minute) // before any comes to the next age
		})
		if seen := got[c].seen[p.id]; len(seen) != 2 || seen[1].Text != p.latest().text {
			t.Errorf("%d versions of 2 are recorded", len(seen))
		}
	})
}

// An edit that is shown by the page of history which confirms that another post is missing is stored like any.
func TestAPageThatConfirmsIsALook(t *testing.T) {
	quiet(t, 1, nil, func(t *testing.T, s *soak) {
		c := s.truth.channels[0]
		old := c.posts[0]
		var p *postTruth
		got := s.lives(func() {
			<-time.After(6 * soakRecheck) // the next age of the old one is far off
			p = s.truth.post(c)
			<-time.After(soakRotateMax)
			s.truth.remove(c, p, true)
			s.truth.edit(c, old, true)
			<-time.After(2 * time.Hour)
		})
		if n := len(got[c].gone[p.id]); n != 1 {
			t.Errorf("%d records say that the post is missing", n)
		}
		if seen := got[c].seen[old.id]; len(seen) != 2 {
			t.Errorf("%d versions of 2 are recorded", len(seen))
		}
	})
}

// With nine resolutions a day, of which two come at once, names that lead nowhere do not keep the others waiting, nor take what is left.
func TestNamesThatLeadNowhereWait(t *testing.T) {
	budget := func(o *telegram.Options) { o.Budget = telegram.Budget{ResolvesPerDay: 9} }
	quiet(t, 6, budget, func(t *testing.T, s *soak) {
		for _, c := range s.truth.channels[:4] {
			c.ch.MakePrivate()
		}
		got := s.lives(func() { <-time.After(15 * time.Hour) })
		for _, c := range s.truth.channels[4:] {
			if got[c].bound.IsZero() {
				t.Errorf("%s was not looked up, though there were resolutions for everybody", c.target.ID)
			}
		}
		if n := s.srv.CallCount("contacts.resolveUsername"); n != 6 {
			t.Errorf("%d addresses were looked up, want 6", n)
		}
	})
}

// A channel that is refused to us is looked at by its number, which costs no resolution, also by a daemon that starts again and again.
func TestAChannelThatWentIsLookedAtByItsNumber(t *testing.T) {
	quiet(t, 1, nil, func(t *testing.T, s *soak) {
		c := s.truth.channels[0]
		var back time.Time
		got := s.lives(func() {
			<-time.After(time.Hour)
			c.ch.MakePrivate()
			for range 20 {
				<-time.After(2 * time.Hour)
				s.stop(false)
			}
			c.ch.Return(c.target.ID)
			back = time.Now()
			<-time.After(5 * time.Hour)
		})
		if n := s.srv.CallCount("contacts.resolveUsername"); n > 5 {
			t.Errorf("the name was looked up %d times in 40 hours", n)
		}
		if last := got[c].status[len(got[c].status)-1]; last.State != "up" || last.Observed.From.Sub(back) > 5*time.Hour {
			t.Errorf("after its return: %+v", last)
		}
	})
}

// The plan says what is not observed while that lasts.
func TestThePlanSaysWhatIsNotObserved(t *testing.T) {
	quiet(t, 2, nil, func(t *testing.T, s *soak) {
		v, err := vault.Open(s.path, s.vault)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		src := telegram.New(s.options(soakMain))
		src.Watch([]collectors.Target{s.truth.channels[0].target, s.truth.channels[1].target})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- src.Run(ctx, v) }()
		defer func() { stop(); <-done }()

		expect := func(when string, blind bool) {
			t.Helper()
			p, err := src.Plan(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			if x := p.Targets[0]; x.BlindSince.IsZero() == blind || blind != (x.BlindCause == "unreachable") {
				t.Errorf("%s: not observed since %v: %q", when, x.BlindSince, x.BlindCause)
			}
			if x := p.Targets[1]; !x.BlindSince.IsZero() {
				t.Errorf("%s: the other target is said not to be observed: %q", when, x.BlindCause)
			}
		}
		<-time.After(2 * time.Hour)
		expect("in the beginning", false)
		ch := s.truth.channels[0].ch
		ch.MakePrivate()
		<-time.After(10 * time.Hour)
		expect("between two tries", true)
		ch.Return(s.truth.channels[0].target.ID)
		<-time.After(5 * time.Hour)
		expect("after its return", false)
		ch.Post(telegramtest.Post{Text: "Simulated"})
	})
}
