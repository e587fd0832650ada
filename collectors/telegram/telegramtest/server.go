package telegramtest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/gotd/td/exchange"
	"github.com/gotd/td/mt"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgtest"
	"github.com/gotd/td/tmap"
	"github.com/gotd/td/transport"
	"github.com/rs/zerolog"
)

// Options of a Server.
type Options struct {
	Addr     string          // loopback address to listen on; 127.0.0.1:0 when empty
	DC       int             // number of the data centre; 2 when zero
	Key      *rsa.PrivateKey // 2048 bits; generated when nil
	Accounts []Account       // who may log in; DefaultAccount alone when empty
	// PollTimeout is the number of seconds after which a client is told to ask again for a channel's difference; 1 when zero.
	PollTimeout int
	Log         zerolog.Logger
}

// Server serves a world over MTProto. All methods may be called concurrently.
type Server struct {
	world  *World
	opts   Options
	addr   string
	routes map[uint32]route
	// types names the methods; service names the messages of the protocol itself.
	types, service *tmap.Map
	gate           sync.RWMutex // see gated
	cancel         context.CancelFunc
	ctx            context.Context // ends with Close
	wait           sync.WaitGroup  // of the pusher and delayed answers

	restarting sync.Mutex
	mu         sync.Mutex
	proto      *tgtest.Server
	ln         *listener
	stop       func()
	auth       authState
	sessions   map[int64]*session
	script     script
	log        callLog
}

// session is one connection's MTProto session, to which updates are pushed.
type session struct {
	tgtest.Session
	updates bool // asked for something without refusing updates
}

// Serve starts a server. It runs until Close, or until ctx is done.
func Serve(ctx context.Context, w *World, o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.DC == 0 {
		o.DC = defaultDC
	}
	if o.PollTimeout == 0 {
		o.PollTimeout = 1
	}
	if len(o.Accounts) == 0 {
		o.Accounts = []Account{DefaultAccount()}
	}
	if o.Key == nil {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("generate the server's key: %w", err)
		}
		o.Key = k
	}
	s := &Server{world: w, opts: o, addr: o.Addr, sessions: map[int64]*session{}}
	s.types, s.service = tmap.New(tg.TypesMap()), tmap.New(mt.TypesMap())
	s.auth = newAuthState(w, o.Accounts)
	s.log.changed = make(chan struct{})
	s.routes = s.routeTable()
	s.ctx, s.cancel = context.WithCancel(ctx)
	w.serveFrom(o.DC)
	s.proto = s.newMTProto()
	if err := s.listen(); err != nil {
		s.cancel()
		return nil, fmt.Errorf("serve a loopback Telegram: %w", err)
	}
	f := w.subscribe()
	s.wait.Go(func() { s.push(f) })
	context.AfterFunc(s.ctx, func() { s.closeConnections() })
	return s, nil
}

func (s *Server) newMTProto() *tgtest.Server {
	return tgtest.NewServer(exchange.PrivateKey{RSA: s.opts.Key}, tgtest.HandlerFunc(s.onMessage), tgtest.ServerOptions{
		DC: s.opts.DC, ReadTimeout: 10 * time.Minute, WriteTimeout: 30 * time.Second,
	})
}

// listen starts serving on s.addr with s.proto.
func (s *Server) listen() error {
	ln, err := listen(s.addr, &s.gate)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	ended := make(chan struct{})
	s.mu.Lock()
	proto := s.proto
	s.ln, s.addr = ln, ln.Addr().String()
	s.stop = func() {
		_ = ln.Close()
		ln.drop()
		cancel()
		<-ended
		ln.wait.Wait()
	}
	s.mu.Unlock()
	go func() {
		defer close(ended)
		if err := proto.Serve(ctx, transport.ListenCodec(func() transport.Codec { return gated{} }, ln)); err != nil {
			s.opts.Log.Debug().Err(err).Msg("loopback Telegram stopped")
		}
	}()
	return nil
}

// Addr returns the address as host:port.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// DC returns the number of the data centre.
func (s *Server) DC() int { return s.opts.DC }

// World returns the world that is served.
func (s *Server) World() *World { return s.world }

// PublicKeyPEM returns the public key that clients must know, as PKCS #1 PEM.
func (s *Server) PublicKeyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&s.opts.Key.PublicKey)})
}

// Restart closes all connections and listens again on the same port. With keepKeys the clients' sessions live on; without, their
// auth keys are unknown, as after a restart of the process: a client then makes a new key and has to log in again.
func (s *Server) Restart(keepKeys bool) error {
	s.restarting.Lock()
	defer s.restarting.Unlock()
	if err := s.ctx.Err(); err != nil {
		return fmt.Errorf("restart a loopback Telegram that was closed: %w", err)
	}
	s.closeConnections()
	if !keepKeys {
		s.mu.Lock()
		s.proto = s.newMTProto()
		s.auth.forget()
		s.mu.Unlock()
	}
	if err := s.listen(); err != nil {
		return fmt.Errorf("restart a loopback Telegram on %s: %w", s.Addr(), err)
	}
	return nil
}

// DropConnections cuts every connection; clients may connect again at once.
func (s *Server) DropConnections() {
	s.mu.Lock()
	ln := s.ln
	clear(s.sessions)
	s.mu.Unlock()
	ln.drop()
}

// Close ends the server and all it started.
func (s *Server) Close() error {
	s.cancel()
	s.restarting.Lock()
	defer s.restarting.Unlock()
	s.closeConnections()
	s.wait.Wait()
	return nil
}

func (s *Server) closeConnections() {
	s.mu.Lock()
	stop := s.stop
	clear(s.sessions)
	s.mu.Unlock()
	stop()
}

// hostPort splits the address for the configuration that clients get.
func (s *Server) hostPort() (string, int) {
	a, err := net.ResolveTCPAddr("tcp", s.Addr())
	if err != nil {
		return "127.0.0.1", 0
	}
	return a.IP.String(), a.Port
}
