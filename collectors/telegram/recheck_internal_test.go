package telegram

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func TestIDSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var s idset
	want := map[int]bool{}
	for range 3000 {
		id := 5000 + rng.IntN(20000)
		if rng.IntN(4) == 0 {
			s.remove([]int{id})
			delete(want, id)
		} else {
			s.add([]int{id}, 1<<20)
			want[id] = true
		}
	}
	js, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again idset
	if err := json.Unmarshal(js, &again); err != nil {
		t.Fatal(err)
	}
	all := again.above(0, 1<<20)
	if len(all) != len(want) || !slices.IsSorted(all) || again.count(1<<30) != len(want) {
		t.Fatalf("%d ids, want %d", len(all), len(want))
	}
	for _, id := range all {
		if !want[id] || !again.has(id) {
			t.Fatalf("%d is not in the set", id)
		}
	}
	s.add([]int{100_000}, 1000)
	if got := s.above(0, 10); !slices.Equal(got, []int{100_000}) || len(s.bits) > 126 {
		t.Errorf("the set is not cut: %v in %d bytes", got, len(s.bits))
	}
}

func FuzzIDSet(f *testing.F) {
	f.Add([]byte(`{"first":8,"bits":"/w"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s idset
		if json.Unmarshal(b, &s) != nil {
			return
		}
		s.add([]int{s.first + 9}, 100)
		if !s.has(s.first + 9) {
			t.Error("what was added is not there")
		}
		s.above(0, 5)
		s.count(s.first + 3)
	})
}

// TestEveryPostIsLookedAtAtEveryAge plays a year of a channel that posts at random: every post is asked about at each age, not much
// later than that, and from then on in every round; and the requests stay few.
func TestEveryPostIsLookedAtAtEveryAge(t *testing.T) {
	o := Options{RecheckEvery: 30 * time.Minute}
	o.setDefaults()
	rng := rand.New(rand.NewPCG(3, 4))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now, nextPost, id, requests := start, start, 0, 0
	born := map[int]time.Time{}
	looks := map[int][]time.Duration{}
	var c cursor
	for now.Before(start.AddDate(0, 9, 0)) {
		k, at, ok := c.next()
		if !ok || nextPost.Before(at) {
			now = nextPost
			id++
			born[id] = now
			p := post{id: id, body: &evidence.PostSeen{ClaimedAt: evidence.At(now)}}
			c.aged([]post{p}, o.ages(), now)
			c.Known.add([]int{id}, o.RecheckMost)
			c.begin(&o, now)
			nextPost = now.Add(time.Duration(rng.ExpFloat64() * float64(3*time.Hour))).Truncate(time.Second)
			continue
		}
		now = later(now, at)
		ids := c.asks(k)
		if len(ids) == 0 {
			c.nobody(k, &o, now)
			continue
		}
		requests++
		upTo, young := 0, seconds(0)
		for _, x := range ids {
			if k < len(o.ages()) && born[x].Add(o.ages()[k]).After(now) {
				young = seconds(born[x].Unix())
				break
			}
			upTo = x
			looks[x] = append(looks[x], now.Sub(born[x]))
		}
		c.looked(k, upTo, young, &o, now)
	}
	for x, at := range born {
		for _, age := range o.ages() {
			if now.Sub(at) < 2*age {
				continue
			}
			if !slices.ContainsFunc(looks[x], func(d time.Duration) bool { return d >= age && d <= age+age/2+time.Minute }) {
				t.Fatalf("post %d was looked at at the ages %v, and not near %v", x, looks[x], age)
			}
		}
		if old := now.Sub(at); old > 30*24*time.Hour+2*o.RecheckAgain && slices.Max(looks[x]) < old-2*o.RecheckAgain {
			t.Fatalf("post %d was last looked at at the age %v of %v", x, slices.Max(looks[x]), old)
		}
	}
	if perDay := float64(requests) / (now.Sub(start).Hours() / 24); perDay > 40 {
		t.Errorf("%.0f requests a day for %d posts", perDay, id)
	}
}
