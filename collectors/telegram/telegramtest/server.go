package telegramtest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"sync"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/mt"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgtest"
	"github.com/gotd/td/tmap"
	"github.com/rs/zerolog"
)

// Options of a Server.
type Options struct {
	Addr string // loopback address to listen on; 127.0.0.1:0 when empty
	DC   int    // number of the data centre; 2 when zero
	// FileDC is the number of the data centre that holds the files; DC when zero. Another one listens on a port of its own, which
	// clients learn from help.getConfig, and the main one answers upload.getFile with FILE_MIGRATE.
	FileDC int
	// CDN is the number of a data centre of the delivery network, on a port of its own; none when zero. See ServeFromCDN.
	CDN      int
	Key      *rsa.PrivateKey // 2048 bits; generated when nil
	Accounts []Account       // who may log in; DefaultAccount alone when empty
	// PollTimeout is the number of seconds after which a client is told to ask again for a channel's difference; 1 when zero.
	PollTimeout int
	Log         zerolog.Logger
	// Memory has the server listen nowhere but at Dial.
	Memory bool
	// Ledger, where set, counts the calls of this server together with those of others.
	Ledger *Ledger
	// Answered, where set, is told every request that is answered in truth, and the answer, before that is sent.
	Answered func(request any, answer bin.Encoder)
}

// Server serves a world over MTProto. All methods may be called concurrently.
type Server struct {
	world  *World
	opts   Options
	routes map[uint32]route
	// types names the methods; service names the messages of the protocol itself.
	types, service *tmap.Map
	feed           *feed
	gate           sync.RWMutex // see gated
	cancel         context.CancelFunc
	ctx            context.Context // ends with Close
	wait           sync.WaitGroup  // of the pusher and delayed answers

	restarting sync.Mutex
	mu         sync.Mutex
	fronts     []*front // the main one first
	auth       authState
	sessions   map[int64]*session
	script     script
	log        callLog
	joined     map[int64][][8]byte // by channel, the keys of the logins that are in it
	device     Device
}

// session is one connection's MTProto session, to which updates are pushed.
type session struct {
	tgtest.Session
	srv     *tgtest.Server
	updates bool // asked for something without refusing updates
}

// Serve starts a server. It runs until Close, or until ctx is done.
func Serve(ctx context.Context, w *World, o Options) (*Server, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Server{world: w, opts: o, sessions: map[int64]*session{}, auth: newAuthState(w, o.Accounts)}
	s.types, s.service = tmap.New(tg.TypesMap()), tmap.New(mt.TypesMap())
	s.log.changed = make(chan struct{})
	s.routes = s.routeTable()
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.fronts = []*front{s.newFront(o.DC, o.Addr)}
	if o.FileDC != o.DC {
		s.fronts = append(s.fronts, s.newFront(o.FileDC, "127.0.0.1:0"))
	}
	if o.CDN != 0 {
		f := s.newFront(o.CDN, "127.0.0.1:0")
		f.cdn = true
		s.fronts = append(s.fronts, f)
	}
	w.serveFrom(o.FileDC)
	if err := s.listenAll(); err != nil {
		s.cancel()
		return nil, fmt.Errorf("serve a loopback Telegram: %w", err)
	}
	s.feed = w.subscribe()
	s.wait.Go(s.push)
	context.AfterFunc(s.ctx, s.stopAll)
	return s, nil
}

func (o *Options) complete() error {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.DC == 0 {
		o.DC = defaultDC
	}
	if o.FileDC == 0 {
		o.FileDC = o.DC
	}
	if o.PollTimeout == 0 {
		o.PollTimeout = 1
	}
	if len(o.Accounts) == 0 {
		o.Accounts = []Account{DefaultAccount()}
	}
	if o.Key != nil {
		return nil
	}
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("generate the server's key: %w", err)
	}
	o.Key = k
	return nil
}

// Addr returns the main data centre's address as host:port.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fronts[0].addr
}

// DC returns the number of the main data centre.
func (s *Server) DC() int { return s.opts.DC }

// World returns the world that is served.
func (s *Server) World() *World { return s.world }

// PublicKeyPEM returns the public key that clients must know, as PKCS #1 PEM.
func (s *Server) PublicKeyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&s.opts.Key.PublicKey)})
}

// Restart closes all connections and listens again on the same ports. With keepKeys the clients' sessions live on; without, their
// auth keys are unknown, as after a restart of the process: a client then makes a new key and has to log in again.
func (s *Server) Restart(keepKeys bool) error {
	s.restarting.Lock()
	defer s.restarting.Unlock()
	if err := s.ctx.Err(); err != nil {
		return fmt.Errorf("restart a loopback Telegram that was closed: %w", err)
	}
	s.stopAll()
	if !keepKeys {
		s.mu.Lock()
		for _, f := range s.fronts {
			f.proto = s.newProto(f.dc)
		}
		s.auth.forget()
		s.mu.Unlock()
	}
	if err := s.listenAll(); err != nil {
		return fmt.Errorf("restart a loopback Telegram: %w", err)
	}
	return nil
}

// DropConnections cuts every connection; clients may connect again at once.
func (s *Server) DropConnections() {
	for _, f := range s.parts() {
		f.ln.drop()
	}
}

// Close ends the server and all it started.
func (s *Server) Close() error {
	s.cancel()
	s.restarting.Lock()
	defer s.restarting.Unlock()
	s.stopAll()
	s.wait.Wait()
	return nil
}

func (s *Server) listenAll() error {
	for _, f := range s.fronts {
		if err := s.listen(f); err != nil {
			s.stopAll()
			return err
		}
	}
	return nil
}

func (s *Server) stopAll() {
	for _, f := range s.parts() {
		f.stop()
	}
}

// parts returns copies of the fronts as they are now, and forgets the sessions, which end with the connections.
func (s *Server) parts() []front {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
	var list []front
	for _, f := range s.fronts {
		list = append(list, *f)
	}
	return list
}
