package telegramtest

import (
	"context"
	"net"
	"time"

	"github.com/gotd/td/exchange"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgtest"
	"github.com/gotd/td/transport"
)

// front is one data centre: an address and the auth keys that were made there. All fronts answer for the same world.
type front struct {
	dc   int
	addr string
	cdn  bool

	// Guarded by the server's mutex.
	proto *tgtest.Server
	ln    *listener
	stop  func() // returns when nothing of it runs any more
}

func (s *Server) newFront(dc int, addr string) *front {
	return &front{dc: dc, addr: addr, proto: s.newProto(dc), stop: func() {}}
}

func (s *Server) newProto(dc int) *tgtest.Server {
	return tgtest.NewServer(exchange.PrivateKey{RSA: s.opts.Key}, tgtest.HandlerFunc(s.onMessage), tgtest.ServerOptions{
		DC: dc, ReadTimeout: 10 * time.Minute, WriteTimeout: 30 * time.Second,
	})
}

func (s *Server) listener(f *front) (*listener, error) {
	if s.opts.Memory {
		return greeting(listenMemory(f.dc), &s.gate), nil
	}
	return listen(f.addr, &s.gate)
}

// listen starts serving at the front's address, and makes a port that was left open a fixed one.
func (s *Server) listen(f *front) error {
	ln, err := s.listener(f)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	ended := make(chan struct{})
	s.mu.Lock()
	proto := f.proto
	f.ln, f.addr = ln, ln.Addr().String()
	f.stop = func() {
		_ = ln.Close()
		ln.drop()
		cancel() // only the listener ends with the context, connections have to be cut
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

// dcOptions is the list of data centres as clients get it.
func (s *Server) dcOptions() []tg.DCOption {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []tg.DCOption
	for _, f := range s.fronts {
		if a, ok := f.ln.Addr().(*net.TCPAddr); ok {
			list = append(list, tg.DCOption{ID: f.dc, IPAddress: a.IP.String(), Port: a.Port, Static: true, CDN: f.cdn})
		}
	}
	return list
}
