package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// link is one connection with a client of its own. Nothing that an earlier client still says can be taken for this one's: the
// library may raise Connected after its own Disconnect.
type link struct {
	cli     *whatsmeow.Client
	guard   *guard
	version string
	ctx     context.Context // done with the connection
	cancel  context.CancelFunc
	using   context.Context // done before that: whoever sends has to come to an end
	unuse   context.CancelFunc
	users   sync.WaitGroup
	mu      sync.Mutex // over users.Add and closed
	closed  bool
	http    *transports   // its own
	up      chan struct{} // closed when the account is logged in
	upOnce  sync.Once
	end     chan error // how it ended, nil for a lost connection; the first word counts
	pushed  func(*link, *events.Message)
	counts  func(*events.NewsletterLiveUpdate)
	log     zerolog.Logger
	o       *Options
}

// client makes the platform's client of a device. It never connects again by itself: the library's pauses have neither a cap nor a spread, and
// after 515 it would not tell when that failed. Nor does it read the account's own chats.
func (o *Options) client(dev *store.Device, h *transports, version string, caught func(shape string)) (*whatsmeow.Client, *guard, error) {
	if o.Network != nil {
		if err := o.Network.trust(); err != nil {
			return nil, nil, fmt.Errorf("use the test network of account %s: %w", o.Alias, err)
		}
	}
	g := newGuard(o.Log)
	cli := whatsmeow.NewClient(dev, g)
	if err := speakAs(cli, version); err != nil {
		return nil, nil, err
	}
	g.cli, g.caught = cli, caught
	h.use(cli)
	cli.EnableAutoReconnect = false
	cli.SynchronousAck = true
	cli.ManualHistorySyncDownload = true
	cli.AutomaticMessageRerequestFromPhone = false
	return cli, g, nil
}

// newLink makes a link that is not connected yet.
func (r *run) newLink(ctx context.Context, dev *store.Device) (*link, error) {
	l := &link{up: make(chan struct{}), end: make(chan error, 1), pushed: r.pushed, counts: r.counted, log: r.log, o: &r.o, version: r.src.nextVersion()}
	l.http = newHTTP(&r.o)
	cli, g, err := r.o.client(dev, l.http, l.version, func(shape string) { l.over(forbidden(r.o.Alias, shape)) })
	if err != nil {
		return nil, err
	}
	l.cli, l.guard = cli, g
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.using, l.unuse = context.WithCancel(l.ctx)
	cli.DisableLoginAutoReconnect = true
	cli.BackgroundEventCtx = l.ctx
	cli.AddEventHandlerWithSuccessStatus(l.handle)
	return l, nil
}

// use holds the connection open for a sender until done is called; it returns false where the connection is being closed.
func (l *link) use() (done func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, false
	}
	l.users.Add(1)
	return l.users.Done, true
}

// parting is how long a query may go on for its answer when the connection is to be closed.
const parting = time.Second

// close ends the connection once nobody sends over it: the library does not order the two.
func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	late := time.AfterFunc(parting, l.unuse)
	l.users.Wait()
	late.Stop()
	l.unuse()
	l.http.close()
	l.cancel()
}

// handle takes the library's events. It returns false for a post, which is acknowledged by us once it is durable; the library takes a panic
// for success, so one is caught here.
func (l *link) handle(e any) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error().Str("event", fmt.Sprintf("%T", e)).Msg("an event could not be read; it is not acknowledged")
			ok = false
		}
	}()
	switch e := e.(type) {
	case *events.Message:
		if e.Info.Chat.Server != newsletterServer {
			return true
		}
		l.pushed(l, e)
		return false
	case *events.NewsletterLiveUpdate:
		l.counts(e)
	case *events.Connected:
		l.upOnce.Do(func() { close(l.up) })
	case *events.Disconnected, *events.ManualLoginReconnect:
		l.over(nil)
	case *events.LoggedOut:
		l.over(loggedOut(l.o.Alias, e))
	case *events.StreamReplaced:
		l.over(replaced(l.o.Alias))
	case *events.TemporaryBan:
		l.over(lockedOut(l.o.Alias, e, l.o.Now(), l.o.LockedOut))
	case *events.ClientOutdated:
		l.over(outdated(l.o.Alias, versionName(l.version)))
	case *events.ConnectFailure:
		l.over(fmt.Errorf("WhatsApp refused the login of account %s: %d %s", l.o.Alias, int(e.Reason), valid(e.Message)))
	}
	return true
}

