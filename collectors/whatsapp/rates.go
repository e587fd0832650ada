package whatsapp

import (
	"sync"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/pace"
)

// In rotation the pause of the options is the mean one: all targets together are read as often as if each had it, and those that post
// more are read more often, within these bounds.
const (
	oftenest = 4 // times as often as the mean
	rarest   = 2 // times as rarely
)

// replanEvery is how old the shares may be.
const replanEvery = time.Minute

// habit is what the pause of a target in rotation depends on.
type habit struct {
	rate   pace.Posting
	urgent bool // read as often as any may be, whatever its rate
}

// pauses returns the pause of each target in rotation.
func (o *Options) pauses(of map[string]habit) map[string]time.Duration {
	mean := o.PollEvery[collectors.ModeRotation]
	b := pace.Bounds{Floor: min(mean, max(mean/oftenest, o.PollEvery[collectors.ModePoll])), Ceiling: mean * rarest}
	var ids []string
	var rates []float64
	out := map[string]time.Duration{}
	for id, h := range of {
		if h.urgent {
			out[id] = b.Floor
			continue
		}
		ids, rates = append(ids, id), append(rates, h.rate.PerHour())
	}
	b.Reads = float64(len(ids)) / mean.Seconds()
	every, _ := pace.Intervals(rates, b)
	for i, id := range ids {
		out[id] = every[i]
	}
	return out
}

// rotation shares the reads out over the targets that the account reads in rotation.
type rotation struct {
	o *Options

	mu    sync.Mutex
	of    map[string]habit
	every map[string]time.Duration
	from  time.Time // of every; zero: it is to be computed
}

func newRotation(o *Options) *rotation { return &rotation{o: o, of: map[string]habit{}} }

// learn takes what is known of a target now; those of other modes take no part.
func (s *rotation) learn(t collectors.Target, rate pace.Posting) {
	if !t.Rotates() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.of[t.ID]; !ok {
		s.from = time.Time{}
	}
	s.of[t.ID] = habit{rate, t.Urgent}
}

// forget takes a target out.
func (s *rotation) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, id)
	s.from = time.Time{}
}

// pause is the time between two reads of a target.
func (s *rotation) pause(id string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.o.Now(); s.from.IsZero() || now.Sub(s.from) >= replanEvery {
		s.every, s.from = s.o.pauses(s.of), now
	}
	if d, ok := s.every[id]; ok {
		return d
	}
	return s.o.PollEvery[collectors.ModeRotation]
}

// learn takes note of the posts that were published in a stretch which the history has told.
func (w *watch) learn(posts int, over time.Duration) {
	w.rate = w.rate.Seen(posts, over)
	w.r.rotation.learn(w.target, w.rate)
}
