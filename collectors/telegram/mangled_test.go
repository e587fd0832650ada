package telegram_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/collectors/vault"
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

// TestAReplyThatIsNoneIsAskedForAgain bends replies once and then for an hour. Nothing is read out of them and nothing is missing
// afterwards; their bytes are kept, a few of them in an hour, and what an hour of them hid is a gap.
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
				var blind time.Duration
				for _, g := range of[*evidence.Gap](rs) {
					if name == "empty" || g.Cause == "undecodable" { // what is empty reaches nobody: the client takes it for no answer
						blind += g.To.Sub(g.From.Time)
					}
				}
				if blind < 50*time.Minute || blind > 3*time.Hour {
					b.t.Errorf("an hour without an answer is a gap of %s: %q", blind, states(rs))
				}
				if name == "empty" {
					return
				}
				for _, s := range of[*evidence.Collector](rs) {
					if s.State == "failed" {
						b.t.Errorf("one target's replies ended the run: %s", s.Detail)
					}
				}
				unreadKept(b.t, v, rs, name, methods)
			})
		})
	}
}

// TestATargetWhoseRepliesCannotBeReadKeepsNobodyElseWaiting has one of two channels answer nonsense that is another one each time.
func TestATargetWhoseRepliesCannotBeReadKeepsNobodyElseWaiting(t *testing.T) {
	inBubble(t, telegramtest.Options{}, func(b *bubble) {
		bad, good := b.channel(b.t, 3), b.channel(b.t, 3)
		one, other := target(bad), target(good)
		one.Mode, other.Mode = "", ""
		v := newVault(b.t, one, other)
		n, big := uint32(0), make([]byte, 5<<20)
		for _, m := range []string{"messages.getHistory", "updates.getChannelDifference", "channels.getMessages"} {
			b.srv.Mangle(m, 1_000_000, func(raw []byte) []byte {
				n++
				if n == 1 {
					raw = append(raw, big...)
				}
				binary.LittleEndian.PutUint32(raw, 0xdead0000+n)
				return raw
			}, bad)
		}
		l := b.live(v, one, other)
		for i := range 6 {
			<-time.After(30 * time.Minute)
			good.Post(telegramtest.Post{Text: fmt.Sprint("Simulated notice of the other ", i)})
		}
		<-time.After(time.Hour)
		err := l.stop()
		rs := records(b.t, v)
		for _, s := range states(rs) {
			if strings.HasPrefix(s, "failed") {
				b.t.Errorf("the run ended: %s", s)
			}
		}
		if n := len(postsOf(rs)); n != 9 || err != nil {
			b.t.Errorf("%d of 9 posts of the other channel are recorded: %v, %q", n, err, states(rs))
		}
		kept, long := 0, 0
		for _, a := range of[*evidence.Acquisition](rs) {
			switch {
			case a.Undecoded == nil:
			case a.Reply.IsZero() && a.Undecoded.Size > 4<<20:
				long++
			case a.Reply.Size == a.Undecoded.Size:
				kept++
			}
		}
		if kept < 4 || kept > 5*4 || long != 1 || len(gaps(rs, "undecodable")) < 3 {
			b.t.Errorf("%d replies are kept and %d are too long to be; %d gaps", kept, long, len(gaps(rs, "undecodable")))
		}
	})
}

// unreadKept checks that replies which could not be read are recorded with the bytes that came, some of each method and not all.
func unreadKept(t *testing.T, v *vault.Vault, rs []record, name string, methods []string) {
	n := map[string]int{}
	for _, a := range of[*evidence.Acquisition](rs) {
		u := a.Undecoded
		if u == nil {
			continue
		}
		n[a.Method]++
		raw := blob(t, v, a.Reply.SHA256)
		if int64(len(raw)) != u.Size || a.Reply.Size != u.Size || evidence.Sum(raw) != u.SHA256 || u.Why == "" || len(a.Request) < len(`{"x":1}`) {
			t.Errorf("%s: %d bytes are kept, and recorded is %+v of %s", a.Method, len(raw), u, a.Request)
		}
		if name == "of an unknown type" && (binary.LittleEndian.Uint32(raw) != 0xdeadbeef || !strings.Contains(u.Why, "deadbeef")) {
			t.Errorf("%s: kept are the bytes of something else: %x, %s", a.Method, raw[:4], u.Why)
		}
	}
	for _, m := range methods {
		if n[m] == 0 || n[m] > 12 {
			t.Errorf("%d replies to %s are recorded that could not be read", n[m], m)
		}
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
