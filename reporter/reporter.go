package reporter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/delivery"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// Log is what the reporter needs of the vault.
type Log interface {
	review.Log
	// Keep makes bytes durable before a record names them.
	Keep(ctx context.Context, r io.Reader, limit int64) (evidence.Digest, int64, error)
	Blob(ctx context.Context, d evidence.Digest) (io.ReadSeekCloser, int64, error)
}

// Route is how notices reach one platform.
type Route struct {
	Courier  delivery.Courier
	From     string   // RFC 5322 mailbox of the desk, never of an analyst
	To       []string // empty for an outbox: then From stands in
	Head     notice.Letterhead
	Kind     string // of the notices that leave here, as the law names it; empty: platform-rules
	DailyCap int    // notices in 24 hours, before the refusal rate lowers it; 0: ten
}

// Options is what New takes.
type Options struct {
	Schedule Schedule
	Log      Log
	Routes   map[string]Route // by platform: telegram …
	Notifier notice.Notifier  // who we are before the law; zero: ordinary
	Logger   zerolog.Logger
	Now      func() time.Time                       // nil: time.Now
	After    func(d time.Duration) <-chan time.Time // nil: time.After
	Backoff  func(failedAttempts int) time.Duration // nil: 5 minutes, doubled each time, at most a day
	MaxCases int                                    // in one notice; 0: 50
	Grace    time.Duration                          // for a delivery under way when the reporter is stopped; 0: 10 seconds
}

// Reporter is the loop. Its methods are safe for concurrent use.
type Reporter struct {
	o    Options
	desk *review.Desk
	mu   sync.Mutex // one run, or one resolution, at a time
}

// New checks the options.
func New(o Options) (*Reporter, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Backoff == nil {
		o.Backoff = doubling
	}
	if o.MaxCases <= 0 {
		o.MaxCases = 50
	}
	if o.Grace <= 0 {
		o.Grace = 10 * time.Second
	}
	if o.Log == nil {
		return nil, errors.New("a reporter needs a log")
	}
	o.Routes = maps.Clone(o.Routes)
	for platform, r := range o.Routes {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("route of %s: %w", platform, err)
		}
		if r.Kind == "" {
			r.Kind = notice.KindPlatformRules
		}
		if ok, sentence := notice.MaySend(r.Kind, o.Notifier); !ok {
			return nil, fmt.Errorf("route of %s: %s", platform, sentence)
		}
		r.Head.Status = o.Notifier.String()
		o.Routes[platform] = r
	}
	return &Reporter{o: o, desk: &review.Desk{Log: o.Log, Now: o.Now}}, nil
}

func (r Route) check() error {
	if r.Courier == nil {
		return errors.New("no courier")
	}
	if _, err := delivery.Address(r.From); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	for _, to := range r.To {
		if _, err := delivery.Address(to); err != nil {
			return fmt.Errorf("recipient: %w", err)
		}
	}
	if r.Courier.Route() == "mail" && len(r.To) == 0 {
		return errors.New("mail needs a recipient")
	}
	return nil
}

func doubling(failed int) time.Duration {
	const first, most = 5 * time.Minute, 24 * time.Hour
	if failed > 9 {
		return most
	}
	return min(first<<max(failed-1, 0), most)
}

// Run works by the schedule until ctx is done, and then returns nil. Any other return is a failure of the log.
func (r *Reporter) Run(ctx context.Context) error {
	if r.o.Schedule.next == nil {
		return errors.New("the reporter has no schedule")
	}
	began := r.o.Now()
	if err := r.Recover(ctx); err != nil {
		return quiet(ctx, err)
	}
	for {
		last, err := r.LastRun(ctx)
		if err != nil {
			return quiet(ctx, err)
		}
		from := began
		if !last.Started.IsZero() {
			from = last.Started.Time
		}
		due, now := r.o.Schedule.Next(from), r.o.Now()
		if !due.After(now) {
			if _, err := r.run(ctx, due); err != nil {
				return quiet(ctx, err)
			}
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		// Looking at the clock once a minute notices when somebody sets it, or the machine has slept.
		case <-r.o.After(min(due.Sub(now), time.Minute)):
		}
	}
}

func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// LastRun returns the newest run, zero where there was none.
func (r *Reporter) LastRun(ctx context.Context) (evidence.ReporterRun, error) {
	var last evidence.ReporterRun
	v, _, err := r.o.Log.Get(ctx, ViewRuns, "last")
	if err == nil && v != nil {
		err = json.Unmarshal(v, &last)
	}
	if err != nil {
		return last, fmt.Errorf("read the reporter's last run: %w", err)
	}
	return last, nil
}

// NextRun returns when the reporter is due next.
func (r *Reporter) NextRun(ctx context.Context) (time.Time, error) {
	last, err := r.LastRun(ctx)
	if err != nil || r.o.Schedule.next == nil {
		return time.Time{}, err
	}
	if last.Started.IsZero() {
		return r.o.Schedule.Next(r.o.Now()), nil
	}
	return r.o.Schedule.Next(last.Started.Time), nil
}

// put writes one automatic record; the vault itself is the actor.
func (r *Reporter) put(ctx context.Context, subject evidence.Name, b evidence.Body, expect ...evidence.Expect) (evidence.Record, error) {
	return r.putAs(ctx, evidence.Vault(), subject, b, expect...)
}

func (r *Reporter) putAs(ctx context.Context, actor, subject evidence.Name, b evidence.Body, expect ...evidence.Expect) (evidence.Record, error) {
	recs, err := r.o.Log.Put(ctx, evidence.Batch{
		Drafts: []evidence.Draft{{ID: evidence.NewID(r.o.Now()), Actor: actor, Subject: subject, Body: b}}, If: expect,
	})
	if err != nil {
		return evidence.Record{}, fmt.Errorf("record %s: %w", b.Kind(), err)
	}
	return recs[0], nil
}
