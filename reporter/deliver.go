package reporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/delivery"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// deliver tries what was drafted, and what surely failed before and has waited long enough.
func (r *Reporter) deliver(ctx context.Context, rep *Report) error {
	unsent, err := r.Notices(ctx, notice.Drafted, notice.Failed)
	if err != nil {
		return err
	}
	if held, err := r.Held(ctx); err != nil {
		return err
	} else if held != nil {
		for _, n := range unsent {
			rep.Blocked = append(rep.Blocked, Blocked{Notice: n.Ordinal, Reason: held.String()})
		}
		return nil
	}
	slices.SortStableFunc(unsent, func(a, b notice.State) int { return rank(a) - rank(b) })
	for _, n := range unsent {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if n.Status == notice.Failed && r.o.Now().Before(n.ChangedAt.Add(r.o.Backoff(n.Attempts))) {
			continue
		}
		if err := r.deliverOne(ctx, n, rep); err != nil {
			return err
		}
	}
	return nil
}

// rank puts a threat to life first and what puts a mistake right second.
func rank(n notice.State) int {
	switch {
	case n.Urgent:
		return 0
	case n.Redresses():
		return 1
	}
	return 2
}

// deliverOne tries one notice, unless a person must let it go first.
func (r *Reporter) deliverOne(ctx context.Context, n notice.State, rep *Report) error {
	switch {
	case n.Redresses() && !n.Released:
		rep.Blocked = append(rep.Blocked, Blocked{Notice: n.Ordinal, Reason: fmt.Sprintf("it is the draft of a %s of notice %s, and a person sends it: muhafiz notice correct %s", n.NoticeKind, n.Corrects.Notice, n.Corrects.Notice)})
		return nil
	case n.Senior != "" && n.Approved == nil:
		rep.Blocked = append(rep.Blocked, Blocked{Notice: n.Ordinal, Reason: n.Senior + ": muhafiz notice approve " + string(n.Ordinal)})
		return nil
	}
	route, ok := r.o.Routes[n.Platform]
	if !ok || route.Courier.Route() != n.Route {
		r.o.Logger.Warn().Str("notice", string(n.Ordinal)).Str("platform", n.Platform).Str("route", n.Route).
			Msg("the route of a drafted notice is no longer configured")
		return nil
	}
	return r.attempt(ctx, n, route, rep)
}

// attempt records, sends, and records what came of it. Suspending a target at the same moment wins: the attempt is conditional
// on every target as it was looked at.
func (r *Reporter) attempt(ctx context.Context, n notice.State, route Route, rep *Report) error {
	msg, err := r.message(ctx, n, route)
	if err != nil {
		r.o.Logger.Error().Err(err).Str("notice", string(n.Ordinal)).Msg("a drafted notice cannot be read; it is not sent")
		return ctx.Err()
	}
	expect, err := r.targets(ctx, n)
	var no *review.Refusal
	if errors.As(err, &no) {
		return r.withdrawOne(ctx, n, no.Sentence, rep)
	}
	if err != nil {
		return err
	}
	name := evidence.Notice(n.Key)
	_, err = r.put(ctx, name, &evidence.NoticeAttempted{Route: n.Route, To: n.To, MessageID: n.MessageID}, expect...)
	if errors.Is(err, evidence.ErrConflict) {
		return nil // the next run looks again
	}
	if err != nil {
		return err
	}
	receipt, err := r.send(ctx, route, msg)
	rep.touch(n.Ordinal)
	// What happened outside is recorded even where the program is being stopped.
	_, perr := r.put(context.WithoutCancel(ctx), name, r.outcome(n, receipt, err, rep))
	return perr
}

func (r *Reporter) outcome(n notice.State, receipt string, err error, rep *Report) evidence.Body {
	l := r.o.Logger.With().Str("notice", string(n.Ordinal)).Logger()
	switch {
	case err == nil:
		rep.Sent++
		l.Info().Str("route", n.Route).Msg("notice sent")
		return &evidence.NoticeSent{MessageID: n.MessageID, Receipt: receipt}
	case errors.Is(err, delivery.ErrNotSent):
		rep.Failed++
		l.Warn().Err(err).Int("attempt", n.Attempts+1).Msg("notice not sent; it will be tried again")
		return &evidence.NoticeFailed{Reason: err.Error()}
	}
	rep.Uncertain++
	l.Warn().Err(err).Msg("nobody knows whether a notice was sent; a person must find out")
	return &evidence.NoticeUncertain{Reason: err.Error()}
}

// send gives a delivery under way some grace when the reporter is stopped: breaking it off leaves work for a person.
func (r *Reporter) send(ctx context.Context, route Route, m delivery.Message) (string, error) {
	long, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-r.o.After(r.o.Grace):
			cancel()
		case <-long.Done():
		}
	})
	defer stop()
	return route.Courier.Send(long, m)
}

func (r *Reporter) message(ctx context.Context, n notice.State, route Route) (delivery.Message, error) {
	m := delivery.Message{Name: n.Key, MessageID: n.MessageID}
	var err error
	if m.From, err = delivery.Address(route.From); err != nil {
		return m, err
	}
	for _, to := range n.To {
		a, err := delivery.Address(to)
		if err != nil {
			return m, err
		}
		m.To = append(m.To, a)
	}
	if m.Bytes, err = r.blob(ctx, n.Message); err != nil {
		return m, err
	}
	m.Machine, err = r.blob(ctx, n.Machine)
	return m, err
}

func (r *Reporter) blob(ctx context.Context, o evidence.Object) ([]byte, error) {
	f, _, err := r.o.Log.Blob(ctx, o.SHA256)
	if err != nil {
		return nil, fmt.Errorf("read notice %s: %w", o.SHA256, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, o.Size+1))
	if err != nil {
		return nil, fmt.Errorf("read notice %s: %w", o.SHA256, err)
	}
	if evidence.Sum(b) != o.SHA256 {
		return nil, fmt.Errorf("notice %s is damaged in the vault; run muhafiz fsck", o.SHA256)
	}
	return b, nil
}
