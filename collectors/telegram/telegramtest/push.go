package telegramtest

import (
	"context"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgtest"
)

// push sends what happens in the world to every session that is logged in and wants updates, in order.
func (s *Server) push(f *feed) {
	defer s.world.unsubscribe(f)
	for {
		select {
		case <-f.ready:
		case <-s.ctx.Done():
			return
		}
		for _, u := range f.take() {
			s.pushOne(u)
		}
	}
}

func (s *Server) pushOne(u *tg.Updates) {
	srv, to := s.listeners()
	for _, k := range to {
		ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
		err := srv.Send(ctx, k, tgtest.MessageFromServer, u)
		cancel()
		if err != nil {
			s.opts.Log.Debug().Err(err).Msg("push failed, the session is forgotten")
			s.lose(k.ID)
		}
	}
}

func (s *Server) listeners() (*tgtest.Server, []tgtest.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.script.pushOff {
		return s.proto, nil
	}
	var to []tgtest.Session
	for _, k := range s.sessions {
		if k.updates && s.auth.users[k.AuthKey.ID] != nil {
			to = append(to, k.Session)
		}
	}
	return s.proto, to
}

func (s *Server) lose(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, id)
}
