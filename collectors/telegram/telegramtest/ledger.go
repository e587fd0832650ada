package telegramtest

import "sync"

// Ledger counts the calls of many servers by method.
type Ledger struct {
	mu sync.Mutex
	of map[string]int64
}

// Add counts a call.
func (l *Ledger) Add(method string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = map[string]int64{}
	}
	l.of[method]++
}

// Counts returns how often each method was called that was called at all.
func (l *Ledger) Counts() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]int64, len(l.of))
	for m, n := range l.of {
		out[m] = n
	}
	return out
}
