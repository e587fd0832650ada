package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// Options is what Rooms and Daemon need from outside.
type Options struct {
	Config *config.Config
	Build  string
	Log    zerolog.Logger
	Now    func() time.Time                     // nil: time.Now
	After  func(time.Duration) <-chan time.Time // nil: time.After
	Getenv func(string) string                  // nil: os.Getenv
	// Passphrase asks a person for the passphrase of a sealed log key that the configuration does not open; nil: there is nobody to ask.
	Passphrase func() (string, error)
	// Disk tells the free bytes and the size of the disk under a folder; nil: as the system says.
	Disk func(path string) (free, total int64, err error)
	// Command is what the vault is opened for, as run.started says it.
	Command string
	// MayCreate lets a vault folder that is not there be made.
	MayCreate bool
}

func (o *Options) setDefaults() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Disk == nil {
		o.Disk = vault.Disk
	}
}

// passphrase is how the log key's passphrase comes: from the configuration, else from a person.
func (o *Options) passphrase() func() (string, error) {
	if p := o.Config.LogKeyPassphrase; !p.IsZero() {
		return func() (string, error) { return p.Reveal(), nil }
	}
	return o.Passphrase
}

// Rooms is an open vault with everything that people's commands need. It is the same in a daemon and in a command that holds
// the vault itself.
type Rooms struct {
	Options
	Vault    *Guard // the vault, without what is in quarantine
	Desk     *review.Desk
	Reporter *reporter.Reporter // nil where the configuration has none
	vkey     string
	space    *space
	// plans returns the plans of a daemon's sources; nil outside of one.
	plans func(context.Context) ([]collectors.Plan, error)
	scrub scrubber
	// refetchers returns a daemon's sources, which may bring a damaged file again; nil outside of one.
	refetchers func() []source
	// busy reports whether a source waits for its batch; always false outside of a daemon.
	busy func() bool
	// changed is called after targets changed.
	changed func()
	// metrics serves a daemon's metrics; nil outside of one.
	metrics atomic.Pointer[http.Handler]
	// reload reads the configuration again; nil outside of a daemon.
	reload func(context.Context) (Applied, error)
	// resume runs the source of an account that was lost and is logged in again; nil outside of a daemon.
	resume func(platform, account string) error
}

// ErrLogKey: the configuration names another log key than the vault's.
var ErrLogKey = errors.New("the log key is not this vault's")

// OpenRooms opens the configuration's vault.
func OpenRooms(ctx context.Context, o Options) (*Rooms, error) {
	o.setDefaults()
	r := &Rooms{Options: o, changed: func() {}, busy: func() bool { return false }}
	vo, err := VaultOptions(o)
	if err != nil {
		return nil, err
	}
	vkey := vo.LogKey
	r.vkey = vkey
	var v *vault.Vault
	if _, serr := os.Stat(filepath.Join(o.Config.Vault, "vault.db")); errors.Is(serr, os.ErrNotExist) {
		if !o.MayCreate {
			return nil, fmt.Errorf("there is no vault at %s yet: `muhafiz run` makes it, and so does the first `muhafiz watch sign`", o.Config.Vault)
		}
		o.Log.Info().Str("vault", o.Config.Vault).Msg("new vault")
		v, err = vault.Create(o.Config.Vault, vo)
	} else {
		v, err = vault.Open(o.Config.Vault, vo)
	}
	if err != nil {
		return nil, err
	}
	if r.Vault, err = NewGuard(ctx, v); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	if have := r.Vault.LogKey(); have != vkey {
		return nil, errors.Join(fmt.Errorf("%w: it is %s, and the vault's is %s: give the key that the vault was made with", ErrLogKey, vkey, have), r.Vault.Close())
	}
	r.space = newSpace(o, r.Vault)
	r.Desk = &review.Desk{Log: r.Vault, Now: o.Now, Newest: r.newest}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(err, r.Vault.Close())
	}
	return r, nil
}

// start records the run and makes the configuration true.
func (r *Rooms) start(ctx context.Context) error {
	open, _, err := r.Vault.Get(ctx, viewRuns, runOpen)
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	body := &evidence.RunStarted{Build: r.Build, Command: r.Command, Host: host, Clock: clockState(), Interrupted: open != nil}
	if body.Interrupted {
		r.Log.Warn().Msg("the run before this one did not stop in order")
	}
	if err := r.write(ctx, evidence.Vault(), evidence.Vault(), body); err != nil {
		return err
	}
	a, err := r.apply(ctx, r.Config)
	if err != nil {
		return err
	}
	if a != (Applied{}) {
		r.Log.Info().Int("people", a.People).Int("targets", a.Targets).Int("removed", a.Removed).Msg("configuration recorded")
	}
	return r.openReporter(ctx)
}

// newest returns the time of the newest record, by the vault's commit clock.
func (r *Rooms) newest() time.Time {
	rec, err := r.Vault.Record(context.Background(), r.Vault.Size()-1)
	if err != nil {
		r.Log.Error().Err(err).Msg("the newest record cannot be read")
	}
	return rec.At.Time
}

// write puts one record that stands alone.
func (r *Rooms) write(ctx context.Context, actor, subject evidence.Name, b evidence.Body) error {
	_, err := r.Vault.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(r.Now()), Actor: actor, Subject: subject, Body: b,
	}}})
	return err
}

// Close records the end of the run and gives the vault back.
func (r *Rooms) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := r.write(ctx, evidence.Vault(), evidence.Vault(), &evidence.RunStopped{Command: r.Command})
	return errors.Join(err, r.Vault.Close())
}

// view reads one JSON value of a view; false where the key is absent.
func (r *Rooms) view(ctx context.Context, view, key string, v any) (bool, error) {
	b, _, err := r.Vault.Get(ctx, view, key)
	if b == nil || err != nil {
		return false, err
	}
	return true, json.Unmarshal(b, v)
}
