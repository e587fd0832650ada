package bundle

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Stamps looks at RFC 3161 time-stamps with the reader's roots, or with none.
type Stamps interface {
	// Check returns an error where the token is wrong whatever roots one trusts: damaged, or over other bytes. Else it returns the
	// authority's time, and whether the authority is one of the reader's.
	Check(token, data []byte) (at time.Time, trusted bool, err error)
}

const maxToken = 1 << 20

// timestamps checks the time-stamps over the tag manifest.
func (v *verifier) timestamps() (string, error) {
	tags, err := v.read(fileTagManifest, maxTagFile)
	if err != nil {
		return "", err
	}
	n := 0
	var first time.Time
	for _, path := range v.sorted() {
		if !timestampName.MatchString(path) || v.o.Stamps == nil {
			continue
		}
		n++
		at, trusted, err := v.token(path, tags)
		if err != nil {
			return "", err
		}
		if trusted && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	switch {
	case !first.IsZero():
		v.report.StampedAt = evidence.At(first)
		return "existed on " + clock(v.report.StampedAt) + ", says the given time-stamping authority", nil
	case v.o.NeedStamp:
		return "", wrong("none of the %d time-stamps of this bundle is of the given authority", n)
	case n == 0:
		return "", fmt.Errorf("%w: this bundle has none that was looked at", errNoRoots)
	}
	return "", fmt.Errorf("%w: %d are over this bundle; whose they are takes the authority's root certificate (--tsa)", errNoRoots, n)
}

func (v *verifier) token(path string, data []byte) (time.Time, bool, error) {
	b, err := v.read(path, maxToken)
	if err != nil {
		return time.Time{}, false, err
	}
	at, trusted, err := v.o.Stamps.Check(b, data)
	if err != nil {
		return at, false, wrong("%s: %w", path, err)
	}
	return at, trusted, nil
}

// anchored is what lies in data/log/anchors of one size.
type anchored struct {
	checkpoint, consistency, cosigned string
	tokens                            []string
	times                             []time.Time // of the tokens, where they were looked at
	cosigners                         int         // witnesses whose lines hold
	cosignedAt                        time.Time   // the newest of them
}

// outside checks that the heads which outsiders confirmed are heads of this log, and that their tokens are over them.
func (v *verifier) outside() (string, error) {
	found := map[int64]*anchored{}
	for _, path := range v.sorted() {
		m := anchorName.FindStringSubmatch(path)
		if m == nil {
			continue
		}
		size, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return "", wrong("%s: %w", path, err)
		}
		a := found[size]
		if a == nil {
			a = &anchored{}
			found[size] = a
		}
		switch m[2] {
		case "checkpoint":
			a.checkpoint = path
		case "consistency":
			a.consistency = path
		case "cosigned":
			a.cosigned = path
		default:
			a.tokens = append(a.tokens, path)
		}
	}
	trusted, tokens, cosigned := 0, 0, ""
	for _, size := range sortedSizes(found) {
		ours, err := v.oneHead(size, found[size])
		if err != nil {
			return "", err
		}
		trusted, tokens = trusted+ours, tokens+len(found[size].tokens)
		if a := found[size]; a.cosigners > 0 {
			cosigned = fmt.Sprintf("; %d of the given witnesses cosigned %d records at %s", a.cosigners, size, clock(evidence.At(a.cosignedAt)))
		}
	}
	if err := v.claimed(found); err != nil {
		return "", err
	}
	switch {
	case len(found) == 0:
		return "none in this bag: nobody outside confirmed the log", nil
	case trusted > 0:
		return fmt.Sprintf("%d heads that this log continues, %d of %d time-stamps over them by the given authority, the newest of %s over %d records",
			len(found), trusted, tokens, clock(v.report.AnchoredAt), v.report.AnchoredSize) + cosigned, nil
	case tokens == 0 && cosigned != "":
		return fmt.Sprintf("%d heads that this log continues%s", len(found), cosigned), nil
	}
	return "", fmt.Errorf("%w: %d heads that this log continues; whose %d time-stamps are over them takes the authority's root certificate (--tsa)%s", errNoRoots, len(found), tokens, cosigned)
}

func sortedSizes(m map[int64]*anchored) []int64 {
	var out []int64
	for size := range m {
		out = append(out, size)
	}
	slices.Sort(out)
	return out
}

