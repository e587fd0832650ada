package anchor

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// What a witness's line in a checkpoint is worth.
const (
	LineValid   = "valid"
	LineUnknown = "unknown witness" // no key was given for it: its signature was not looked at
	LineWrong   = "wrong signature" // it claims to be of a key that was given, and is not
	LineMissing = "not there"       // a key was given, and its witness did not sign
)

// Line is a witness's line, judged.
type Line struct {
	By      string    `json:"by"` // the witness's name
	Verdict string    `json:"verdict"`
	At      time.Time `json:"at,omitzero"` // valid: when, by the witness's clock
}

// Judge holds each line of a checkpoint, but the log's own, against the keys of witnesses (vkeys, c2sp.org/tlog-cosignature, Ed25519). A
// name is not enough: a line is of a witness whose key has the line's key hash as well.
func Judge(msg []byte, witnesses []string) ([]Line, error) {
	text, lines, ok := strings.Cut(string(msg), "\n\n")
	h, err := ParseHead(text + "\n")
	if !ok || err != nil {
		return nil, errors.Join(fmt.Errorf("%w: it has no signatures", ErrNote), err)
	}
	keys := make([]note.Verifier, len(witnesses))
	for i, vkey := range witnesses {
		if keys[i], err = fnote.NewVerifierForCosignatureV1(vkey); err != nil {
			return nil, fmt.Errorf("the witness's key %.80q: %w", vkey, err)
		}
	}
	var out []Line
	signed := make([]bool, len(keys))
	for line := range strings.Lines(lines) {
		name, hash, ok := parseLine(line)
		if !ok {
			return nil, fmt.Errorf("%w: it has a line that is no signature", ErrNote)
		}
		if name == h.Origin {
			continue // the log's own, which Open checks
		}
		l := Line{By: name, Verdict: LineUnknown}
		for i, k := range keys {
			if k.Name() == name && k.KeyHash() == hash {
				signed[i] = true
				l.judge(text, line, k)
			}
		}
		out = append(out, l)
	}
	for i, k := range keys {
		if !signed[i] {
			out = append(out, Line{By: k.Name(), Verdict: LineMissing})
		}
	}
	return out, nil
}

func (l *Line) judge(text, line string, k note.Verifier) {
	l.Verdict = LineWrong
	n, err := note.Open([]byte(text+"\n\n"+line), note.VerifierList(k))
	if err != nil {
		return
	}
	if at, err := fnote.CoSigV1Timestamp(n.Sigs[0]); err == nil {
		l.Verdict, l.At = LineValid, at.UTC()
	}
}

// parseLine reads `— NAME BASE64`, of which the first four bytes are the key's hash.
func parseLine(line string) (name string, hash uint32, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "— ")
	name, sig, two := strings.Cut(rest, " ")
	b, err := base64.StdEncoding.DecodeString(sig)
	if !ok || !two || name == "" || err != nil || len(b) < 5 {
		return "", 0, false
	}
	return name, binary.BigEndian.Uint32(b), true
}

// Witnesses judges lines for whoever has no witness's key of its own, such as a bundle's reader.
type Witnesses struct{ Keys []string }

// Check counts the lines that hold; one that claims to be of a given key and does not hold is an error, as is that none holds.
func (w Witnesses) Check(msg []byte) (valid int, newest time.Time, err error) {
	lines, err := Judge(msg, w.Keys)
	if err != nil {
		return 0, newest, err
	}
	for _, l := range lines {
		switch l.Verdict {
		case LineWrong:
			return 0, newest, fmt.Errorf("the cosignature of %s: %s", l.By, l.Verdict)
		case LineValid:
			valid++
			if l.At.After(newest) {
				newest = l.At
			}
		}
	}
	return valid, newest, nil
}
