package whatsapptest

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Trap is a web server where no client of ours may ever come: the address that a hostile channel puts into its messages
// (Media.URL, RedirectedAway). It answers everything, and counts.
type Trap struct {
	srv   *http.Server
	addr  string
	ended chan struct{}

	mu   sync.Mutex
	hits []string
}

// NewTrap starts a trap on a loopback address.
func NewTrap() (*Trap, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lay a trap: %w", err)
	}
	t := &Trap{addr: ln.Addr().String(), ended: make(chan struct{})}
	t.srv = &http.Server{Handler: http.HandlerFunc(t.serve), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(t.ended)
		_ = t.srv.Serve(ln) // ends with Close
	}()
	return t, nil
}

func (t *Trap) serve(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	t.hits = append(t.hits, r.Method+" "+r.URL.RequestURI())
	t.mu.Unlock()
	send(w, []byte("trapped"))
}

// URL returns an address in the trap.
func (t *Trap) URL() string { return "http://" + t.addr + "/latest/meta-data?token=1" }

// Hits returns method and address of every request so far.
func (t *Trap) Hits() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.hits...)
}

// Close ends the trap.
func (t *Trap) Close() error {
	err := t.srv.Close()
	<-t.ended
	return err
}
