package telegram

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/pace"
)

// lane is a kind of work, with workers of its own, so that no kind keeps another from being done.
type lane int

const (
	laneUrgent     lane = iota // changes of channels that are polled or joined
	laneRotation               // news of the others
	laneName                   // what an address stands for, for those who need a resolution
	laneBind                   // whether a known channel may be read
	laneBackground             // rechecks and history
	laneFiles
	laneCount
)

// workers is how many targets are served at once in a lane. In rotation they wait for the platform and not for each other: eight fill
// any budget at the longest round trip.
func (o Options) workers(l lane) int {
	switch l {
	case laneUrgent:
		return o.MaxPolls
	case laneRotation, laneBackground:
		return 8
	case laneFiles:
		return o.Threads
	case laneName:
		if !o.Unpaced {
			return 1 // several would wait for one resolution, and whose turn it is would be decided before there is one
		}
	}
	return 4
}

// lanes is the one scheduler of an account. A watch without work costs an entry in a heap and no goroutine.
type lanes struct {
	due [laneCount]*pace.Schedule[*watch]
}

func newLanes(now func() time.Time) *lanes {
	s := &lanes{}
	for l := range s.due {
		s.due[l] = pace.NewSchedule[*watch](now)
	}
	return s
}

// dispatch hands whoever is due to a worker until ctx is done. Who that is is decided when may returns.
func (s *lanes) dispatch(ctx context.Context, g *errgroup.Group, l lane, workers int, may func(context.Context) error) error {
	free := make(chan struct{}, workers)
	for {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		if err := may(ctx); err != nil {
			return nil
		}
		w, err := s.due[l].Next(ctx)
		if err != nil {
			return nil
		}
		g.Go(func() error {
			defer func() { <-free }()
			return w.serve(l)
		})
	}
}

// gate lets one worker at a time make requests about a target's posts, and one fetch its files, and knows when nobody does.
type gate struct {
	mu       sync.Mutex
	idle     *sync.Cond
	busy     bool
	fetching bool
	closed   bool
}

func (g *gate) flag(l lane) *bool {
	if l == laneFiles {
		return &g.fetching
	}
	return &g.busy
}

// enter returns false where the target is busy or closed. Whoever leaves it enters it in the lanes again.
func (g *gate) enter(l lane) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.flag(l)
	if g.closed || *f {
		return false
	}
	*f = true
	return true
}

// leave enters the target in the lanes by what it has to do next.
func (w *watch) leave(l lane) {
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	*w.gate.flag(l) = false
	if !w.gate.closed {
		w.enlist(l)
	}
	w.gate.idle.Broadcast()
}

// enlist enters the target in the lanes. The gate's mutex is held, and of the loop's own fields nobody else makes use.
func (w *watch) enlist(l lane) {
	if l == laneFiles {
		if ps, next := w.dueFiles(); len(ps) > 0 {
			w.r.lanes.due[laneFiles].Set(w, w.r.o.Now())
		} else if !next.IsZero() {
			w.r.lanes.due[laneFiles].Set(w, next)
		}
		return
	}
	for l, at := range w.agenda() {
		if at.IsZero() {
			w.r.lanes.due[l].Drop(w)
		} else {
			w.r.lanes.due[l].Set(w, at)
		}
	}
}

// hurry has the target polled at once. A wait of its own backfill for the budget ends.
func (w *watch) hurry() {
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	if w.gate.closed {
		return
	}
	w.hinted.Store(true)
	w.interrupt()
	w.r.lanes.due[w.newsLane()].Hurry(w, w.r.o.Now())
}

// wantFiles has the target's files fetched.
func (w *watch) wantFiles() {
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	switch {
	case w.gate.closed:
	case w.gate.fetching:
		signal(w.more)
	default:
		w.r.lanes.due[laneFiles].Hurry(w, w.r.o.Now())
	}
}

// roomForFiles lets a history go on that waited for files to be settled.
func (w *watch) roomForFiles() {
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	if !w.gate.closed && !w.gate.busy && w.waits.Load() {
		w.waits.Store(false)
		w.r.lanes.due[laneBackground].Hurry(w, w.r.o.Now())
	}
}

// close ends the target's work and returns when none of it runs any more.
func (w *watch) close() {
	w.cancel()
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	w.gate.closed = true
	for w.gate.busy || w.gate.fetching {
		w.gate.idle.Wait()
	}
	for _, s := range w.r.lanes.due {
		s.Drop(w)
	}
}
