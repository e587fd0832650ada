package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/diary"
)

// trouble is something that keeps us from seeing.
type trouble struct {
	key, what, do string
	since         time.Time
	quiet         bool // it has a cause that is told: it is neither told nor over
}

// keySight is the trouble that no source sees at all.
const keySight = "sight"

// lostState reports whether a source is in a state that waiting does not mend.
func lostState(state string) bool {
	return slices.Contains([]string{"logged-out", "needs-password", "frozen", "banned", "unpaired", "replaced", "client-outdated"}, state)
}

// watchman finds out what keeps us from seeing. It reads the log; all that it remembers is what it read within the last minute.
type watchman struct {
	rooms   *Rooms
	started time.Time         // of this daemon
	given   func(string) bool // the supervisor gave the source up
	sources []string          // those that run, by name
	alerts  *config.Alerts    // nil: the defaults
	// plans, where set, tells what each target can expect, so that one that is read seldom by plan is not called blind.
	plans func(context.Context) ([]collectors.Plan, error)
	cache *sightings // nil: none
}

// sightings spares thousands of reads where the metrics and the alerts ask at the same time.
type sightings struct {
	mu   sync.Mutex
	at   time.Time
	list []seen
}

// sightingsAge is how old what is remembered may be.
const sightingsAge = 50 * time.Second

// seen returns what was observed until when.
func (w *watchman) seen(ctx context.Context, now time.Time) ([]seen, error) {
	if w.cache == nil {
		return w.look(ctx)
	}
	w.cache.mu.Lock()
	defer w.cache.mu.Unlock()
	if age := now.Sub(w.cache.at); age >= 0 && age < sightingsAge {
		return w.cache.list, nil
	}
	list, err := w.look(ctx)
	if err == nil {
		w.cache.at, w.cache.list = now, list
	}
	return list, err
}

func (w *watchman) look(ctx context.Context) ([]seen, error) {
	list, err := w.rooms.observation(ctx, w.sources)
	if err != nil || w.plans == nil {
		return list, err
	}
	plans, err := w.plans(ctx)
	if err != nil {
		return nil, err
	}
	worst := map[string]time.Duration{}
	for _, p := range plans {
		for _, t := range p.Targets {
			worst[t.Target] = time.Duration(t.Worst * float64(time.Second))
		}
	}
	for i, s := range list {
		list[i].Worst = worst[s.ID]
	}
	return list, nil
}

// blind reports whether a target was not observed for longer than is allowed, and for longer than twice what its plan expects.
func (s seen) blind(now time.Time, limit time.Duration) bool {
	return now.Sub(s.At) >= max(limit, 2*s.Worst)
}

// limits are the pauses of the configuration.
func (w *watchman) limits() (after, blindAfter time.Duration) {
	if w.alerts == nil {
		return 10 * time.Minute, 6 * time.Hour
	}
	return time.Duration(w.alerts.After), time.Duration(w.alerts.BlindAfter)
}

// troubles returns all that keeps us from seeing now, ordered by key. While no source sees, its targets are quiet.
func (w *watchman) troubles(ctx context.Context, now time.Time) ([]trouble, error) {
	targets, err := w.blindTargets(ctx, now)
	if err != nil {
		return nil, err
	}
	states, err := w.rooms.sourceStates(ctx)
	if err != nil {
		return nil, err
	}
	var out []trouble
	blind := 0
	var since time.Time
	for _, name := range w.sources {
		st, known := states[name]
		if !known {
			continue // it has not begun
		}
		if t, dark := w.source(st, now); t.key != "" || dark {
			if t.key != "" {
				out = append(out, t)
			}
			if dark {
				blind++
				since = later(since, st.Blind.Time)
			}
		}
	}
	watched, err := w.rooms.collectable(ctx)
	if err != nil {
		return nil, err
	}
	if len(w.sources) > 0 && blind == len(w.sources) && len(watched) > 0 {
		out = append(out, trouble{
			key: keySight, since: since,
			what: fmt.Sprintf("nothing is seen: none of our %s can be used, and %s not observed", many(len(w.sources), "account"), targetsAre(len(watched))),
			do:   "look at `muhafiz status`; log an account in with `muhafiz login PLATFORM NAME`, and look at the network",
		})
		for i := range targets {
			targets[i].quiet = true
		}
	}
	if w.rooms.space.stopped() { // that is told, and the rest follows from it
		for i := range targets {
			targets[i].quiet = true
		}
	}
	damage, err := w.damage(ctx)
	if err != nil {
		return nil, err
	}
	out = slices.Concat(out, targets, damage, w.rooms.space.troubles(now))
	slices.SortFunc(out, func(a, b trouble) int { return strings.Compare(a.key, b.key) })
	return out, nil
}

