package collectors

import (
	"cmp"
	"slices"
)

// Account is one of our accounts on a platform, as far as spreading targets over them goes.
type Account struct {
	Source string // the name of its source
	Usable bool   // not lost, and not held up for long
	Weight int    // how much it carries against the others; 0 is 1
	Polled int    // targets that may be polled at once; more are read in rotation, urgently
	Joined int    // targets that may be joined; more are polled or read in rotation
}

// Spread assigns targets to accounts and keeps them where they are: a target that moves has to be looked up anew, which platforms allow
// seldom. It moves targets of an account that is not usable, and as many as a usable account has fewer than its share. It is not safe
// for concurrent use.
type Spread struct {
	of map[string]string // target to source
}

// slack is how far an account may be above its share before targets move to another: one target in five.
const slack = 1.2

// NewSpread returns a spread without memory.
func NewSpread() *Spread { return &Spread{of: map[string]string{}} }

// Hold notes where a target was observed before, such as by an earlier run.
func (s *Spread) Hold(target, source string) { s.of[target] = source }

// Source returns where a target is assigned to, empty where it is not.
func (s *Spread) Source(target string) string { return s.of[target] }

// Assign returns the targets of each usable account, in the order in which they were given. Where no account is usable nothing
// moves, so that each one's loss is a gap of the targets that it had. What exceeds an account's caps is given to it in a mode that it
// can bear.
func (s *Spread) Assign(accounts []Account, targets []Target) map[string][]Target {
	use := slices.DeleteFunc(slices.Clone(accounts), func(a Account) bool { return !a.Usable })
	if len(use) == 0 {
		use = slices.Clone(accounts)
	}
	if len(use) == 0 {
		return nil
	}
	b := newBalance(use, len(targets))
	// Those that few accounts can bear are settled first: what comes after gives way to them.
	for _, mode := range []string{ModeJoined, ModePoll, ModeRotation} {
		b.settle(s.of, slices.DeleteFunc(slices.Clone(targets), func(t Target) bool { return t.mode() != mode }))
	}
	s.of = b.of
	return b.give(targets)
}

// mode is the mode that is asked for.
func (t Target) mode() string {
	if t.Rotates() {
		return ModeRotation
	}
	return t.Mode
}

// balance is an assignment in the making.
type balance struct {
	accounts map[string]*load
	order    []*load
	of       map[string]string
}

// load is what an account was given, by the mode that was asked for.
type load struct {
	Account
	all, joined, polled int
	most                int // that stay when others carry less
}

func newBalance(use []Account, targets int) *balance {
	b := &balance{accounts: map[string]*load{}, of: map[string]string{}}
	weights := 0
	for i := range use {
		use[i].Weight = max(use[i].Weight, 1)
		weights += use[i].Weight
	}
	for _, a := range use {
		fair := float64(targets) * float64(a.Weight) / float64(weights)
		l := &load{Account: a, most: int(fair*slack) + 1}
		b.accounts[a.Source] = l
		b.order = append(b.order, l)
	}
	return b
}

// settle leaves targets where they were if that account has room and no more than its share, and then finds a place for the rest.
func (b *balance) settle(before map[string]string, targets []Target) {
	var homeless []Target
	for _, t := range targets {
		if l := b.accounts[before[t.ID]]; l != nil && l.room(t) && l.all < l.most {
			b.put(l, t)
		} else {
			homeless = append(homeless, t)
		}
	}
	for _, t := range homeless {
		b.put(b.best(t, before[t.ID]), t)
	}
}

// room reports whether the account can observe a target as is asked for.
func (l *load) room(t Target) bool {
	switch t.Mode {
	case ModeJoined:
		return l.joined < l.Joined
	case ModePoll:
		return l.polled < l.Polled
	}
	return true
}

func (b *balance) put(l *load, t Target) {
	l.all++
	switch t.Mode {
	case ModeJoined:
		l.joined++
	case ModePoll:
		l.polled++
	}
	b.of[t.ID] = l.Source
}

// best returns the account for a target: one that has room for it, is not above its share, had it before, and carries the least for its
// weight, in this order of importance.
func (b *balance) best(t Target, before string) *load {
	is := func(x bool) int {
		if x {
			return 0
		}
		return 1
	}
	return slices.MinFunc(b.order, func(x, y *load) int {
		return cmp.Or(
			cmp.Compare(is(x.room(t)), is(y.room(t))),
			cmp.Compare(is(x.all < x.most), is(y.all < y.most)),
			cmp.Compare(is(x.Source == before), is(y.Source == before)),
			cmp.Compare((x.all+1)*y.Weight, (y.all+1)*x.Weight),
		)
	})
}

// give hands the targets out, each in a mode that its account can bear: those that ask for a mode have it before those that fall back
// to it.
func (b *balance) give(targets []Target) map[string][]Target {
	out, joined, polled := map[string][]Target{}, map[string]int{}, map[string]int{}
	for _, l := range b.order {
		out[l.Source] = nil
		polled[l.Source] = min(l.polled, l.Polled)
	}
	asked := map[string]int{}
	for _, t := range targets {
		l := b.accounts[b.of[t.ID]]
		switch {
		case t.Rotates():
		case t.Mode == ModeJoined && joined[l.Source] < l.Joined:
			joined[l.Source]++
		case t.Mode == ModePoll && asked[l.Source] < l.Polled:
			asked[l.Source]++
		case t.Mode == ModeJoined && polled[l.Source] < l.Polled:
			polled[l.Source]++
			t.Mode = ModePoll
		default:
			t.Mode, t.Urgent = ModeRotation, true
		}
		out[l.Source] = append(out[l.Source], t)
	}
	return out
}
