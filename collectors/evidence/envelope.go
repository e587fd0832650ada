package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// EnvelopeVersion is the `v` of every envelope written today.
const EnvelopeVersion = 1

// TimeFormat is how `at` is written: RFC 3339, UTC, microseconds always six digits.
const TimeFormat = "2006-01-02T15:04:05.000000Z"

// Envelope is the part of a record that is never erased. Its exact bytes are the Merkle leaf, so it holds only ordinals
// and commitments.
type Envelope struct {
	V       int     `json:"v"`
	Seq     int64   `json:"seq"` // leaf index, from 0
	ID      ID      `json:"id"`
	Kind    Kind    `json:"kind"`
	At      Time    `json:"at"` // the vault's commit clock
	Actor   Ordinal `json:"actor"`
	Subject Ordinal `json:"subject"`
	Body    Digest  `json:"body_sha256"`
}

// ErrEnvelope is returned for bytes that are not an envelope as Append writes it.
var ErrEnvelope = errors.New("not an envelope")

// Append appends the envelope's exact bytes: compact JSON, fields in the order of the struct, no LF.
func (e Envelope) Append(b []byte) []byte {
	b = append(b, `{"v":`...)
	b = strconv.AppendInt(b, int64(e.V), 10)
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, e.Seq, 10)
	b = append(b, `,"id":"`...)
	b = append(b, e.ID.Acq...)
	b = append(b, '/')
	b = strconv.AppendUint(b, uint64(e.ID.N), 10)
	b = append(b, `","kind":"`...)
	b = append(b, e.Kind...)
	b = append(b, `","at":"`...)
	b = appendTime(b, e.At.UTC())
	b = append(b, `","actor":"`...)
	b = append(b, e.Actor...)
	b = append(b, `","subject":"`...)
	b = append(b, e.Subject...)
	b = append(b, `","body_sha256":"`...)
	b = hex.AppendEncode(b, e.Body[:])
	return append(b, `"}`...)
}

// ParseEnvelope reads an envelope and insists on the exact bytes that Append would write, so that one meaning has one
// encoding. A version that is not known here is an error that names it.
func ParseEnvelope(b []byte) (Envelope, error) {
	var room [384]byte
	if e, ok := readEnvelope(b); ok && e.V == EnvelopeVersion && bytes.Equal(e.Append(room[:0]), b) {
		return e, nil
	}
	var e Envelope
	if err := json.Unmarshal(b, &e); err != nil {
		return e, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	if e.V != EnvelopeVersion {
		return e, fmt.Errorf("%w: version %d, this build reads %d", ErrEnvelope, e.V, EnvelopeVersion)
	}
	if !bytes.Equal(e.Append(nil), b) {
		return e, fmt.Errorf("%w: not in canonical form", ErrEnvelope)
	}
	return e, nil
}

// Time is an instant in a record. It is written as TimeFormat and holds microseconds in UTC; the zero Time is written as
// the empty text and stands for "not known".
type Time struct{ time.Time }

// At returns t cut to the microsecond, in UTC.
func At(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Microsecond)}
}

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) {
	b, err := t.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return b[1 : len(b)-1], nil
}

// appendTime appends t as TimeFormat, which is on the path of every record. t is in UTC.
func appendTime(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, TimeFormat)
	}
	hour, minute, sec := t.Clock()
	b = appendDigits(b, year, 1000)
	b = appendDigits(append(b, '-'), int(month), 10)
	b = appendDigits(append(b, '-'), day, 10)
	b = appendDigits(append(b, 'T'), hour, 10)
	b = appendDigits(append(b, ':'), minute, 10)
	b = appendDigits(append(b, ':'), sec, 10)
	b = appendDigits(append(b, '.'), t.Nanosecond()/1000, 100_000)
	return append(b, 'Z')
}

// appendDigits appends n with as many digits as top, a power of ten, has.
func appendDigits(b []byte, n, top int) []byte {
	for ; top > 0; top /= 10 {
		b = append(b, byte('0'+n/top%10))
	}
	return b
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*t = Time{}
		return nil
	}
	var room [len(TimeFormat)]byte
	if readTime(b, t) && string(appendTime(room[:0], t.Time)) == string(b) {
		return nil
	}
	v, err := time.Parse(TimeFormat, string(b))
	*t = Time{v.UTC()}
	return err
}

// MarshalJSON and UnmarshalJSON hide those of time.Time, which would win over the text forms.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte(`""`), nil
	}
	if y := t.UTC().Year(); y < 0 || y > 9999 {
		return nil, fmt.Errorf("year %d is outside RFC 3339", y)
	}
	b := append(make([]byte, 0, len(TimeFormat)+2), '"')
	return append(appendTime(b, t.UTC()), '"'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Time) UnmarshalJSON(b []byte) error {
	if n := len(b) - 1; n == len(TimeFormat)+1 && b[0] == '"' && b[n] == '"' && bytes.IndexByte(b, '\\') < 0 {
		return t.UnmarshalText(b[1:n])
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	return t.UnmarshalText([]byte(s))
}
