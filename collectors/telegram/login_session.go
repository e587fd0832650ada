package telegram

import (
	"context"
	"errors"
	"sync"
	"time"
)

// storedSession tells how often the client has stored its session. The client does so in the background after it is connected, and
// again after it moved to another data centre, and gives up when it is closed: a login that is answered quickly would end with
// nothing stored.
type storedSession struct {
	SessionStorage
	mu      sync.Mutex
	stores  int
	changed chan struct{}
}

func (s *storedSession) StoreSession(ctx context.Context, data []byte) error {
	err := s.SessionStorage.StoreSession(ctx, data)
	if err == nil {
		s.mu.Lock()
		s.stores++
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
	}
	return err
}

func (s *storedSession) count() (int, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stores, s.changed
}

// wait returns when the session was stored n times.
func (s *storedSession) wait(ctx context.Context, n int, limit time.Duration) error {
	t := time.NewTimer(limit)
	defer t.Stop()
	for {
		have, changed := s.count()
		if have >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			return errors.New("the login was accepted but its session could not be stored; look at the disk and log in again")
		}
	}
}
