package review

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// MaxPayload bounds a statement, in bytes.
const MaxPayload = 256 << 10

// Severities of a passage, the gravest last.
var severities = [...]string{"low", "medium", "high", "threat-to-life"}

// Exclusions that a passage may fall under; `none` answers that none applies.
var exclusions = [...]string{"none", "journalism", "research", "education", "art", "counter-speech", "human-rights"}

// Offences that a passage may be; facts of law and of the platforms' rules are grouped by them.
var offences = [...]string{"incites", "solicits_act", "solicits_participation", "instructs", "threatens", "claims", "glorifies", "fundraises"}

// Offences lists what a passage can be said to do.
func Offences() []string { return slices.Clone(offences[:]) }

// Severities lists the severities, the gravest last.
func Severities() []string { return slices.Clone(severities[:]) }

// Exclusions lists the answers to the exclusion question.
func Exclusions() []string { return slices.Clone(exclusions[:]) }

func highest(ps []evidence.Passage) string {
	top := -1
	for _, p := range ps {
		top = max(top, slices.Index(severities[:], p.Severity))
	}
	if top < 0 {
		return ""
	}
	return severities[top]
}

// EncodeStatement returns the one JSON form of a statement, which is what people sign.
func EncodeStatement(st evidence.Statement) (string, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(st); err != nil {
		return "", fmt.Errorf("encode statement: %w", err)
	}
	return string(bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})), nil
}

// ParseStatement reads a statement that a person handed in. It insists on the one form that EncodeStatement writes: an unknown
// or repeated key, trailing data, other white space or invalid UTF-8 is a refusal, so that what was signed has one meaning.
func ParseStatement(payload string) (evidence.Statement, error) {
	var st evidence.Statement
	if len(payload) > MaxPayload {
		return st, refuse(BadStatement, "the statement has %d bytes, more than %d; name fewer posts", len(payload), MaxPayload)
	}
	if !utf8.ValidString(payload) {
		return st, refuse(BadStatement, "the statement is not UTF-8; prepare it again and sign it unchanged")
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(payload)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&st); err != nil {
		return st, refuse(BadStatement, "the statement cannot be read (%s); prepare it again and sign it unchanged", clip(err.Error()))
	}
	if again, err := EncodeStatement(st); err != nil || again != payload {
		return st, refuse(BadStatement, "the statement is not in its one form; prepare it again and sign it unchanged")
	}
	return st, nil
}
