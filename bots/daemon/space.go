package daemon

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/room"
	"github.com/muhafiz/muhafiz/config"
)

// space watches the disk under a vault and says what may be taken in. The disk is asked with every question, so an answer is as old as
// the question.
type space struct {
	vault *Guard
	path  string
	now   func() time.Time
	disk  func(path string) (free, total int64, err error)
	log   zerolog.Logger

	tending sync.Mutex // held over what is done about the reserve

	mu      sync.Mutex
	set     config.Space
	level   room.Level
	entered [4]time.Time // when each level was
	limits  room.Limits
	reserve room.Reserve
	have    room.Reserved
	free    int64 // on the disk
	total   int64
	trouble error // of the disk's answer, or of setting room aside
	growth  room.Growth
	base    int64 // added before this start
	began   int64 // vault.db's size then
	kept    int64 // bytes of blobs since
	changed chan struct{}
}

// tendEvery is how often the level is looked at although nobody asks, and the reserve is seen to.
const tendEvery = 10 * time.Second

var _ collectors.Room = (*space)(nil)

func newSpace(o Options, v *Guard) *space {
	s := &space{vault: v, path: o.Config.Vault, now: o.Now, disk: o.Disk, log: o.Log, set: o.Config.Space, changed: make(chan struct{})}
	s.remember()
	s.began, _ = v.DatabaseSize()
	s.have.Ahead, _ = v.Ahead()
	s.look()
	s.have.File = v.Reserved(s.reserve.File)
	s.look()
	return s
}

// look asks the disk and finds the level.
func (s *space) look() room.Level {
	free, total, err := s.disk(s.path)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil { // what is not known is not assumed: the level stays
		s.trouble = err
		return s.level
	}
	s.free, s.total = free, total
	s.limits, s.reserve = limitsOf(s.set, total)
	was := s.level
	s.level = s.limits.Next(was, s.reserve.Free(free, s.have))
	if s.level == was {
		return was
	}
	now := s.now()
	for v := was + 1; v <= s.level; v++ {
		s.entered[v] = now
	}
	ev := s.log.Info()
	if s.level > was {
		ev = s.log.Warn()
	}
	ev.Stringer("from", was).Stringer("to", s.level).Int64("free", free).Int64("disk", total).Msg("what is taken in has changed, as the disk's free room has")
	close(s.changed)
	s.changed = make(chan struct{})
	return s.level
}

// limitsOf computes what a configuration means on a disk of a size. Half of what is set aside is part of vault.db.
func limitsOf(c config.Space, total int64) (room.Limits, room.Reserve) {
	l := room.Limits{
		Media: c.Media.Of(total), History: c.History.Of(total), Collection: c.Collection.Of(total), MediaOver: int64(c.MediaOver),
	}
	half := c.Reserve.Of(total) / 2
	return l.Ordered(), room.Reserve{File: half, Ahead: half}
}

// configure takes a reloaded configuration.
func (s *space) configure(c config.Space) {
	s.mu.Lock()
	s.set = c
	s.mu.Unlock()
	s.look()
}

// File implements collectors.Room.
func (s *space) File(size int64) bool {
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits.Admits(s.level, s.reserve.Free(s.free, s.have), size)
}

// History implements collectors.Room.
func (s *space) History() bool { return s.look() < room.NoBackfill }

// Reading implements collectors.Room.
func (s *space) Reading(ctx context.Context, may bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if (s.look() < room.NoCollection) == may {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tend looks at the disk and sees to the reserve. An error is told in the status and does not end the daemon.
func (s *space) tend(context.Context) error {
	s.tending.Lock()
	defer s.tending.Unlock()
	s.measure()
	s.look()
	s.mu.Lock()
	step, reserve, had := s.reserve.Step(s.level, s.free, s.have), s.reserve, s.trouble
	s.mu.Unlock()
	var err error
	switch step {
	case room.Release:
		s.log.Warn().Int64("bytes", reserve.File).Msg("the room that was set aside is given up for what must be written")
		err = s.vault.Release()
	case room.Make:
		err = s.make(reserve)
	}
	s.measure()
	s.mu.Lock()
	s.trouble = err
	s.mu.Unlock()
	if err != nil && (had == nil || had.Error() != err.Error()) {
		s.log.Warn().Err(err).Msg("room cannot be set aside")
	}
	s.look()
	s.sample()
	return nil
}

// measure finds out what is there of the reserve.
func (s *space) measure() {
	ahead, err := s.vault.Ahead()
	s.mu.Lock()
	n := s.reserve.File
	s.mu.Unlock()
	file := s.vault.Reserved(n)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.have.File = file
	if err == nil {
		s.have.Ahead = ahead
	}
}

func (s *space) make(r room.Reserve) error {
	_, err := s.vault.GrowAhead(r.Ahead)
	if !s.vault.Reserved(r.File) {
		err = errors.Join(err, s.vault.Reserve(r.File))
	}
	return err
}

// stopped reports whether nothing is collected for want of room.
func (s *space) stopped() bool { return s.look() == room.NoCollection }

// roomed is a sink that counts what is kept. With strict it takes nothing where collection has stopped, which is for imports: sources are
// stopped by their supervisor.
type roomed struct {
	collectors.Sink
	space  *space
	strict bool
}

// errImport is told to whoever imports.
var errImport = usagef("the disk with the vault has no room for what is collected: make room on it (`muhafiz status` says how much), and import again; what was imported so far is kept and not written twice")

func (r roomed) refuses() error {
	if r.strict && r.space.look() == room.NoCollection {
		return errImport
	}
	return nil
}

// Put implements collectors.Sink.
func (r roomed) Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error) {
	if err := r.refuses(); err != nil {
		return nil, err
	}
	return r.Sink.Put(ctx, b)
}

// Keep implements collectors.Sink.
func (r roomed) Keep(ctx context.Context, in io.Reader, limit int64) (evidence.Digest, int64, error) {
	if err := r.refuses(); err != nil {
		return evidence.Digest{}, 0, err
	}
	d, n, err := r.Sink.Keep(ctx, in, limit)
	switch {
	case err == nil:
		r.space.mu.Lock()
		r.space.kept += n
		r.space.mu.Unlock()
	case collectors.NoRoom(err):
		r.space.look()
		if r.strict {
			err = errors.Join(errImport, err)
		}
	}
	return d, n, err
}
