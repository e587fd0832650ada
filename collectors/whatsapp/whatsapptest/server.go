package whatsapptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Options of a Server.
type Options struct {
	Addr      string // loopback address of the chat server; 127.0.0.1:0 when empty
	MediaAddr string // loopback address of the media host; 127.0.0.1:0 when empty
	Root      Root   // SharedRoot when zero
	// MediaHosts are the names given for media; mmg.whatsapp.net when empty.
	MediaHosts []string
	// PreKeys is how many prekeys a newly paired device is said to have on the server. With fewer than 5 the client makes 812,
	// which takes about a second.
	PreKeys int
	// Phone lets other processes scan codes, by POST to the chat server: see ScanAt and EnterCodeAt.
	Phone bool
	Log   zerolog.Logger
}

// Endpoint is what a client needs to know. It converts to whatsapp.Network.
type Endpoint struct {
	Addr      string
	MediaAddr string
	RootKey   [32]byte
}

// Server serves a world. All methods may be called concurrently.
type Server struct {
	world  *World
	opts   Options
	id     *identity
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	restarting sync.Mutex
	mu         sync.Mutex
	run        *run
	conns      map[*conn]struct{}
	refs       map[string]*conn // QR references to the connections that wait for a phone
	script     script
	log        callLog
}

// run is the time between listening and stopping.
type run struct {
	ctx    context.Context
	cancel context.CancelFunc
	srv    []*http.Server
	wait   sync.WaitGroup // of listeners, requests and connections
	shut   bool           // guarded by the server's mutex
}

// Serve starts a server. It runs until Close, or until ctx is done.
func Serve(ctx context.Context, w *World, o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.MediaAddr == "" {
		o.MediaAddr = "127.0.0.1:0"
	}
	if o.Root.pair == nil {
		o.Root = SharedRoot()
	}
	if len(o.MediaHosts) == 0 {
		o.MediaHosts = []string{"mmg.whatsapp.net"}
	}
	id, err := newIdentity(o.Root, time.Now())
	if err != nil {
		return nil, fmt.Errorf("make certificates: %w", err)
	}
	s := &Server{world: w, opts: o, id: id, conns: map[*conn]struct{}{}, refs: map[string]*conn{}}
	s.log.changed = make(chan struct{})
	s.ctx, s.cancel = context.WithCancel(ctx)
	if err := s.start(); err != nil {
		s.cancel()
		return nil, fmt.Errorf("serve a loopback WhatsApp: %w", err)
	}
	context.AfterFunc(s.ctx, s.stop)
	return s, nil
}

// Endpoint returns the addresses and the public root key.
func (s *Server) Endpoint() Endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Endpoint{Addr: s.opts.Addr, MediaAddr: s.opts.MediaAddr, RootKey: s.opts.Root.Public()}
}

// World returns the world that is served.
func (s *Server) World() *World { return s.world }

// Restart closes all connections and listens again on the same ports. Paired devices stay paired: they are the world's.
func (s *Server) Restart() error {
	s.restarting.Lock()
	defer s.restarting.Unlock()
	if err := s.ctx.Err(); err != nil {
		return fmt.Errorf("restart a loopback WhatsApp that was closed: %w", err)
	}
	s.stop()
	if err := s.start(); err != nil {
		return fmt.Errorf("restart a loopback WhatsApp: %w", err)
	}
	if s.ctx.Err() != nil { // it ended meanwhile
		s.stop()
	}
	return nil
}

// Close ends the server and all it started, and saves a world that saves itself.
func (s *Server) Close() error {
	s.cancel()
	s.restarting.Lock()
	defer s.restarting.Unlock()
	s.stop()
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.save()
	return nil
}

// DropConnections cuts every connection without a word; clients may connect again at once.
func (s *Server) DropConnections() {
	for _, c := range s.connections() {
		c.cut()
	}
}

func (s *Server) start() error {
	r := &run{}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(s.ctx))
	s.mu.Lock()
	addr, media := s.opts.Addr, s.opts.MediaAddr
	s.mu.Unlock()
	chat, err := r.listen(addr, s.tracked(r, s.serveChat))
	if err != nil {
		r.cancel()
		return err
	}
	files, err := r.listen(media, s.tracked(r, s.serveMedia))
	if err != nil {
		r.stop()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Addr, s.opts.MediaAddr, s.run = chat, files, r
	return nil
}

// listen serves in the background and returns the address with its true port.
func (r *run) listen(addr string, h http.Handler) (string, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context { return r.ctx },
	}
	r.srv = append(r.srv, srv)
	r.wait.Go(func() { _ = srv.Serve(ln) }) // ends with Close
	return ln.Addr().String(), nil
}

func (r *run) stop() {
	r.cancel()
	for _, srv := range r.srv {
		_ = srv.Close()
	}
	r.wait.Wait()
}

// tracked keeps Close waiting for requests that run, and refuses those that come after it.
func (s *Server) tracked(r *run, h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if !s.begin(r) {
			panic(http.ErrAbortHandler)
		}
		defer r.wait.Done()
		h(w, q)
	})
}

func (s *Server) begin(r *run) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.shut {
		return false
	}
	r.wait.Add(1)
	return true
}

// spawn runs f as a part of the present run; f has to end with the run's context.
func (s *Server) spawn(f func(ctx context.Context)) error {
	s.mu.Lock()
	r := s.run
	s.mu.Unlock()
	if !s.begin(r) {
		return errors.New("the loopback WhatsApp is closed")
	}
	go func() {
		defer r.wait.Done()
		f(r.ctx)
	}()
	return nil
}

func (s *Server) stop() {
	s.mu.Lock()
	r := s.run
	r.shut = true
	s.mu.Unlock()
	r.stop()
}

func (s *Server) connections() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*conn
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}
