package telegram

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
)

// SessionStorage keeps the login of one account; it is a secret and belongs sealed at rest. LoadSession returns nothing, or an
// error that is fs.ErrNotExist or evidence.ErrNotFound, where there is none yet.
type SessionStorage interface {
	LoadSession(ctx context.Context) ([]byte, error)
	StoreSession(ctx context.Context, data []byte) error
}

// Network points the client at a test network instead of the real platform.
type Network struct {
	DC           int
	Addr         string // host:port
	PublicKeyPEM []byte // the server's RSA key, PKIX or PKCS #1
	// Dial makes the connections; nil: by TCP. A proxy comes before it.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Options of a source. Zero durations and counts mean the default that the comment names.
type Options struct {
	Alias   string // our account's alias; the source is called telegram/ALIAS
	Vantage string // where the account looks from; default: Alias
	AppID   int    // from my.telegram.org
	AppHash string
	Session SessionStorage
	Network *Network // nil: the real platform
	Proxy   *Proxy   // nil: the direct way
	Device  Device   // as the platform lists our session; default: the truth
	Build   string   // of this program, for the records
	Log     zerolog.Logger
	Now     func() time.Time // default: time.Now

	// Siblings are the names of the sources of our other accounts: what a target's cursor of theirs knows is taken over when the
	// target moves here.
	Siblings []string
	// Budget is what the account may ask for.
	Budget Budget
	// Unpaced takes all budgets away: for a server of one's own.
	Unpaced bool

	// PollEvery is the pause between two polls of a channel; a push ends it early. Default: what the server asks for, between 5 s
	// and 50 s. Where it is given it is also the least interval of rotation.
	PollEvery time.Duration
	// RotateMin and RotateMax bound the interval between two reads of a channel in rotation, the latter as far as the budget allows.
	// Defaults: PollEvery or else 1 min; 25 min.
	RotateMin, RotateMax time.Duration
	// PlanEvery is how often rotation's intervals are computed anew from what was learned. Default: 1 min.
	PlanEvery time.Duration
	// JoinedEvery is how often a joined channel is asked for changes although no push came. Default: PollEvery or else 15 min.
	JoinedEvery time.Duration
	// RecheckEvery is the pause between two looks at a channel's metadata and stories, and the age at which a post is first looked at
	// again. Default: 30 min.
	RecheckEvery time.Duration
	// RecheckAges are the ages at which every known post is looked at again, ascending. Default: 1, 4, 24, 96, 336 and 1440 times
	// RecheckEvery, that is 30 min, 2 h, 12 h, 2 d, 7 d and 30 d.
	RecheckAges []time.Duration
	// RecheckAgain is how long one round of all posts takes that are past the last of these ages; another follows. Default: 90 d.
	RecheckAgain time.Duration
	// RecheckMost is how many message numbers below a channel's newest the rechecks reach. Default: 200,000.
	RecheckMost int
	// RecheckDepth is how many of the newest posts are compared by content when they are looked at again, whatever their date of edit
	// says. Default: 200.
	RecheckDepth int
	// HistoryPace is the least time between two pages of one channel's history. Default: 1 s, which is what the platform
	// tolerates for long; negative: none.
	HistoryPace time.Duration
	// MaxPolls bounds the requests of all channels that are under way at once. Default: 10, the platform's advice.
	MaxPolls int
	// RPCTimeout bounds every single request. Default: 60 s.
	RPCTimeout time.Duration
	// ConnectTimeout is how long a connection may take to come up before the run fails. Default: 2 min.
	ConnectTimeout time.Duration
	// Retries, RetryMin and RetryMax rule how a read is repeated that got no answer. Defaults: 8, 200 ms, 30 s.
	Retries            int
	RetryMin, RetryMax time.Duration
	// MaxFloodWait is the longest wait that the platform may ask for before the run fails. Default: 24 h.
	MaxFloodWait time.Duration
	// GapAfter is how long a channel may go unobserved within a run before that is a gap. Default: 5 min.
	GapAfter time.Duration
	// TargetRetry is the pause before a target that could not be reached is tried again. It grows to four times that for a look by the
	// channel's number; an address that led nowhere is looked up again after 4, 12 and then each 24 times. Default: 1 h.
	TargetRetry time.Duration
	// FoldEvery is how often the moment of the last empty poll is made durable; those of rotation are, all together, ten times less
	// often. Default: 30 s.
	FoldEvery time.Duration
	// PollsEvery is how often a record counts the empty polls. Default: 15 min.
	PollsEvery time.Duration
	// FileTimeout bounds the download of one file, all waits included. Default: 15 min.
	FileTimeout time.Duration
	// Threads is the number of parts of 512 KiB that are under way at once, of all files of the account; it bounds their memory, and
	// the number of files at once. Default: 8.
	Threads int
	// Partial is a folder for the parts of files that are not complete yet; a later run goes on where this one ended. Empty: every run
	// begins anew.
	Partial string
	// PartKeys seal these parts at rest, for a sink that seals; what lies in Partial unsealed is removed at the start. Nil: they are in
	// the clear.
	PartKeys PartKeys
	// MaxPending is how many files may wait before a backfill pauses for them. Default: 256.
	MaxPending int

	// Room says what may be taken in as the disk gets full. Default: everything.
	Room collectors.Room
	// RoomPause is how often a file that waits for room is thought of again, which costs nothing and leaves no record. Default: 1 min.
	RoomPause time.Duration

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
	o.Budget.setDefaults()
	or := func(d, byDefault time.Duration) time.Duration {
		if d == 0 {
			return byDefault
		}
		return d
	}
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{
		{&o.RotateMin, or(o.PollEvery, time.Minute)},
		{&o.RotateMax, 25 * time.Minute},
		{&o.PlanEvery, time.Minute},
		{&o.JoinedEvery, or(o.PollEvery, 15*time.Minute)},
		{&o.RecheckEvery, 30 * time.Minute},
		{&o.RecheckAgain, 90 * 24 * time.Hour},
		{&o.HistoryPace, time.Second},
		{&o.RPCTimeout, time.Minute},
		{&o.ConnectTimeout, 2 * time.Minute},
		{&o.RetryMin, 200 * time.Millisecond},
		{&o.RetryMax, 30 * time.Second},
		{&o.MaxFloodWait, 24 * time.Hour},
		{&o.GapAfter, 5 * time.Minute},
		{&o.TargetRetry, time.Hour},
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
	}{{&o.RecheckDepth, 200}, {&o.RecheckMost, 200_000}, {&o.MaxPolls, 10}, {&o.Retries, 8}, {&o.Threads, 8}, {&o.MaxPending, 256}} {
		if *n.v <= 0 {
			*n.v = n.d
		}
	}
}

// Source observes Telegram channels with one account.
type Source struct {
	o       Options
	budgets *budgets

	mu      sync.Mutex
	targets []collectors.Target
	changed chan struct{}
	failed  bool // the run before this one ended in an error
	unread  unreadLog
	now     *run // the present one
}

var _ collectors.Source = (*Source)(nil)

// New returns a source that has made no connection yet.
func New(o Options) *Source {
	o.setDefaults()
	return &Source{o: o, budgets: newBudgets(o), changed: make(chan struct{}, 1)}
}

// Name implements collectors.Source.
func (s *Source) Name() string { return "telegram/" + s.o.Alias }

// Watch implements collectors.Source. Targets of other platforms are left to others.
func (s *Source) Watch(targets []collectors.Target) {
	own := slices.DeleteFunc(slices.Clone(targets), func(t collectors.Target) bool { return t.Platform != platform })
	s.mu.Lock()
	s.targets = own
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
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
	s.failed, s.now = err != nil, nil
	s.mu.Unlock()
	return err
}
