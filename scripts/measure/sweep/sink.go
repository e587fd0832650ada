package main

import (
	"context"
	"sync"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// sink is the vault with a count of what was put into it.
type sink struct {
	*vault.Vault
	want int // posts, after which done is closed
	done chan struct{}

	mu   sync.Mutex
	seen int
	puts int
}

// Put implements collectors.Sink.
func (s *sink) Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error) {
	rs, err := s.Vault.Put(ctx, b)
	if err != nil {
		return rs, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.puts++
	for i, d := range b.Drafts {
		if _, ok := d.Body.(*evidence.PostSeen); ok && rs[i].Outcome == evidence.Written {
			if s.seen++; s.seen == s.want {
				close(s.done)
			}
		}
	}
	return rs, nil
}

func (s *sink) commits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.puts
}
