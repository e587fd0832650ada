package collectors_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/muhafiz/muhafiz/collectors"
)

func many(n int, mode func(int) string) []collectors.Target {
	var ts []collectors.Target
	for i := range n {
		ts = append(ts, collectors.Target{ID: fmt.Sprintf("t%d", i), Mode: mode(i)})
	}
	return ts
}

func rotation(int) string { return "" }

func accounts(usable ...bool) []collectors.Account {
	var as []collectors.Account
	for i, u := range usable {
		as = append(as, collectors.Account{Source: fmt.Sprintf("telegram/%c", 'a'+i), Usable: u, Polled: 10, Joined: 500})
	}
	return as
}

func moved(before, after map[string]string) int {
	n := 0
	for t, s := range before {
		if after[t] != s {
			n++
		}
	}
	return n
}

func where(s *collectors.Spread, ts []collectors.Target) map[string]string {
	out := map[string]string{}
	for _, t := range ts {
		out[t.ID] = s.Source(t.ID)
	}
	return out
}

func TestALostAccountsTargetsMoveAndNoOthers(t *testing.T) {
	s, ts := collectors.NewSpread(), many(90, rotation)
	s.Assign(accounts(true, true, true), ts)
	before := where(s, ts)
	got := s.Assign(accounts(true, false, true), ts)
	if n := moved(before, where(s, ts)); n != 30 {
		t.Errorf("%d targets moved, want the 30 of the lost account", n)
	}
	if len(got["telegram/a"]) != 45 || len(got["telegram/c"]) != 45 {
		t.Errorf("a %d, c %d", len(got["telegram/a"]), len(got["telegram/c"]))
	}
	if _, there := got["telegram/b"]; there {
		t.Error("the lost account was given targets")
	}
}

func TestANewAccountTakesOnlyWhatOthersHaveTooMuchOf(t *testing.T) {
	s, ts := collectors.NewSpread(), many(100, rotation)
	s.Assign(accounts(true), ts)
	before := where(s, ts)
	got := s.Assign(accounts(true, true), ts)
	if n := moved(before, where(s, ts)); n == 0 || n > 50 || len(got["telegram/b"]) != n {
		t.Errorf("%d moved, the new account has %d", n, len(got["telegram/b"]))
	}
	again := where(s, ts)
	s.Assign(accounts(true, true), ts)
	if n := moved(again, where(s, ts)); n != 0 {
		t.Errorf("%d moved without a reason", n)
	}
}

func TestMorePolledTargetsThanAnAccountMayPollAreReadUrgently(t *testing.T) {
	ts := many(50, func(i int) string {
		if i < 25 {
			return collectors.ModePoll
		}
		return ""
	})
	got := collectors.NewSpread().Assign(accounts(true, true), ts)
	polled, urgent := 0, 0
	for source, mine := range got {
		here := 0
		for _, x := range mine {
			if x.Mode == collectors.ModePoll {
				here++
			}
			if x.Urgent {
				urgent++
			}
		}
		if here > 10 {
			t.Errorf("%s polls %d", source, here)
		}
		polled += here
	}
	if polled != 20 || urgent != 5 {
		t.Errorf("%d polled, %d urgent in rotation", polled, urgent)
	}
}

func TestWithoutAnyUsableAccountNothingMoves(t *testing.T) {
	s, ts := collectors.NewSpread(), many(10, rotation)
	s.Assign(accounts(true, true), ts)
	before := where(s, ts)
	s.Assign(accounts(false, false), ts)
	if n := moved(before, where(s, ts)); n != 0 {
		t.Errorf("%d moved", n)
	}
}

// Every target is somewhere exactly once, caps hold, and nobody moves when nothing changed.
func TestSpreadAlwaysHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := collectors.NewSpread()
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			usable := rapid.SliceOfN(rapid.Bool(), 1, 5).Draw(t, "usable")
			modes := rapid.SliceOfN(rapid.SampledFrom(collectors.Modes()), 0, 60).Draw(t, "modes")
			as := accounts(usable...)
			for i := range as {
				as[i].Polled, as[i].Joined = rapid.IntRange(0, 4).Draw(t, "polled"), rapid.IntRange(0, 4).Draw(t, "joined")
			}
			ts := many(len(modes), func(i int) string { return modes[i] })
			seen := map[string]int{}
			for source, mine := range s.Assign(as, ts) {
				count := map[string]int{}
				for _, x := range mine {
					seen[x.ID]++
					count[x.Mode]++
					if s.Source(x.ID) != source {
						t.Fatal("assigned to another account than given to")
					}
				}
				for _, a := range as {
					if a.Source == source && (count[collectors.ModePoll] > a.Polled || count[collectors.ModeJoined] > a.Joined) {
						t.Fatalf("%s has %v", source, count)
					}
				}
			}
			for _, x := range ts {
				if seen[x.ID] != 1 {
					t.Fatalf("%s is with %d accounts", x.ID, seen[x.ID])
				}
			}
			before := where(s, ts)
			s.Assign(as, ts)
			if n := moved(before, where(s, ts)); n != 0 {
				t.Fatalf("%d moved although nothing changed", n)
			}
		}
	})
}
