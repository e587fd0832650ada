package telegram

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/bits"
)

// idset is the set of the posts that are known and were there when they were last looked at: one bit a message number, from the lowest
// to the highest. A channel's numbers are dense, so 100,000 posts are 17 kB of cursor.
type idset struct {
	first int // number of the first bit, a multiple of 8
	bits  []byte
}

type idsetJSON struct {
	First int    `json:"first"`
	Bits  string `json:"bits"` // base64
}

// maxIDs is how many numbers a set may span, whatever is asked for.
const maxIDs = 8 << 20

func (s idset) IsZero() bool { return len(s.bits) == 0 }

// MarshalJSON implements json.Marshaler.
func (s idset) MarshalJSON() ([]byte, error) {
	return json.Marshal(idsetJSON{s.first, base64.RawStdEncoding.EncodeToString(s.bits)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *idset) UnmarshalJSON(b []byte) error {
	var j idsetJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	raw, err := base64.RawStdEncoding.DecodeString(j.Bits)
	if err != nil {
		return err
	}
	if j.First < 0 || j.First%8 != 0 || len(raw) > maxIDs/8 {
		return errors.New("the set of known posts is damaged")
	}
	s.first, s.bits = j.First, raw
	return nil
}

func (s idset) has(id int) bool {
	i := (id - s.first) / 8
	return id >= s.first && i < len(s.bits) && s.bits[i]&(1<<(id%8)) != 0
}

// add puts ids into the set and drops what lies most or more below the highest one.
func (s *idset) add(ids []int, most int) {
	lo, hi := 0, s.first+8*len(s.bits)-1
	for _, id := range ids {
		if id <= 0 {
			continue
		}
		if lo == 0 || id < lo {
			lo = id
		}
		hi = max(hi, id)
	}
	if lo == 0 {
		return
	}
	if len(s.bits) > 0 {
		lo = min(lo, s.first)
	}
	lo = max(lo, hi-min(most, maxIDs)+1) &^ 7
	if grown := hi/8 + 1 - lo/8; lo != s.first || grown != len(s.bits) {
		bits := make([]byte, grown, grown+grown/8)
		if shift := (s.first - lo) / 8; shift >= 0 {
			copy(bits[shift:], s.bits)
		} else if -shift < len(s.bits) {
			copy(bits, s.bits[-shift:])
		}
		s.first, s.bits = lo, bits
	}
	for _, id := range ids {
		if id >= s.first {
			s.bits[(id-s.first)/8] |= 1 << (id % 8)
		}
	}
}

func (s *idset) remove(ids []int) {
	for _, id := range ids {
		if s.has(id) {
			s.bits[(id-s.first)/8] &^= 1 << (id % 8)
		}
	}
}

// above returns the n lowest ids above one.
func (s idset) above(id, n int) []int {
	var out []int
	for i := max(0, (id+1-s.first)/8); i < len(s.bits) && len(out) < n; i++ {
		for b := s.bits[i]; b != 0 && len(out) < n; b &= b - 1 {
			if x := s.first + 8*i + bits.TrailingZeros8(b); x > id {
				out = append(out, x)
			}
		}
	}
	return out
}

// count is how many ids there are up to one.
func (s idset) count(upTo int) int {
	n := 0
	for i, b := range s.bits {
		if at := s.first + 8*i; at+7 <= upTo {
			n += bits.OnesCount8(b)
		} else if at <= upTo {
			n += bits.OnesCount8(b & (1<<(upTo-at+1) - 1))
		}
	}
	return n
}
