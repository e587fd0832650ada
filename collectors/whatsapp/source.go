package whatsapp

import (
	"context"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
)

const platform = "whatsapp"

// Options of a source. Zero durations and counts mean the default that the comment names.
type Options struct {
	Alias    string   // our account's alias; the source is called whatsapp/ALIAS
	Vantage  string   // where the account looks from; default: Alias
	Device   Device   // where the session keys are
	Version  string   // of the web client, such as 2.3000.1031080782; empty: the one that the library was made for
	Network  *Network // nil: the real platform
	Proxy    *url.URL // socks5, socks5h, http or https: the account's own way out, past which nothing of it goes; nil: the machine's own
	Shown    string   // what the account's list of linked devices shows; default: Muhafiz
	Build    string   // of this program, for the records
	Log      zerolog.Logger
	Now      func() time.Time // default: time.Now
	Jitter   func() float64   // in [0,1), spreads every pause; default: math/rand/v2
	PageSize int              // posts asked for at once. Default: 100

	// PollEvery is the pause between two looks at the newest posts of a channel, by mode. A push ends it early. In rotation it is the mean
	// one: channels that post more are read up to four times as often, silent ones half as often. Defaults: 10 min for rotation, 1 min for
	// poll, 15 min for joined.
	PollEvery map[string]time.Duration
	// RecheckEvery is the pause between two rechecks of the RecheckDepth newest posts of a channel, and of its metadata. Defaults: 30 min, 200.
	RecheckEvery time.Duration
	RecheckDepth int
	// CountsEvery is how often a recheck stores views and reactions although nothing else differs. Default: 24 h.
	CountsEvery time.Duration
	// QueryPace is the mean time between two queries of the account, spread by a quarter both ways. Default: 1 s; negative: none.
	QueryPace time.Duration
	// QueriesAnHour bounds the queries of the account. Default: 3000; negative: no bound.
	QueriesAnHour int
	// MaxQueries bounds the queries that are under way at once. Default: 1.
	MaxQueries int
	// QueryTimeout bounds every single query. Default: 20 s.
	QueryTimeout time.Duration
	// ConnectTimeout is how long a connection may take to come up before the run fails. Default: 2 min.
	ConnectTimeout time.Duration
	// Retries, RetryMin and RetryMax rule how a query is repeated that got no answer, and how a lost connection is made again.
	// Defaults: 6, 1 s, 2 min.
	Retries            int
	RetryMin, RetryMax time.Duration
	// LimitMin and LimitMax bound the pause after the platform said "too many requests"; it doubles with each. Defaults: 30 s, 30 min.
	LimitMin, LimitMax time.Duration
	// LockedOut is how long we stay away where the platform locks the account out and does not say for how long. Default: 24 h.
	LockedOut time.Duration
	// GapAfter is how long a channel may go unobserved beyond its pause before that is a gap. Default: 5 min.
	GapAfter time.Duration
	// TargetRetry is the pause before a target that could not be reached is tried again. Default: 1 h.
	TargetRetry time.Duration
	// LiveEvery is how often counters that the platform tells on its own become a record. Default: 5 min.
	LiveEvery time.Duration
	// FoldEvery is how often the moment of the last look without news is made durable. Default: 30 s.
	FoldEvery time.Duration
	// Room says what may be taken in as the disk gets full. Default: everything. RoomPause is how often the files that wait for room are
	// thought of again, which costs nothing and leaves no record. Default: 1 min.
	Room      collectors.Room
	RoomPause time.Duration
	// PollsEvery is how often a record counts the looks without news. Default: 15 min.
	PollsEvery time.Duration
	// FileTimeout bounds the download of one file. Default: 15 min.
	FileTimeout time.Duration
	// Downloads is the number of files that are under way at once. Default: 4.
	Downloads int
	// MaxPending is how many files may wait before a backfill pauses for them. Default: 256.
	MaxPending int

	// Confirmed, where set, says that a person confirmed that a target now stands for another channel id; without it a target whose
	// identity changed stays stopped.
	Confirmed func(target, channel string) bool
}

