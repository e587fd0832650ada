package chatexport

import (
	"errors"
	"strconv"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

const platform = "telegram"

// maxHidden is well under what a sink takes as a name's key.
const maxHidden = 384

var errPeer = errors.New("not a peer as an export names it")

// The ways in which one number has named a peer: Telegram Desktop's own 64-bit ids, 32 bits below the kind until 2021 and 48 bits
// later, and the bot interface's -100….
const (
	oldShift = 32
	newShift = 48
	botBase  = 1_000_000_000_000
)

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func person(typ string, id int64) *evidence.Ref {
	return &evidence.Ref{Name: evidence.Private(platform, typ, decimal(id))}
}

// channelID returns the bare id, as MTProto has it, of the chat that an export's `id` names. In an export of the 2021 form the number
// may carry Telegram Desktop's own mark of a channel; in a later one such a number is an id like any other.
func channelID(raw []byte, local bool) (int64, error) {
	s := strings.TrimPrefix(strings.Trim(string(raw), `"`), "channel")
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil:
		return 0, errPeer
	case n < 0 && n < -botBase:
		n = -n - botBase
	case n>>newShift == 2:
		n &= 1<<newShift - 1
	case n > botBase:
		n -= botBase
	case local && n>>oldShift == 2:
		n &= 1<<oldShift - 1
	}
	if n <= 0 || n >= botBase {
		return 0, errPeer
	}
	return n, nil
}

// peer reads `from_id`, `actor_id` and the like: "channel123", "user123", "chat123", or the 2021 form's number.
func peer(raw []byte) (typ string, id int64, err error) {
	s := strings.Trim(string(raw), `"`)
	for _, typ := range []string{"channel", "user", "chat"} {
		if d, ok := strings.CutPrefix(s, typ); ok {
			id, err := strconv.ParseInt(d, 10, 64)
			if err != nil || id <= 0 {
				return "", 0, errPeer
			}
			return typ, id, nil
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return "", 0, errPeer
	}
	kinds := []string{"user", "chat", "channel"}
	for _, shift := range []int{newShift, oldShift} {
		if k := n >> shift; k > 0 && k < int64(len(kinds)) {
			return kinds[k], n & (1<<shift - 1), nil
		}
	}
	return "user", n, nil
}

// ref names whoever stands behind a peer: an account for a channel or group, a pseudonym for a person.
func ref(typ string, id int64) *evidence.Ref {
	if typ == "user" {
		return person("user", id)
	}
	return &evidence.Ref{Name: evidence.Account(platform, typ, decimal(id))}
}

// hidden is the pseudonym of somebody of whom only a name is told. A name that is too long for a key stands by its digest.
func hidden(typ, name string) *evidence.Ref {
	if len(name) > maxHidden {
		name = "sha256:" + evidence.Sum([]byte(name)).String()
	}
	return &evidence.Ref{Name: evidence.Private(platform, typ, name)}
}