func (l *link) over(err error) {
	select {
	case l.end <- err:
	default:
	}
}

// connected makes connections, one after another, until one ends for good or none comes up for ConnectTimeout.
func (r *run) connected(ctx context.Context) error {
	down, fails, told := r.o.Now(), 0, false
	for {
		wasUp, err := r.hold(ctx, &told)
		if ctx.Err() != nil {
			return nil
		}
		if a := lost(err); a != nil {
			if a.until.IsZero() {
				return a
			}
			if err := r.lockedOut(ctx, a); err != nil {
				return stopping(ctx, err)
			}
			down, fails = r.o.Now(), 0
			continue
		}
		if permanentSetup(err) {
			return err
		}
		if wasUp {
			down, fails = r.o.Now(), 0
		}
		if fails++; r.o.Now().Sub(down) > r.o.ConnectTimeout {
			return errors.Join(errUnreachable, err)
		}
		if !told {
			if err := r.state(ctx, &evidence.Collector{State: "reconnecting", Detail: "the connection was lost or did not come up; it is made again"}); err != nil {
				return stopping(ctx, err)
			}
			told = true
		}
		r.log.Info().Int("try", fails).Err(err).Msg("connecting again")
		if err := sleep(ctx, r.backoff(fails)); err != nil {
			return nil
		}
	}
}

// setupError is a mistake in our own options, which another connection would meet again.
type setupError struct{ error }

func (s setupError) Unwrap() error { return s.error }

func permanentSetup(err error) bool {
	var s setupError
	return errors.As(err, &s)
}

// hold makes one connection and returns when it has ended, with whether it had come up. told is reset once it is recorded that all is well.
func (r *run) hold(ctx context.Context, told *bool) (wasUp bool, err error) {
	if r.device.device.ID == nil {
		return false, unpaired(r.o.Alias)
	}
	l, err := r.newLink(ctx, r.device.device)
	if err != nil {
		return false, setupError{err}
	}
	defer l.close()
	up, cancel := context.WithTimeout(ctx, r.o.ConnectTimeout)
	defer cancel()
	abort := context.AfterFunc(up, l.cancel)
	defer abort()
	if err := l.cli.ConnectContext(l.ctx); err != nil {
		return false, fmt.Errorf("connect to WhatsApp: %w", err)
	}
	select {
	case <-l.up:
	case err := <-l.end:
		return false, err
	case <-up.Done():
		return false, errUnreachable
	}
	abort()
	r.setLink(l)
	defer r.setLink(nil)
	if *told || !r.wasHealthy {
		if err := r.state(ctx, &evidence.Collector{State: "healthy"}); err != nil {
			return true, setupError{err}
		}
		*told, r.wasHealthy = false, true
	}
	r.log.Info().Msg("connected and logged in")
	select {
	case <-ctx.Done():
		return true, nil
	case err := <-l.end:
		return true, err
	}
}

func (r *run) setLink(l *link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = l
	if l != nil {
		close(r.online)
	} else {
		r.online = make(chan struct{})
	}
}

// link waits for a connection.
func (r *run) link(ctx context.Context) (*link, error) {
	for {
		r.mu.Lock()
		l, online := r.current, r.online
		r.mu.Unlock()
		if l != nil {
			return l, ctx.Err()
		}
		select {
		case <-online:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