func (o *Options) setDefaults() {
	if o.Vantage == "" {
		o.Vantage = o.Alias
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Room == nil {
		o.Room = collectors.Unlimited{}
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	every := map[string]time.Duration{
		collectors.ModeRotation: 10 * time.Minute, collectors.ModePoll: time.Minute, collectors.ModeJoined: 15 * time.Minute,
	}
	for mode, d := range o.PollEvery {
		if d > 0 {
			every[mode] = d
		}
	}
	o.PollEvery = every
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{
		{&o.RecheckEvery, 30 * time.Minute},
		{&o.CountsEvery, 24 * time.Hour},
		{&o.QueryPace, time.Second},
		{&o.QueryTimeout, 20 * time.Second},
		{&o.ConnectTimeout, 2 * time.Minute},
		{&o.RetryMin, time.Second},
		{&o.RetryMax, 2 * time.Minute},
		{&o.LimitMin, 30 * time.Second},
		{&o.LimitMax, 30 * time.Minute},
		{&o.LockedOut, 24 * time.Hour},
		{&o.GapAfter, 5 * time.Minute},
		{&o.TargetRetry, time.Hour},
		{&o.LiveEvery, 5 * time.Minute},
		{&o.FoldEvery, 30 * time.Second},
		{&o.PollsEvery, 15 * time.Minute},
		{&o.FileTimeout, 15 * time.Minute},
		{&o.RoomPause, time.Minute},
	} {
		if *d.v == 0 {
			*d.v = d.d
		}
	}
	for _, n := range []struct {
		v *int
		d int
	}{{&o.RecheckDepth, 200}, {&o.MaxQueries, 1}, {&o.QueriesAnHour, 3000}, {&o.Retries, 6}, {&o.Downloads, 4}, {&o.MaxPending, 256}, {&o.PageSize, 100}} {
		if *n.v == 0 {
			*n.v = n.d
		}
	}
}

// spread returns d, more or less by a quarter.
func (o *Options) spread(d time.Duration) time.Duration {
	return d*3/4 + time.Duration(o.Jitter()*float64(d)/2)
}

// Source observes WhatsApp channels with one account.
type Source struct {
	o Options

	mu      sync.Mutex
	version string // of the web client, for the next connection
	refused string // the version that the platform no longer takes, where the last run ended so
	targets []collectors.Target
	changed chan struct{}
	failed  bool // the run before this one ended in an error
	now     *run // nil: none is under way
}

var _ collectors.Source = (*Source)(nil)

// New returns a source that has made no connection yet.
func New(o Options) *Source {
	o.setDefaults()
	return &Source{o: o, version: o.Version, changed: make(chan struct{}, 1)}
}

// Name implements collectors.Source.
func (s *Source) Name() string { return platform + "/" + s.o.Alias }

// Watch implements collectors.Source. Targets of other platforms are left to others.
func (s *Source) Watch(targets []collectors.Target) {
	own := slices.DeleteFunc(slices.Clone(targets), func(t collectors.Target) bool { return t.Platform != platform })
	s.mu.Lock()
	s.targets = own
	s.mu.Unlock()
	signal(s.changed)
}

func (s *Source) watched() []collectors.Target {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.targets)
}

// Run implements collectors.Source.
func (s *Source) Run(ctx context.Context, sink collectors.Sink) error {
	s.mu.Lock()
	r := newRun(s, sink, s.failed)
	if cause := collectors.Resumed(ctx); cause != "" {
		r.cause = cause
	}
	s.now = r
	s.mu.Unlock()
	err := r.run(ctx)
	s.mu.Lock()
	s.failed, s.now, s.refused = err != nil, nil, ""
	if a := lost(err); a != nil && a.state == "client-outdated" {
		s.refused = versionName(s.version)
	}
	s.mu.Unlock()
	return err
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
