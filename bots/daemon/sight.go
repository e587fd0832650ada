package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/muhafiz/muhafiz/config"
)

// watchman returns what finds out whether we see, for the configuration that is in force.
func (d *Daemon) watchman(c *config.Config) watchman {
	w := watchman{rooms: d.rooms, started: d.started, given: d.givenUp, alerts: c.Alerts, plans: d.plans, cache: &d.sightings}
	d.mu.Lock()
	defer d.mu.Unlock()
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
	release := d.release[source]
	d.mu.Unlock()
	if release != nil { // so that somebody can log the account in while we run
		if err := release(); err != nil {
			d.o.Log.Error().Str("source", source).Err(err).Msg("let go of a session")
		}
	}
	d.mu.Lock()
	d.lost[source] = true // from now on its session can be opened again
	d.mu.Unlock()
	d.refresh()
}

// resume runs the source of an account that was lost and is logged in again.
func (d *Daemon) resume(platform, name string) error {
	src, err := d.reopen(platform, name)
	if err != nil {
		return err
	}
	d.o.Log.Info().Str("source", src.Name()).Msg("account is used again")
	d.refresh()
	d.group.Go(func() error { return d.supervisor().Run(d.running, src) })
	return nil
}

func (d *Daemon) reopen(platform, name string) (source, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running == nil || d.running.Err() != nil {
		return nil, usagef("the daemon is starting or stopping: try again")
	}
	for i, old := range d.sources {
		if old.Name() != (ownAccount{platform, name}).source() {
			continue
		}
		if !d.lost[old.Name()] {
			return nil, usagef("account %s is at work already", name)
		}
		src, err := d.openSource(d.cfg, platform, name)
		if err != nil {
			return nil, err
		}
		d.sources[i] = src
		delete(d.lost, old.Name())
		return src, nil
	}
	return nil, usagef("the daemon began without account %s: stop it and start it again", name)
}

// AccountRequest names one of our accounts.
type AccountRequest struct {
	Platform string `json:"platform"`
	Account  string `json:"account"`
}

func (r *Rooms) resumeAccount(_ context.Context, _ *call, in AccountRequest) (any, error) {
	if r.resume == nil {
		return nil, usagef("no daemon runs: the account is used when one starts")
	}
	return none{}, r.resume(in.Platform, in.Account)
}

// Resume tells the daemon that an account is logged in again. It reports whether there is a daemon.
func Resume(ctx context.Context, c *config.Config, platform, account string) (bool, error) {
	client, err := Connect(ctx, c.Vault, func() (*Rooms, error) { return nil, errNoDaemon })
	if errors.Is(err, errNoDaemon) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, errors.Join(client.Call(ctx, "POST", "/v1/accounts/resume", AccountRequest{platform, account}, nil), client.Close())
}

var errNoDaemon = errors.New("no daemon runs")

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
	d.metrics.registry.MustRegister(newScrubMetrics(d.rooms, func(err error) {
		d.o.Log.Warn().Err(err).Msg("read the state of the scrub for the metrics")
	}))
	d.metrics.registry.MustRegister(newSpaceMetrics(d.rooms.space))
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
