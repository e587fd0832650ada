package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/config"
)

// Daemon collects, reports and answers until it is stopped. Start and Stop may each be called once; Run does both.
type Daemon struct {
	o     Options
	rooms *Rooms

	mu        sync.Mutex
	cfg       *config.Config
	sources   []source
	lost      map[string]bool         // sources that the supervisor gave up
	release   map[string]func() error // lets go of a source's session
	running   context.Context         // of the parts; set by Start
	spread    spreads
	started   time.Time
	metrics   *metrics
	sightings sightings
	anchors   chan schedule // a reloaded one, for the keeper; the newest counts

	group  *errgroup.Group
	cancel context.CancelFunc
	undo   []func() error // last in, first out
}

// New makes a daemon; nothing is opened before Start.
func New(o Options) *Daemon {
	o.setDefaults()
	o.Command, o.MayCreate = "run", true
	return &Daemon{o: o, cfg: o.Config, lost: map[string]bool{}, spread: newSpreads(), release: map[string]func() error{}, metrics: newMetrics(o.Build), anchors: make(chan schedule, 1)}
}

// Run starts the daemon and blocks until ctx is done or something that it cannot live without failed.
func (d *Daemon) Run(ctx context.Context) error {
	if err := d.Start(ctx); err != nil {
		return err
	}
	err := d.Wait(ctx)
	return joinOnce(err, d.Stop())
}

// Wait blocks until ctx is done or a part of the daemon failed.
func (d *Daemon) Wait(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- d.group.Wait() }()
	select {
	case <-ctx.Done():
		return nil
	case err := <-done:
		return err
	}
}

// Start opens the vault and starts every part. When it fails, whatever had been started is stopped again.
func (d *Daemon) Start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Stop())
		}
	}()
	d.rooms, err = OpenRooms(ctx, d.o)
	if err != nil {
		return err
	}
	d.undo = append(d.undo, d.rooms.Close)
	d.rooms.reload, d.rooms.changed, d.rooms.resume, d.rooms.plans = d.Reload, d.refresh, d.resume, d.plans
	d.rooms.refetchers, d.rooms.busy = d.ownSources, d.metrics.busy

	ln, remove, err := listenSocket(d.cfg.Vault, d.rooms.Vault.ID())
	if err != nil {
		return err
	}
	stop := serveHTTP(ln, d.rooms.Handler())
	d.undo = append(d.undo, func() error {
		defer remove()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return stop(ctx)
	})
	if err := d.rooms.space.tend(ctx); err != nil { // room is set aside before anything is read
		return err
	}
	if err := d.openSources(); err != nil {
		return err
	}
	d.started = d.o.Now()
	if err := d.serveMetrics(); err != nil {
		return err
	}
	watch, err := d.watchFiles()
	if err != nil {
		return err
	}

	anchors, err := scheduleOf(d.cfg)
	if err != nil {
		return err
	}

	var run context.Context
	run, d.cancel = context.WithCancel(context.Background())
	d.group, run = errgroup.WithContext(run)
	d.mu.Lock()
	d.running = run
	d.mu.Unlock()
	d.undo = append(d.undo, func() error {
		d.cancel()
		return d.group.Wait()
	})
	d.refresh()
	d.group.Go(func() error { return d.collect(run) })
	d.group.Go(func() error { return d.rooms.keep(run, anchors, d.anchors) })
	d.group.Go(func() error {
		return d.every(run, time.Minute, func(context.Context) error { d.refresh(); return nil })
	})
	d.group.Go(func() error { return d.every(run, tendEvery, d.rooms.space.tend) })
	d.group.Go(func() error { return d.every(run, retentionPause, d.rooms.retainDaily) })
	d.group.Go(func() error { return watch(run) })
	d.group.Go(func() error { return d.keepWatch(run) })
	d.group.Go(func() error { return d.backups(run) })
	d.group.Go(func() error { return d.scrubs(run) })
	if d.rooms.Reporter != nil {
		d.group.Go(func() error { return d.rooms.Reporter.Run(run) })
	}
	d.o.Log.Info().Str("vault", d.cfg.Vault).Int("accounts", len(d.sources)).Int("targets", len(d.cfg.Targets)).Msg("running")
	return nil
}

