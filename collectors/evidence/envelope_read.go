package evidence

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"time"
)

// readEnvelope reads an envelope as Append writes it, which every record of a log passes on its way to a reader. Where b is written in
// any other way it gives up, and the general reader says what is wrong. That b is canonical is for the caller to compare.
func readEnvelope(b []byte) (e Envelope, ok bool) {
	r := fields{b: b, ok: true}
	e.V = int(r.number(`{"v":`))
	e.Seq = r.number(`,"seq":`)
	acq, n := r.text(`,"id":"`), []byte(nil)
	if i := bytes.IndexByte(acq, '/'); i == acqLen {
		acq, n = acq[:i], acq[i+1:]
	}
	kind := r.text(`,"kind":"`)
	at := r.text(`,"at":"`)
	actor, subject := r.text(`,"actor":"`), r.text(`,"subject":"`)
	sum := r.text(`,"body_sha256":"`)
	if !r.ok || string(r.b) != "}" || len(sum) != 2*len(e.Body) {
		return Envelope{}, false
	}
	count, err := strconv.ParseUint(string(n), 10, 32)
	if err != nil || !isAcq(acq) || !readTime(at, &e.At) {
		return Envelope{}, false
	}
	if _, err := hex.Decode(e.Body[:], sum); err != nil {
		return Envelope{}, false
	}
	e.ID, e.Kind, e.Actor, e.Subject = ID{string(acq), uint32(count)}, intern(kind), Ordinal(actor), Ordinal(subject)
	return e, true
}

// fields reads the members of an envelope one after another.
type fields struct {
	b  []byte
	ok bool
}

func (r *fields) skip(name string) {
	if r.ok = r.ok && len(r.b) >= len(name) && string(r.b[:len(name)]) == name; r.ok {
		r.b = r.b[len(name):]
	}
}

// number reads a number of up to 18 digits.
func (r *fields) number(name string) (n int64) {
	r.skip(name)
	i := 0
	for ; r.ok && i < len(r.b) && i < 18 && r.b[i]-'0' <= 9; i++ {
		n = 10*n + int64(r.b[i]-'0')
	}
	if r.ok = r.ok && i > 0; r.ok {
		r.b = r.b[i:]
	}
	return n
}

// text reads a string that needs no escapes, with its closing quote.
func (r *fields) text(name string) []byte {
	r.skip(name)
	if !r.ok {
		return nil
	}
	for i, c := range r.b {
		switch {
		case c == '"':
			t := r.b[:i]
			r.b = r.b[i+1:]
			return t
		case c < ' ' || c == '\\' || c >= 0x7f:
			r.ok = false
			return nil
		}
	}
	r.ok = false
	return nil
}

func isAcq(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'v') {
			return false
		}
	}
	return len(b) == acqLen
}

// readTime reads TimeFormat. A day that does not exist becomes another one, which is not written as b.
func readTime(b []byte, t *Time) bool {
	if len(b) != len(TimeFormat) {
		return false
	}
	ok := true
	digits := func(from, to int) (n int) {
		for _, c := range b[from:to] {
			ok = ok && c-'0' <= 9
			n = 10*n + int(c-'0')
		}
		return n
	}
	year, month, day := digits(0, 4), digits(5, 7), digits(8, 10)
	hour, minute, sec, micro := digits(11, 13), digits(14, 16), digits(17, 19), digits(20, 26)
	if !ok || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || sec > 59 {
		return false
	}
	t.Time = time.Date(year, time.Month(month), day, hour, minute, sec, micro*1000, time.UTC)
	return true
}

// intern spares the kinds that are most of every log memory of their own.
func intern(kind []byte) Kind {
	for _, k := range [...]Kind{KindPostSeen, KindAcquisition, KindMediaKept, KindPostCounts, KindAccountBound} {
		if string(kind) == string(k) {
			return k
		}
	}
	return Kind(kind)
}
