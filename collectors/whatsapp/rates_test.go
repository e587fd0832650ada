package whatsapp_test

import (
	"fmt"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// pagesOf counts how often a channel's posts were asked for.
func pagesOf(l *lab, ch *whatsapptest.Channel, since int) (n int) {
	for _, c := range l.srv.Calls()[since:] {
		if c.Kind != "newsletter.messages" {
			continue
		}
		if jid, ok := c.Node.GetChildren()[0].Attrs["jid"].(types.JID); ok && jid == ch.JID() {
			n++
		}
	}
	return n
}

// A channel's rate is learned, outlives a restart, stands in the plan, and has a busy channel read more often than a silent one.
func TestBusyChannelsAreReadMoreOften(t *testing.T) {
	l := linked(t)
	busy, silent := filled(l, 1), filled(l, 1)
	l.o.PollEvery = map[string]time.Duration{collectors.ModeRotation: 200 * time.Millisecond, collectors.ModePoll: 10 * time.Millisecond}
	x, y := target(busy, rotation, once), target(silent, rotation, once)
	v := newVault(t, x, y)
	r := start(t, v, v, l.o, x, y)
	r.until(t, "the first posts", func(rs []record) bool { return len(of[*evidence.PostSeen](rs)) == 2 })
	busy.Fill(40, func(i int) whatsapptest.Post { return whatsapptest.Post{Text: fmt.Sprintf("simulated %d", i)} })
	r.until(t, "the others", func(rs []record) bool { return len(of[*evidence.PostSeen](rs)) == 42 })
	r.stop(t)

	src := whatsapp.New(l.o)
	src.Watch([]collectors.Target{x, y})
	p, err := src.Plan(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]collectors.TargetPlan{}
	for _, q := range p.Targets {
		of[q.Target] = q
	}
	if b, s := of[x.ID], of[y.ID]; b.PerHour < 5*s.PerHour || s.PerHour <= 0 || b.Every > 0.15 || s.Every < 0.3 || s.Every > 0.4 || b.Worst >= s.Worst {
		t.Errorf("busy %+v, silent %+v", b, s)
	}

	since := l.srv.CallCount("*")
	start(t, v, v, l.o, x, y)
	deadline := time.Now().Add(20 * time.Second)
	for pagesOf(l, busy, since) < 12 {
		if time.Now().After(deadline) {
			t.Fatalf("the busy one was asked for %d times", pagesOf(l, busy, since))
		}
		if err := l.srv.WaitCalls(t.Context(), "newsletter.messages", l.srv.CallCount("newsletter.messages")+1); err != nil {
			t.Fatal(err)
		}
	}
	if b, s := pagesOf(l, busy, since), pagesOf(l, silent, since); s == 0 || b < 2*s {
		t.Errorf("busy %d times, silent %d times", b, s)
	}
}
