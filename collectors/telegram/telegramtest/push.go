package telegramtest

import (
	"context"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgtest"
)

// push sends what happens in the world to every session that is logged in and wants updates, in order.
func (s *Server) push() {
	defer s.world.unsubscribe(s.feed)
	for {
		select {
		case <-s.feed.ready:
		case <-s.ctx.Done():
			return
		}
		for _, u := range s.feed.take() {
			s.pushOne(u)
		}
	}
}

func (s *Server) pushOne(u *tg.Updates) {
	for _, k := range s.listeners() {
		ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
		err := k.srv.Send(ctx, k.Session, tgtest.MessageFromServer, u)
		cancel()
		if err != nil {
			s.opts.Log.Debug().Err(err).Msg("push failed, the session is forgotten")
			s.lose(k.ID)
		}
	}
}

func (s *Server) listeners() []session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var to []session
	for _, k := range s.sessions {
		if k.updates && s.auth.users[k.AuthKey.ID] != nil {
			to = append(to, *k)
		}
	}
	return to
}

func (s *Server) lose(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, id)
}
