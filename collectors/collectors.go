// Package collectors holds what every source of observations shares: the Source and Sink contracts, the target as a source
// sees it, the view of which targets may be watched, and the supervisor that keeps sources running and records what they
// could not see.
//
// It promises that a source's failure is never silent: it becomes a `collector` record and, for the targets concerned, a
// `gap`. It does not promise that a source sees everything between two polls; that is why gaps name their span and cause.
package collectors

import (
	"context"
	"errors"
	"io"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Sink is where a source puts what it observed. The vault is one; a relay to a hub would be another.
type Sink interface {
	// Put makes a batch durable: when it returns, all of the batch and its cursor are on disk, or none of it is. It returns one
	// record a draft, in order. A draft whose id was written before is dropped and answered with the existing record, so a
	// batch may be put again after an error of which nobody knows the outcome. After a failed commit every Put fails until the
	// vault is opened again.
	Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error)
	// Keep makes r's bytes durable and returns their digest and number. More than limit bytes are evidence.ErrTooLarge, and
	// nothing is kept. The same bytes twice are one blob.
	Keep(ctx context.Context, r io.Reader, limit int64) (evidence.Digest, int64, error)
	// Cursor returns what the last Put wrote under the name, nil if there was none.
	Cursor(ctx context.Context, name string) ([]byte, error)
}

// Preparer is a Sink that can do part of a Put's work on drafts beforehand, side by side and before it is known which batch they will be
// part of.
type Preparer interface {
	// Prepare works out what needs no order among batches and leaves it in the drafts, which are put, in any batch, and not changed
	// after that. It writes nothing and promises nothing about the Put. Its error is one that the Put would return.
	Prepare(drafts []evidence.Draft) error
}

// Prepare lets the sink prepare drafts, where it can.
func Prepare(s Sink, drafts []evidence.Draft) error {
	if p, ok := s.(Preparer); ok {
		return p.Prepare(drafts)
	}
	return nil
}

// Source observes targets with one platform account.
type Source interface {
	// Name is the source's name in records, such as `telegram/main`.
	Name() string
	// Watch replaces the targets that the source observes; it may be called before and during Run. The source stops looking at
	// a target that is no longer in the list before it makes its next request.
	Watch(targets []Target)
	// Run observes until ctx is done, and then returns nil. Any other return is a failure: the supervisor records it and runs the
	// source again after a pause, unless the error is Permanent.
	Run(ctx context.Context, sink Sink) error
}

// Target is what a source needs to know of a target.
type Target struct {
	ID       string // the configured id
	Platform string
	Address  string   // normalised, such as https://t.me/name
	Backfill bool     // read the history to its start
	Media    []string // kinds of media to keep: photo, document, video, audio
	MaxBytes int64    // of one file; larger ones are media.missed
	Policy   MediaPolicy
	Mode     string // how it is observed; empty: rotation
	Urgent   bool   // in rotation: read as often as a target may be, whatever its rate
}

// The modes of observation.
const (
	// ModeRotation reads a target now and then without joining it, busy ones more often. The target's administrators cannot see it.
	ModeRotation = "rotation"
	// ModePoll asks for a target's changes every few seconds; the platform allows that for few targets of an account at a time.
	ModePoll = "poll"
	// ModeJoined joins the target and is told of its changes. Its administrators may see that.
	ModeJoined = "joined"
)

// Modes returns the modes of observation, the default first.
func Modes() []string { return []string{ModeRotation, ModePoll, ModeJoined} }

// Rotates reports whether the target is read in rotation.
func (t Target) Rotates() bool { return t.Mode != ModePoll && t.Mode != ModeJoined }

// Keeps reports whether files of a media type are to be kept.
func (t Target) Keeps(typ string) bool {
	for _, m := range t.Media {
		if m == typ {
			return true
		}
	}
	return false
}

// permanent marks an error after which running the source again would only make things worse.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks err as one that waiting does not mend: a session that the platform revoked, a frozen account.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent reports whether err was marked by Permanent.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}
