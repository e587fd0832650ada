package telegram_test

import (
	"context"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// troubled are the methods that trouble comes to.
var troubled = []string{"messages.getHistory", "channels.getMessages", "channels.getFullChannel", "updates.getChannelDifference", "contacts.resolveUsername"}

// trouble comes every few hours until ctx is done. At two thirds of the time our first account is lost for good.
func (s *soak) trouble(ctx context.Context) {
	lose := time.After(time.Until(s.truth.end) * 2 / 3)
	for {
		select {
		case <-ctx.Done():
			return
		case <-lose:
			s.srv.RevokePhone(telegramtest.DefaultAccount().Phone)
		case <-time.After(time.Duration(s.rnd.ExpFloat64() * float64(90*time.Minute))):
			s.faults++
			s.fault(ctx)
		}
	}
}

func (s *soak) fault(ctx context.Context) {
	method := troubled[s.rnd.IntN(len(troubled))]
	ch := s.truth.channels[s.rnd.IntN(len(s.truth.channels))].ch
	times := 1 + s.rnd.IntN(4)
	switch s.rnd.IntN(14) {
	case 0:
		s.srv.DropConnections()
	case 1:
		if err := s.srv.Restart(true); err != nil {
			s.Errorf("restart the platform: %v", err)
		}
	case 2:
		s.srv.Flood(method, 1+s.rnd.IntN(900), times)
	case 3:
		s.srv.Fail(method, 500, "INTERNAL", times*5)
	case 4:
		s.srv.Fail(method, -503, "Timeout", times)
	case 5:
		s.srv.Fail(method, 400, "CHANNEL_PRIVATE", 1, ch)
	case 6:
		s.srv.Stall(method, times)
	case 7:
		s.srv.DropAfter(method)
	case 8:
		s.srv.TooLong(ch)
	case 9:
		s.delay(time.Duration(s.rnd.IntN(8000)) * time.Millisecond)
		s.later(ctx, time.Hour, func() { s.delay(0) })
	case 10:
		s.srv.PushOff(true)
		s.later(ctx, 3*time.Hour, func() { s.srv.PushOff(false) })
	case 11:
		s.down.Store(true)
		s.srv.DropConnections()
		s.later(ctx, time.Duration(1+s.rnd.IntN(120))*time.Minute, func() { s.down.Store(false) })
	case 12:
		s.srv.Mangle(method, 1, func(b []byte) []byte { return b[:len(b)/2/4*4] })
	case 13:
		s.stop(s.rnd.IntN(2) == 0)
	}
}

// delay has every answer be late.
func (s *soak) delay(d time.Duration) {
	s.slow.Store(int64(d))
	s.srv.Latency(d)
}

func (s *soak) later(ctx context.Context, d time.Duration, f func()) {
	go func() {
		select {
		case <-ctx.Done():
		case <-time.After(d):
			f()
		}
	}()
}

// stop ends our own process, in order or as a power cut does.
func (s *soak) stop(kill bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	if !kill {
		s.restarts++
		s.process()
		return
	}
	s.crashes++
	s.sink.mu.Lock()
	s.sink.fail = func(evidence.Batch) bool { return true }
	s.sink.mu.Unlock()
}
