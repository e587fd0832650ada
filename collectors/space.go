package collectors

import (
	"context"
	"errors"
	"syscall"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Room says what may be taken in as the disk gets full. Its methods are cheap and may be called by many goroutines; an answer holds for
// the moment in which it is given.
type Room interface {
	// File reports whether a file of about size bytes may be fetched; 0: nobody knows how large it is.
	File(size int64) bool
	// History reports whether old posts may be read. What is new is read as long as anything is.
	History() bool
	// Reading returns when the sources may read, or with may=false when they must not, or with ctx's error.
	Reading(ctx context.Context, may bool) error
}

// Unlimited is the Room of whoever is not told of any limit.
type Unlimited struct{}

// File implements Room.
func (Unlimited) File(int64) bool { return true }

// History implements Room.
func (Unlimited) History() bool { return true }

// Reading implements Room.
func (Unlimited) Reading(ctx context.Context, may bool) error {
	if may {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// CauseDisk is the cause of a gap during which the disk had no room for what sources read, RuleDisk the rule of a file that was left
// out because of that, and ReasonNoRoom its reason.
const (
	CauseDisk    = "disk"
	RuleDisk     = "disk"
	ReasonNoRoom = "no-room"
)

// What media.missed says of a file without room: one that was not asked for, and one that was let in and did not fit.
const (
	DetailTooLittleRoom = "the disk has too little room for a file of this size; it is fetched when there is room, if the platform still has it then"
	DetailDiskFull      = "the disk was full before the file was whole"
)

// ErrNoRoom is the cause (context.Cause) of a source's stop for want of room.
var ErrNoRoom = errors.New("the disk with the vault has no room for what sources read")

// NoRoom reports whether err is that something did not fit on a disk or within its owner's quota. Nothing of it was kept; where it came
// of a commit, the vault says evidence of its own and writes no more.
func NoRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, ErrNoRoom)
}

type resumedKey struct{}

// Resumed tells the cause for which the supervisor had stopped the source until now, empty where it had not: that is what the gap since
// the last observation is due to.
func Resumed(ctx context.Context) (cause string) {
	cause, _ = ctx.Value(resumedKey{}).(string)
	return cause
}

// whileRoom runs a source as long as there is room for what it reads. paused says that it was stopped for want of it.
func (s *Supervisor) whileRoom(ctx context.Context, src Source, resumed bool) (paused bool, err error) {
	if resumed {
		ctx = context.WithValue(ctx, resumedKey{}, CauseDisk)
	}
	rctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if s.room().Reading(rctx, false) == nil {
			cancel(ErrNoRoom)
		}
	}()
	err = src.Run(rctx, s.Sink)
	paused = ctx.Err() == nil && errors.Is(context.Cause(rctx), ErrNoRoom)
	cancel(nil)
	<-ended
	return paused, err
}

func (s *Supervisor) room() Room {
	if s.Room == nil {
		return Unlimited{}
	}
	return s.Room
}

// awaitRoom returns when sources may read, and whether that had to be waited for. Then the wait is a record.
func (s *Supervisor) awaitRoom(ctx context.Context, src Source) (waited bool, err error) {
	now, cancel := context.WithCancel(ctx)
	cancel()
	if s.room().Reading(now, true) == nil {
		return false, nil
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	s.Log.Warn().Str("source", src.Name()).Msg("source waits for room on the disk")
	body := &evidence.Collector{Key: src.Name(), State: "no-room", Detail: ErrNoRoom.Error() + "; it goes on by itself when there is room", Advice: "make room on the disk: `muhafiz status` says how much"}
	_, err = s.Sink.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(s.Now()), Actor: evidence.Source(src.Name()), Subject: evidence.Source(src.Name()), Body: body,
	}}})
	if err != nil {
		return true, err
	}
	return true, s.room().Reading(ctx, true)
}
