package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/config"
)

// watchman returns what finds out whether we see, for the configuration that is in force.
func (d *Daemon) watchman(c *config.Config) watchman {
	w := watchman{rooms: d.rooms, started: d.started, given: d.givenUp, alerts: c.Alerts}
	for _, s := range d.sources {
		w.sources = append(w.sources, s.Name())
	}
	return w
}

// failed hears from the supervisor that a source failed.
func (d *Daemon) failed(source string, _ error, permanent bool) {
	if !permanent {
		return
	}
	d.mu.Lock()
	d.lost[source] = true
	d.mu.Unlock()
	d.refresh()
}

// usable returns the sources that were not given up: the targets of a lost account move to them. Where none is left, all keep what
// they had, so that the log says whose targets are not seen. The caller holds the mutex.
func (d *Daemon) usable() []*telegram.Source {
	var out []*telegram.Source
	for _, s := range d.sources {
		if !d.lost[s.Name()] {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return d.sources
	}
	return out
}

func (d *Daemon) givenUp(source string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lost[source]
}

// keepWatch tells people of troubles until ctx is done. A reload may change who is told.
func (d *Daemon) keepWatch(ctx context.Context) error {
	var a *alarm
	var of *config.Config
	return d.every(ctx, alertEvery, func(ctx context.Context) error {
		d.mu.Lock()
		c := d.cfg
		d.mu.Unlock()
		if c != of {
			a, of = newAlarm(d.watchman(c), c), c
		}
		if a == nil {
			return nil
		}
		return a.look(ctx)
	})
}

// serveMetrics makes the metrics ready for the control socket, and for a port where the configuration names one.
func (d *Daemon) serveMetrics() error {
	d.metrics.registry.MustRegister(newLogMetrics(d.watchman(d.cfg), func(err error) {
		d.o.Log.Warn().Err(err).Msg("read the log for the metrics")
	}))
	h := d.metrics.handler()
	d.rooms.metrics.Store(&h)
	if d.cfg.Metrics == nil {
		return nil
	}
	ln, err := net.Listen("tcp", d.cfg.Metrics.Listen)
	if err != nil {
		return fmt.Errorf("serve metrics: %w; choose another metrics.listen", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			d.o.Log.Error().Err(err).Msg("metrics are no longer served")
		}
	}()
	d.undo = append(d.undo, func() error {
		err := srv.Close()
		<-done
		return err
	})
	d.o.Log.Info().Str("address", ln.Addr().String()).Msg("metrics")
	return nil
}

// serveMetrics answers GET /metrics on the control socket.
func (r *Rooms) serveMetrics(w http.ResponseWriter, req *http.Request) {
	h := r.metrics.Load()
	if h == nil {
		writeError(w, http.StatusNotFound, "usage", "No daemon runs, so there are no metrics: start one with `muhafiz run`.")
		return
	}
	(*h).ServeHTTP(w, req)
}
