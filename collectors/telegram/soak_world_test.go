package telegram_test

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// truth is what the world really was, written down by the one who makes it.
type truth struct {
	rnd      *rand.Rand
	world    *telegramtest.World
	channels []*chanTruth
	agenda   agenda
	end      time.Time // of what happens
}

type chanTruth struct {
	ch      *telegramtest.Channel
	target  collectors.Target
	perHour float64
	posts   []*postTruth // by number
	away    bool
	serial  int
	lost    []stretch // in which the target's name did not lead to it
}

type postTruth struct {
	id       int
	born     time.Time
	versions []version
	gone     time.Time
	silent   bool // of its removal no update told
}

// version is a text and the time in which it stood.
type version struct {
	text     string
	from, to time.Time // to is zero while it stands
	silent   bool
}

func (p *postTruth) latest() *version { return &p.versions[len(p.versions)-1] }

// newTruth makes a world of channels, of which one in fifty is polled and the others are read in rotation.
func newTruth(seed uint64, w *telegramtest.World, channels int, end time.Time) *truth {
	tr := &truth{rnd: rand.New(rand.NewPCG(seed, 1)), world: w, end: end}
	for i := range channels {
		name := fmt.Sprintf("simulated_soak_%d", i)
		ch := w.AddChannel(telegramtest.Profile{Username: name, Title: "Simulated channel", Subscribers: 10})
		t := collectors.Target{ID: name, Platform: "telegram", Address: "https://t.me/" + name, Backfill: true}
		if i%50 == 3 {
			t.Mode = collectors.ModePoll
		}
		// From one post in two days to sixteen a day.
		c := &chanTruth{ch: ch, target: t, perHour: math.Pow(2, tr.rnd.Float64()*5-1) / 24}
		tr.channels = append(tr.channels, c)
		for range 1 + tr.rnd.IntN(5) {
			tr.post(c)
		}
		tr.soon(c)
	}
	return tr
}

// run makes the world's history until its end.
func (tr *truth) run() {
	for tr.agenda.Len() > 0 {
		e := heap.Pop(&tr.agenda).(happening)
		if e.at.After(tr.end) {
			return
		}
		if d := time.Until(e.at); d > 0 {
			<-time.After(d)
		}
		e.do()
	}
}

func (tr *truth) in(d time.Duration, do func()) {
	heap.Push(&tr.agenda, happening{time.Now().Add(d), do})
}

// soon enters a channel's next happening.
func (tr *truth) soon(c *chanTruth) {
	hours := tr.rnd.ExpFloat64() / c.perHour
	tr.in(time.Duration(hours*float64(time.Hour)), func() { tr.happen(c); tr.soon(c) })
}

func (tr *truth) happen(c *chanTruth) {
	switch n := tr.rnd.IntN(1000); {
	case n < 600:
		tr.post(c)
	case n < 680: // soon regretted
		p := tr.post(c)
		tr.in(tr.short(), func() { tr.remove(c, p, false) })
	case n < 740: // soon corrected
		p := tr.post(c)
		tr.in(tr.short(), func() { tr.edit(c, p, false) })
	case n < 850:
		tr.edit(c, tr.recent(c), tr.rnd.IntN(4) == 0)
	case n < 930:
		tr.remove(c, tr.recent(c), tr.rnd.IntN(4) == 0)
	case n < 950:
		if p := tr.recent(c); p != nil {
			c.ch.Count(p.id, func(p *telegramtest.Post) { p.Views += 100 })
		}
	case n < 965:
		c.ch.Forget()
	case n < 980:
		c.ch.Retitle(fmt.Sprintf("Simulated channel, title %d", c.serial))
		tr.adopt(c)
	case n < 990:
		tr.leave(c, c.ch.MakePrivate)
	case n < 995:
		tr.leave(c, c.ch.Vanish)
	default:
		c.serial++
		if !c.away {
			c.nameless()
			c.ch.Rename(fmt.Sprintf("%s_r%d", c.target.ID, c.serial))
		}
	}
}

// short is a life of seconds to an hour, mostly of minutes.
func (tr *truth) short() time.Duration {
	return time.Duration(math.Exp(tr.rnd.Float64()*math.Log(3600)) * float64(time.Second))
}

func (tr *truth) post(c *chanTruth) *postTruth {
	c.serial++
	p := &postTruth{born: time.Now(), versions: []version{{text: fmt.Sprintf("Simulated notice %d of %s", c.serial, c.target.ID), from: time.Now()}}}
	p.id = c.ch.Post(telegramtest.Post{Text: p.versions[0].text})
	c.posts = append(c.posts, p)
	return p
}

// adopt takes the service message that the world made by itself.
func (tr *truth) adopt(c *chanTruth) {
	all := c.ch.Posts()
	c.serial++
	c.posts = append(c.posts, &postTruth{id: all[len(all)-1].ID, born: time.Now(), versions: []version{{from: time.Now()}}})
}

// recent returns one of the channel's latest posts, nil where there is none.
func (tr *truth) recent(c *chanTruth) *postTruth {
	p := c.posts[max(0, len(c.posts)-1-tr.rnd.IntN(12))]
	if !p.gone.IsZero() || p.versions[0].text == "" {
		return nil
	}
	return p
}

func (tr *truth) edit(c *chanTruth, p *postTruth, silent bool) {
	if p == nil || !p.gone.IsZero() {
		return
	}
	c.serial++
	now := time.Now()
	p.latest().to = now
	p.versions = append(p.versions, version{text: fmt.Sprintf("Simulated notice %d of %s, corrected", c.serial, c.target.ID), from: now, silent: silent})
	change := func(x *telegramtest.Post) { x.Text = p.latest().text }
	if silent {
		c.ch.EditSilently(p.id, change)
	} else {
		c.ch.Edit(p.id, change)
	}
}

func (tr *truth) remove(c *chanTruth, p *postTruth, silent bool) {
	if p == nil || !p.gone.IsZero() {
		return
	}
	p.gone, p.silent = time.Now(), silent
	p.latest().to = p.gone
	if silent {
		c.ch.DeleteSilently(p.id)
	} else {
		c.ch.Delete(p.id)
	}
}

// leave hides a channel for some hours; then it returns under the target's name.
func (tr *truth) leave(c *chanTruth, how func()) {
	if c.away {
		return
	}
	c.away = true
	c.nameless()
	how()
	tr.in(time.Duration(1+tr.rnd.IntN(48))*time.Hour, func() {
		c.away = false
		c.lost[len(c.lost)-1].to = time.Now()
		c.ch.Return(c.target.ID)
	})
}

// stretch is a time from one moment to another; to is zero while it lasts.
type stretch struct{ from, to time.Time }

// nameless notes that the target's name no longer leads to the channel.
func (c *chanTruth) nameless() {
	if n := len(c.lost); n == 0 || !c.lost[n-1].to.IsZero() {
		c.lost = append(c.lost, stretch{from: time.Now()})
	}
}

// happening is one event of the world.
type happening struct {
	at time.Time
	do func()
}

type agenda []happening

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(happening)) }
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}