// oneHead checks one anchored head and returns how many of its tokens are of the given authority.
func (v *verifier) oneHead(size int64, a *anchored) (trusted int, err error) {
	if a.checkpoint == "" || a.consistency == "" || len(a.tokens) == 0 && a.cosigned == "" {
		return 0, wrong("%s: of size %d a checkpoint, a proof or an outsider's word is missing", dirAnchors, size)
	}
	raw, err := v.read(a.checkpoint, maxCheckpoint)
	if err != nil {
		return 0, err
	}
	c, err := parseCheckpoint(raw)
	if err != nil {
		return 0, wrong("%s: %w", a.checkpoint, err)
	}
	own := v.log.checkpoint
	if c.Size != size || c.Origin != own.Origin || size > own.Size {
		return 0, wrong("%s is of %q with %d records, and this is %q with %d", a.checkpoint, c.Origin, c.Size, own.Origin, own.Size)
	}
	if err := v.continues(c, a.consistency); err != nil {
		return 0, err
	}
	if v.o.LogKey != "" {
		keys, err := v.trust()
		if err != nil {
			return 0, err
		}
		if _, err := c.signedByAny(keys); err != nil {
			return 0, wrong("%s is not signed by the given log key: %w", a.checkpoint, err)
		}
	}
	if a.cosigned != "" {
		b, err := v.read(a.cosigned, maxCheckpoint)
		if err != nil {
			return 0, err
		}
		text, _, _ := strings.Cut(string(raw), "\n\n")
		if other, lines, ok := strings.Cut(string(b), "\n\n"); !ok || lines == "" || other != text {
			return 0, wrong("%s is not of the same head as %s", a.cosigned, a.checkpoint)
		}
		if v.o.Witnesses != nil {
			n, at, err := v.o.Witnesses.Check(b)
			if err != nil {
				return 0, wrong("%s: %w", a.cosigned, err)
			}
			a.cosigners, a.cosignedAt = n, at
		}
	}
	if v.o.Stamps == nil {
		return 0, nil
	}
	for _, path := range a.tokens {
		at, ours, err := v.token(path, raw)
		if err != nil {
			return 0, err
		}
		a.times = append(a.times, at)
		if ours {
			trusted++
			if size > v.report.AnchoredSize {
				v.report.AnchoredAt, v.report.AnchoredSize = evidence.At(at), size
			}
		}
	}
	return trusted, nil
}

// parseConsistency reads SIZE.consistency: a line `old SIZE`, then a hash a line in base64.
func parseConsistency(b []byte, size int64) (tlog.TreeProof, error) {
	lines := strings.Split(string(b), "\n")
	if lines[0] != "old "+strconv.FormatInt(size, 10) || len(lines) < 2 || lines[len(lines)-1] != "" {
		return nil, fmt.Errorf("it does not begin with `old %d`, or does not end", size)
	}
	proof := tlog.TreeProof{}
	for _, l := range lines[1 : len(lines)-1] {
		h, err := base64.StdEncoding.Strict().DecodeString(l)
		if err != nil || len(h) != tlog.HashSize || len(l) != base64.StdEncoding.EncodedLen(tlog.HashSize) {
			return nil, errors.New("a line is not 32 bytes in base64")
		}
		proof = append(proof, tlog.Hash(h))
	}
	return proof, nil
}

// continues checks the proof that the bag's own checkpoint continues an older one.
func (v *verifier) continues(old checkpointNote, path string) error {
	b, err := v.read(path, maxCheckpoint)
	if err != nil {
		return err
	}
	proof, err := parseConsistency(b, old.Size)
	if err != nil {
		return wrong("%s: %w", path, err)
	}
	own := v.log.checkpoint
	if old.Size == own.Size {
		if len(proof) > 0 || old.Root != own.Root {
			return wrong("%s: two heads of %d records that differ", path, own.Size)
		}
		return nil
	}
	if err := tlog.CheckTree(proof, own.Size, tlog.Hash(own.Root), old.Size, tlog.Hash(old.Root)); err != nil {
		return wrong("%s: this log does not continue the head of %d records: %w", path, old.Size, err)
	}
	return nil
}

// claimed checks that the anchors which the coverage and the exhibits speak of lie in the bag and say what is said of them.
func (v *verifier) claimed(found map[int64]*anchored) error {
	holds := func(where string, c *anchor) error {
		if c == nil {
			return nil
		}
		a := found[c.Size]
		if a == nil || (c.Type == evidence.AnchorCosignature) && a.cosigned == "" || (c.Type != evidence.AnchorCosignature) && len(a.tokens) == 0 {
			return wrong("%s speaks of an anchor over %d records, which is not in the bag", where, c.Size)
		}
		if c.Type == evidence.AnchorRFC3161 && v.o.Stamps != nil && !slices.ContainsFunc(a.times, func(t time.Time) bool { return t.Unix() == c.At.Unix() }) {
			return wrong("%s says %s of an anchor over %d records, and its time-stamp says otherwise", where, clock(c.At), c.Size)
		}
		return nil
	}
	b, err := v.read(fileCoverage, maxExhibit)
	if err != nil {
		return err
	}
	var c struct {
		Anchor *anchorCoverage `json:"anchor"`
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return wrong("%s: %w", fileCoverage, err)
	}
	if c.Anchor != nil {
		if err := holds(fileCoverage, &c.Anchor.anchor); err != nil {
			return err
		}
	}
	for _, path := range v.sorted() {
		if !exhibitDir.MatchString(path) {
			continue
		}
		if b, err = v.read(path, maxExhibit); err != nil {
			return err
		}
		var x exhibitFile
		if err := json.Unmarshal(b, &x); err != nil {
			return wrong("%s: %w", path, err)
		}
		for _, t := range x.Times {
			if err := holds(path, t.Anchored); err != nil {
				return err
			}
			if t.Anchored != nil && t.Anchored.Size <= t.Record {
				return wrong("%s: an anchor over %d records does not cover record %d", path, t.Anchored.Size, t.Record)
			}
		}
	}
	return nil
}