// source says what is wrong with a source, if something is, and whether it sees nothing.
func (w *watchman) source(st SourceState, now time.Time) (t trouble, dark bool) {
	after, _ := w.limits()
	if lostState(st.State) {
		t = trouble{key: "account/" + st.Name, since: st.Blind.Time, do: st.Advice, what: "our account " + st.Name + " is " + st.State}
		if !st.FrozenUntil.IsZero() {
			t.what += " and will be deleted on " + st.FrozenUntil.UTC().Format("2006-01-02")
		}
		return t, st.State != "frozen" || w.given(st.Name) // a frozen one may still read
	}
	if st.State == "no-room" {
		return trouble{key: "account/" + st.Name, since: st.Blind.Time, quiet: true}, false // the disk's own alert says it
	}
	if st.Blind.IsZero() || now.Sub(later(st.Blind.Time, w.started)) < after {
		return trouble{}, false
	}
	t = trouble{
		key: "account/" + st.Name, since: st.Blind.Time, what: "our account " + st.Name + " does not see (" + st.State + ")",
		do: "look at the log and at the network: " + clipped(st.Detail),
	}
	if st.Advice != "" {
		t.do = clipped(st.Detail) + ". " + st.Advice
	}
	return t, true
}

// clipped keeps a reason short enough for a message.
func clipped(s string) string {
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}

// blindTargets returns the targets that were not observed for too long. One that the platform took down is no blindness of ours.
func (w *watchman) blindTargets(ctx context.Context, now time.Time) ([]trouble, error) {
	after, limit := w.limits()
	if now.Sub(w.started) < after {
		return nil, nil // a daemon that has just begun catches up first
	}
	list, err := w.seen(ctx, now)
	if err != nil {
		return nil, err
	}
	var out []trouble
	for _, s := range list {
		if s.Down || !s.blind(now, limit) {
			continue
		}
		t := trouble{key: "target/" + s.ID, since: s.At, what: "target " + s.ID + " was not observed since " + s.At.UTC().Format("2006-01-02 15:04Z")}
		if s.Never {
			t.what = "target " + s.ID + " was not observed since it was approved"
		}
		t.do = "look at the target's gaps with `muhafiz log`"
		if s.Stopped != "" {
			t.what += ": it is stopped, " + s.Stopped
		}
		out = append(out, t)
	}
	return out, nil
}

// seen is until when a target was observed.
type seen struct {
	ID      string
	At      time.Time
	Never   bool           // At is when it was approved
	Stopped string         // why its source does not look at it
	Down    bool           // its address no longer leads to it
	By      string         // the source that saw it last
	Worst   time.Duration  // the longest that its plan expects between two looks
	Pending map[string]int // files that are wanted, by source
}

// observation returns, for each target that may be collected, when a source last saw it.
func (r *Rooms) observation(ctx context.Context, sources []string) ([]seen, error) {
	all, err := r.Desk.Targets(ctx)
	if err != nil {
		return nil, err
	}
	looks := map[string]func(context.Context, string) (looked, error){}
	for _, name := range sources {
		looks[name] = looksOf(r.Vault, name)
	}
	var out []seen
	for _, t := range all {
		if !config.Collectable(t.Platform) || !t.Collectable(r.Desk.Time()) {
			continue
		}
		s := seen{ID: t.ID, At: t.ApprovedAt.Time, Never: true, Pending: map[string]int{}}
		for _, name := range sources {
			if !strings.HasPrefix(name, t.Platform+"/") {
				continue
			}
			x, err := looks[name](ctx, t.ID)
			if err != nil {
				return nil, err
			}
			if x.Pending > 0 {
				s.Pending[name] = x.Pending
			}
			if !x.Until.IsZero() && (s.Never || x.Until.After(s.At)) {
				s.At, s.Never, s.Stopped, s.By = x.Until, false, x.Stopped, name
			}
		}
		b, _, err := r.Vault.Get(ctx, diary.ViewDays, "unseen/"+string(t.Ordinal))
		if err != nil {
			return nil, err
		}
		var h diary.Happening
		s.Down = b != nil && json.Unmarshal(b, &h) == nil && h.What == diary.HappenedDown
		out = append(out, s)
	}
	return out, nil
}

// looked is what a source's cursor says of a target.
type looked struct {
	Until   time.Time
	Stopped string
	Pending int
}

// looksOf returns a reader of what a source's cursors say.
func looksOf(sink collectors.Sink, source string) func(context.Context, string) (looked, error) {
	if strings.HasPrefix(source, config.PlatformWhatsApp+"/") {
		look := whatsapp.Looks(sink, source)
		return func(ctx context.Context, target string) (looked, error) {
			l, err := look(ctx, target)
			return looked(l), err
		}
	}
	look := telegram.Looks(sink, source)
	return func(ctx context.Context, target string) (looked, error) {
		l, err := look(ctx, target)
		return looked(l), err
	}
}

// sourceStates returns the latest state of each source, by name.
func (r *Rooms) sourceStates(ctx context.Context) (map[string]SourceState, error) {
	out := map[string]SourceState{}
	err := r.Vault.Each(ctx, viewRuns, sourcePrefix, func(_ string, value []byte, _ int64) error {
		var st SourceState
		if err := json.Unmarshal(value, &st); err != nil {
			return err
		}
		out[st.Name] = st
		return nil
	})
	return out, err
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func targetsAre(n int) string {
	if n == 1 {
		return "1 target is"
	}
	return fmt.Sprintf("%d targets are", n)
}
