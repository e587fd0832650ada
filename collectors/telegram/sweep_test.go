package telegram_test

import (
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
)

// BenchmarkIdleRead is one read in rotation that brings nothing, the loopback server's side included; scripts/measure/sweep measures
// ours alone.
func BenchmarkIdleRead(b *testing.B) {
	l := theLab(b)
	var ts []collectors.Target
	for range 50 {
		ts = append(ts, in("", target(l.channel(b, 1))))
	}
	v := newVault(b, ts...)
	o := l.options(b)
	o.PollEvery, o.RotateMin, o.RotateMax = 0, time.Microsecond, time.Microsecond
	r := start(b, v, v, o, ts...)
	r.until(b, "the histories", posts(50))
	size := v.Size()
	b.ReportAllocs()
	b.ResetTimer()
	if err := l.srv.WaitCalls(b.Context(), "messages.getHistory", l.srv.CallCount("messages.getHistory")+b.N); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	r.stop(b)
	if n := v.Size() - size; n > 3 {
		b.Errorf("%d records were written while nothing happened", n)
	}
}
