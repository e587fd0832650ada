package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Space is the letter of an ordinal: what sort of thing it numbers.
type Space byte

// The spaces of DESIGN §3.
const (
	SpaceVault   Space = 'v' // the vault itself, only v0
	SpacePerson  Space = 'u' // a person of the team
	SpaceSource  Space = 's' // a source of observations
	SpacePrivate Space = 'p' // a private person, known by pseudonym only
	SpaceAccount Space = 'a' // a platform account: a channel
	SpaceCase    Space = 'c' // a case
	SpaceNotice  Space = 'n' // a notice
	SpaceTarget  Space = 't' // a target of the watchlist
)

const spaces = "vuspacnt"

// Name says what a draft is about, or who acts, before the vault has given it an ordinal. Key is the outside identity
// within the space: `telegram channel 1234` for an account, the configured id for a person or target, an id of the
// drafter's choice for a case or notice. Part names a post of an account: `456` by the platform's message number, `s5`
// a story.
type Name struct {
	Space Space
	Key   string
	Part  string
}

// Vault names the vault itself.
func Vault() Name { return Name{Space: SpaceVault} }

// Person names a person of the team by the id that the configuration gives.
func Person(id string) Name { return Name{Space: SpacePerson, Key: id} }

// Source names a source of observations, such as `telegram/main` or `chatexport`.
func Source(name string) Name { return Name{Space: SpaceSource, Key: name} }

// Target names a target by the id that the watchlist gives.
func Target(id string) Name { return Name{Space: SpaceTarget, Key: id} }

// Case names a case by the drafter's own key for it.
func Case(key string) Name { return Name{Space: SpaceCase, Key: key} }

// Notice names a notice by the drafter's own key for it.
func Notice(key string) Name { return Name{Space: SpaceNotice, Key: key} }

// Account names a platform account that is watched, such as ("telegram", "channel", "1234"). Platform and typ hold no space.
func Account(platform, typ, id string) Name {
	return Name{Space: SpaceAccount, Key: platform + " " + typ + " " + id}
}

// Private names a private person by platform identity; outside the raw bytes only the ordinal is ever shown.
func Private(platform, typ, id string) Name {
	return Name{Space: SpacePrivate, Key: platform + " " + typ + " " + id}
}

// Post names a post of the account n by the platform's message number.
func (n Name) Post(number int64) Name {
	n.Part = strconv.FormatInt(number, 10)
	return n
}

// Story names a story of the account n.
func (n Name) Story(number int64) Name {
	n.Part = "s" + strconv.FormatInt(number, 10)
	return n
}

// String is for messages to people.
func (n Name) String() string {
	s := string(n.Space) + ":" + n.Key
	if n.Part != "" {
		s += "/" + n.Part
	}
	return s
}

// Ordinal is the vault's own short name of a thing, as envelopes hold it: `v0`, `u2`, `a12`, `a12/456`, `a12/~7`, `a12/s5`.
type Ordinal string

// ErrOrdinal is returned for a text that is not an ordinal.
var ErrOrdinal = errors.New("not an ordinal such as a12 or a12/456")

// NewOrdinal returns the ordinal of number n in a space.
func NewOrdinal(s Space, n uint64) Ordinal {
	return Ordinal(string(rune(s)) + strconv.FormatUint(n, 10))
}

// With returns the ordinal of a part, such as a post, of o.
func (o Ordinal) With(part string) Ordinal {
	if part == "" {
		return o
	}
	return o + "/" + Ordinal(part)
}

// Whole returns the ordinal without its part: the account of a post.
func (o Ordinal) Whole() Ordinal {
	w, _, _ := strings.Cut(string(o), "/")
	return Ordinal(w)
}

// Part returns what stands behind the slash: `456` of a12/456, or nothing.
func (o Ordinal) Part() string {
	_, p, _ := strings.Cut(string(o), "/")
	return p
}

// Space returns the letter of o, or 0 where o is empty.
func (o Ordinal) Space() Space {
	if o == "" {
		return 0
	}
	return Space(o[0])
}

// ParseOrdinal reads an ordinal as people type it.
func ParseOrdinal(s string) (Ordinal, error) {
	if _, err := Ordinal(s).AppendKey(nil); err != nil {
		return "", err
	}
	return Ordinal(s), nil
}

// OrdinalKeyLen is the length of the binary form that AppendKey writes.
const OrdinalKeyLen = 18

// AppendKey appends the binary form of o, which sorts by space, number, kind of part and part: one byte for the space,
// eight for the number, one for the kind of part (0 none, '#' a post, 's' a story, '~' by the vault's ordinal), eight for the part.
func (o Ordinal) AppendKey(b []byte) ([]byte, error) {
	whole, part, has := strings.Cut(string(o), "/")
	if len(whole) < 2 || !strings.Contains(spaces, whole[:1]) {
		return b, fmt.Errorf("%q: %w", clip(string(o)), ErrOrdinal)
	}
	n, err := parseCanonical(whole[1:])
	if err != nil || (has && (part == "" || whole[0] != byte(SpaceAccount))) {
		return b, fmt.Errorf("%q: %w", clip(string(o)), ErrOrdinal)
	}
	var tag byte
	var p uint64
	if has {
		tag = '#'
		if part[0] == 's' || part[0] == '~' {
			tag, part = part[0], part[1:]
		}
		if p, err = parseCanonical(part); err != nil {
			return b, fmt.Errorf("%q: %w", clip(string(o)), ErrOrdinal)
		}
	}
	b = append(b, whole[0])
	b = binary.BigEndian.AppendUint64(b, n)
	b = append(b, tag)
	return binary.BigEndian.AppendUint64(b, p), nil
}

// OrdinalFromKey reads what AppendKey wrote.
func OrdinalFromKey(b []byte) (Ordinal, error) {
	if len(b) != OrdinalKeyLen || !strings.Contains(spaces, string(b[:1])) {
		return "", fmt.Errorf("%x: %w", b, ErrOrdinal)
	}
	o := NewOrdinal(Space(b[0]), binary.BigEndian.Uint64(b[1:]))
	p := strconv.FormatUint(binary.BigEndian.Uint64(b[10:]), 10)
	switch b[9] {
	case 0:
		return o, nil
	case '#':
		return o.With(p), nil
	case 's', '~':
		return o.With(string(b[9:10]) + p), nil
	}
	return "", fmt.Errorf("%x: %w", b, ErrOrdinal)
}

func parseCanonical(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err == nil && strconv.FormatUint(n, 10) != s {
		err = strconv.ErrSyntax
	}
	return n, err
}

// Ref names another account or a private person inside a body. The drafter sets Name; the vault sets Ordinal before the
// body is encoded, and only the ordinal is stored.
type Ref struct {
	Name    Name    `json:"-"`
	Ordinal Ordinal `json:"-"`
}

// MarshalText writes the ordinal.
func (r Ref) MarshalText() ([]byte, error) {
	if r.Ordinal == "" {
		return nil, fmt.Errorf("%s has no ordinal yet: %w", r.Name, ErrUnbound)
	}
	return []byte(r.Ordinal), nil
}

// UnmarshalText reads the ordinal.
func (r *Ref) UnmarshalText(b []byte) error {
	o, err := ParseOrdinal(string(b))
	r.Ordinal = o
	return err
}