// Stop ends every part in the reverse order of their start and gives the vault back. It may be called more than once.
func (d *Daemon) Stop() error {
	var all error
	for len(d.undo) > 0 {
		last := d.undo[len(d.undo)-1]
		d.undo = d.undo[:len(d.undo)-1]
		all = errors.Join(all, last())
	}
	return all
}

// Rooms gives the demo and tests the same open vault that the handlers use.
func (d *Daemon) Rooms() *Rooms { return d.rooms }

func (d *Daemon) collect(ctx context.Context) error {
	d.mu.Lock()
	sources := make([]collectors.Source, len(d.sources))
	for i, src := range d.sources {
		sources[i] = src
	}
	d.mu.Unlock()
	if len(sources) == 0 {
		<-ctx.Done()
		return nil
	}
	return d.supervisor().Run(ctx, sources...)
}

func (d *Daemon) supervisor() *collectors.Supervisor {
	return &collectors.Supervisor{
		Sink: roomed{Sink: measured{d.rooms.Vault, d.metrics}, space: d.rooms.space}, Room: d.rooms.space, Log: d.o.Log, Now: d.o.Now, After: d.o.After,
		Min: time.Second, Max: 5 * time.Minute, Failed: d.failed,
	}
}

// every runs f after each pause until ctx is done; an error of f ends the daemon.
func (d *Daemon) every(ctx context.Context, pause time.Duration, f func(context.Context) error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.o.After(pause):
		}
		if err := f(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// refresh hands each source the targets that may be observed now.
func (d *Daemon) refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	targets, err := d.rooms.collectable(ctx)
	if err != nil {
		d.o.Log.Error().Err(err).Msg("read targets")
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.share(ctx, targets); err != nil {
		d.o.Log.Error().Err(err).Msg("spread targets over the accounts")
	}
}

// Reload reads the configuration's files again and makes them true. A configuration with errors changes nothing: the old one
// stays in force.
func (d *Daemon) Reload(ctx context.Context) (Applied, error) {
	c, err := config.Load(d.cfgPath(), config.Options{Getenv: d.o.Getenv})
	if err != nil {
		d.o.Log.Error().Err(err).Msg("the changed configuration has errors; the old one stays in force")
		return Applied{}, err
	}
	d.mu.Lock()
	old := d.cfg
	d.mu.Unlock()
	if c.Vault != old.Vault || c.LogKey != old.LogKey || c.Keyring != old.Keyring || (c.VaultKey == nil) != (old.VaultKey == nil) {
		err := c.ErrorAt("vault", "the vault, its log key and how it is sealed cannot change while the daemon runs; stop it and start it again")
		d.o.Log.Error().Err(err).Msg("the old configuration stays in force")
		return Applied{}, fmt.Errorf("%w", err)
	}
	anchors, err := scheduleOf(c)
	if err != nil {
		d.o.Log.Error().Err(err).Msg("the old configuration stays in force")
		return Applied{}, err
	}
	a, err := d.rooms.apply(ctx, c)
	if err != nil {
		return a, err
	}
	d.mu.Lock()
	d.cfg = c
	select {
	case <-d.anchors: // one that the keeper has not taken yet
	default:
	}
	d.anchors <- anchors
	d.mu.Unlock()
	d.rooms.Config = c
	d.rooms.space.configure(c.Space)
	d.o.Log.Info().Int("people", a.People).Int("targets", a.Targets).Int("removed", a.Removed).Msg("configuration reloaded")
	d.renewVersion(c)
	d.refresh()
	return a, nil
}

func (d *Daemon) cfgPath() string { return d.cfg.Files[0].Path }
