package evidence

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ID identifies a draft, and the record that it becomes: an acquisition id and a count, written `ACQ/N`. Counts ascend
// across the batches of one acquisition, so that the vault looks up one key a batch when it looks for repeats. An act of a
// person is an acquisition of its own with the single count 0.
type ID struct {
	Acq string // 26 characters of lower-case base32hex, see NewAcq
	N   uint32
}

// ErrID is returned for a text that is not `ACQ/N`.
var ErrID = errors.New("not a record id of the form ACQ/N")

const acqLen = 26

var acqEncoding = base32.HexEncoding.WithPadding(base32.NoPadding)

// NewAcq returns a fresh acquisition id: 48 bits of milliseconds, so that ids made one after another lie side by side in
// the vault's B+tree, then 80 random bits.
func NewAcq(now time.Time) string {
	var b [16]byte
	rand.Read(b[6:])
	var t [8]byte
	binary.BigEndian.PutUint64(t[:], uint64(now.UnixMilli()))
	copy(b[:6], t[2:])
	return strings.ToLower(acqEncoding.EncodeToString(b[:]))
}

// NewID returns the id of a person's act, or of anything else that stands alone.
func NewID(now time.Time) ID { return ID{Acq: NewAcq(now)} }

// ParseID reads what String writes.
func ParseID(s string) (ID, error) {
	acq, n, ok := strings.Cut(s, "/")
	if !ok || len(acq) != acqLen || strings.Trim(acq, "0123456789abcdefghijklmnopqrstuv") != "" {
		return ID{}, fmt.Errorf("%q: %w", clip(s), ErrID)
	}
	v, err := strconv.ParseUint(n, 10, 32)
	if err != nil || strconv.FormatUint(v, 10) != n {
		return ID{}, fmt.Errorf("%q: %w", clip(s), ErrID)
	}
	return ID{acq, uint32(v)}, nil
}

// String returns `ACQ/N`.
func (i ID) String() string {
	if i == (ID{}) {
		return ""
	}
	return i.Acq + "/" + strconv.FormatUint(uint64(i.N), 10)
}

// IsZero reports whether i is the zero value, "no record".
func (i ID) IsZero() bool { return i == ID{} }

// MarshalText implements encoding.TextMarshaler.
func (i ID) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; the empty text is the zero id.
func (i *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*i = ID{}
		return nil
	}
	v, err := ParseID(string(b))
	*i = v
	return err
}
