package telegram

import (
	"context"
	"reflect"

	"github.com/muhafiz/muhafiz/collectors"
)

// manage starts and stops targets as Watch changes them, until ctx is done.
func (r *run) manage(ctx context.Context) error {
	defer r.closeAll()
	for {
		if err := r.adjust(ctx); err != nil {
			return stopping(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.src.changed:
		}
	}
}

func (r *run) adjust(ctx context.Context) error {
	want := map[string]collectors.Target{}
	for _, t := range r.src.watched() {
		want[t.ID] = t
	}
	for id, w := range r.all() {
		if t, ok := want[id]; !ok || !reflect.DeepEqual(t, w.target) {
			if err := r.release(ctx, w, ok && t.Mode == collectors.ModeJoined); err != nil {
				return err
			}
		}
	}
	known := r.siblings()
	for id, t := range want {
		if r.watch(id) != nil {
			continue
		}
		c, moved, err := known.cursor(ctx, r, t)
		if err != nil {
			return err
		}
		r.take(ctx, newWatch(ctx, r, t, c, moved))
	}
	r.replan()
	return nil
}

// take puts a target among those that are observed.
func (r *run) take(ctx context.Context, w *watch) {
	r.mu.Lock()
	r.watches[w.target.ID] = w
	r.mu.Unlock()
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	w.enlist(w.newsLane())
	w.enlist(laneFiles)
}

// release ends the observation of one target, and with it the membership unless stay says that it goes on. What it saw last becomes durable in its own cursor, for whoever observes it next.
func (r *run) release(ctx context.Context, w *watch, stay bool) error {
	w.close()
	r.mu.Lock()
	delete(r.watches, w.target.ID)
	r.mu.Unlock()
	w.listen(false)
	if !stay {
		w.part(context.WithoutCancel(ctx))
	}
	return w.fold(context.WithoutCancel(ctx))
}

func (r *run) closeAll() {
	for _, w := range r.all() {
		w.close()
	}
}

func (r *run) watch(id string) *watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.watches[id]
}

// all returns the watches by the ids of their targets.
func (r *run) all() map[string]*watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string]*watch, len(r.watches))
	for id, w := range r.watches {
		out[id] = w
	}
	return out
}
