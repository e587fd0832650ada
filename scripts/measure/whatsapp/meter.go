package main

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

// meter is the vault with a stop watch: it starts with the first post, or for a history when the channel is bound, and stops when the last
// one is on disk.
type meter struct {
	*vault.Vault
	ended chan error
	news  chan struct{}

	mu          sync.Mutex
	hash        maphash.Seed
	seen        map[uint64]bool  // by hash, since what the meter takes is measured too
	at          map[string]int64 // when a post was first on disk, by its number and the machine's clock
	count       int
	first, last time.Time
	cpu, endCPU float64
}

// Put implements collectors.Sink.
func (m *meter) Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error) {
	began := time.Now()
	rs, err := m.Vault.Put(ctx, b)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range b.Drafts {
		switch d.Body.(type) {
		case *evidence.AccountSeen:
			m.first, m.cpu = time.Now(), lab.CPU()
		case *evidence.PostSeen:
			if key := maphash.Comparable(m.hash, d.Subject); err == nil && !m.seen[key] {
				if m.first.IsZero() {
					m.first = began
				}
				m.seen[key] = true
				m.count++
				m.last, m.endCPU = time.Now(), lab.CPU()
				m.at[d.Subject.Part] = m.last.UnixNano()
			}
		}
	}
	select {
	case m.news <- struct{}{}:
	default:
	}
	return rs, err
}

// again starts the watch anew with the next post.
func (m *meter) again() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count, m.first = 0, time.Time{}
}

// wait returns when n posts are on disk, each counted once.
func (m *meter) wait(n int) error {
	for {
		m.mu.Lock()
		have := m.count
		m.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-m.news:
		case err := <-m.ended:
			m.ended <- nil
			return errors.Join(errors.New("the source stopped early"), err)
		case <-time.After(2 * time.Minute):
			return fmt.Errorf("%d of %d posts after two minutes without news", have, n)
		}
	}
}
