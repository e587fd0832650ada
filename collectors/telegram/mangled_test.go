package telegram_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// manglings are the ways in which a reply may be no reply.
func manglings() map[string]func([]byte) []byte {
	return map[string]func([]byte) []byte{
		"empty":     func([]byte) []byte { return nil },
		"half":      func(b []byte) []byte { return b[:len(b)/8*4] },
		"one short": func(b []byte) []byte { return b[:len(b)-4] },
		"of an unknown type": func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b, 0xdeadbeef)
			return b
		},
		"of another type": func([]byte) []byte {
			var out bin.Buffer
			_ = (&tg.NearestDC{Country: "XX", ThisDC: 2, NearestDC: 2}).Encode(&out)
			return out.Buf
		},
		"with a count of two thousand million": func(b []byte) []byte {
			for i := 0; i+8 <= len(b); i += 4 {
				if binary.LittleEndian.Uint32(b[i:]) == bin.TypeVector {
					binary.LittleEndian.PutUint32(b[i+4:], 2_000_000_000)
					break
				}
			}
			return b
		},
	}
}

// TestAReplyThatIsNoneIsAskedForAgain bends replies once and then for an hour. Nothing of them is recorded, and nothing is missing
// afterwards; what an hour of them hid is a gap.
func TestAReplyThatIsNoneIsAskedForAgain(t *testing.T) {
	for name, mangle := range manglings() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, telegramtest.Options{}, func(b *bubble) {
				ch := b.channel(b.t, 3)
				tg := target(ch)
				tg.Mode = ""
				v := newVault(b.t, tg)
				methods := []string{"messages.getHistory", "channels.getFullChannel", "contacts.resolveUsername"}
				for _, m := range methods {
					b.srv.Mangle(m, 1, mangle)
				}
				l := b.live(v, tg)
				<-time.After(time.Hour)
				if n := b.srv.Pending(); n != 0 {
					b.t.Errorf("%d troubles did not happen", n)
				}
				for _, m := range methods {
					b.srv.Mangle(m, 1_000_000, mangle)
				}
				ch.Post(telegramtest.Post{Text: "Simulated last notice"})
				<-time.After(time.Hour)
				b.srv.Calm()
				<-time.After(4 * time.Hour)
				err := l.stop()
				rs := records(b.t, v)
				if len(postsOf(rs)) != 4 || err != nil {
					b.t.Errorf("%d of 4 posts are recorded: %v, %q", len(postsOf(rs)), err, states(rs))
				}
				long := false
				for _, g := range of[*evidence.Gap](rs) {
					long = long || g.To.Sub(g.From.Time) > 50*time.Minute
				}
				if !long {
					b.t.Errorf("an hour without an answer is no gap: %q", states(rs))
				}
			})
		})
	}
}

func TestOddTitlesAndDatesAreRecordedAsTheyAre(t *testing.T) {
	inBubble(t, telegramtest.Options{}, func(b *bubble) {
		const title = "Simulated \u202egnitirw\u2066 \u200f\u0000channel"
		ch := b.world.AddChannel(telegramtest.Profile{Username: b.name(), Title: title, Date: 1})
		for _, date := range []int{1, 86400, 1_000_000_000, 1<<31 - 1} {
			ch.Post(telegramtest.Post{Text: "Simulated notice", Date: date})
		}
		tg := target(ch)
		tg.Mode = ""
		v := newVault(b.t, tg)
		l := b.live(v, tg)
		<-time.After(time.Hour)
		err := l.stop()
		rs := records(b.t, v)
		if len(postsOf(rs)) != 4 || err != nil {
			b.t.Errorf("%d of 4 posts are recorded: %v, %q", len(postsOf(rs)), err, states(rs))
		}
		if seen := of[*evidence.AccountSeen](rs); len(seen) == 0 || seen[0].Title != title {
			b.t.Errorf("account.seen %+v", seen)
		}
	})
}
