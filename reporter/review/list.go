package review

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// MaxListed is how many targets one listing can hold.
const MaxListed = 200_000

// maxList bounds a list's text, in bytes.
const maxList = MaxListed * 160

// Listing is one target of a List.
type Listing struct {
	ID        string
	Effective evidence.Digest // see evidence.TargetSet.Effective
}

// List is what one listing signs: targets as they are configured, sorted by their lines, none twice.
type List struct {
	lines []string
}

// NewList makes a list.
func NewList(targets []Listing) List {
	var l List
	for _, t := range targets {
		l.lines = append(l.lines, evidence.ListingLine(t.ID, t.Effective))
	}
	slices.Sort(l.lines)
	l.lines = slices.Compact(l.lines)
	return l
}

// ParseList reads a list's text: one or more lines as evidence.ListingLine writes them, ascending, none twice, each ended by LF.
func ParseList(text string) (List, error) {
	var l List
	if len(text) > maxList || strings.Count(text, "\n") > MaxListed {
		return l, refuse(BadStatement, "the list has %d bytes; at most %d targets are listed with one signature: sign it in parts", len(text), MaxListed)
	}
	if text == "" || !strings.HasSuffix(text, "\n") {
		return l, refuse(BadStatement, "the list that was signed is empty or cut off; sign it again")
	}
	l.lines = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range l.lines {
		digest, id, _ := strings.Cut(line, "  ")
		d, err := evidence.ParseDigest(digest)
		if err != nil || id == "" || strings.ContainsFunc(id, unfit) || evidence.ListingLine(id, d) != line {
			return List{}, refuse(BadStatement, "line %d of the list that was signed is not a digest and a target's id; sign it again", i+1)
		}
		if i > 0 && line <= l.lines[i-1] {
			return List{}, refuse(BadStatement, "line %d of the list that was signed is not in order; sign it again", i+1)
		}
	}
	return l, nil
}

func unfit(r rune) bool { return r <= ' ' || r == 0x7f }

// Len is the number of targets.
func (l List) Len() int { return len(l.lines) }

// Text is the list as it is kept.
func (l List) Text() string {
	if len(l.lines) == 0 {
		return ""
	}
	return strings.Join(l.lines, "\n") + "\n"
}

// find returns the index of a target's line, false where the list does not hold the target as it is.
func (l List) find(id string, effective evidence.Digest) (int, bool) {
	return slices.BinarySearchFunc(l.lines, evidence.ListingLine(id, effective), cmp.Compare[string])
}

// Root is the RFC 6962 tree hash over the lines.
func (l List) Root() (evidence.Digest, error) {
	hashes, err := l.hashes()
	if err != nil {
		return evidence.Digest{}, err
	}
	root, err := tlog.TreeHash(int64(len(l.lines)), hashes)
	return evidence.Digest(root), err
}

// prove returns the inclusion path of a line.
func (l List) prove(index int) ([]evidence.Digest, error) {
	hashes, err := l.hashes()
	if err != nil {
		return nil, err
	}
	proof, err := tlog.ProveRecord(int64(len(l.lines)), int64(index), hashes)
	path := make([]evidence.Digest, len(proof))
	for i, h := range proof {
		path[i] = evidence.Digest(h)
	}
	return path, err
}

// hashes is the tree with its inner nodes, as tlog stores it.
func (l List) hashes() (tlog.HashReader, error) {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, n := range at {
			if n < 0 || n >= int64(len(stored)) {
				return nil, fmt.Errorf("the list's tree has no node %d", n)
			}
			out[i] = stored[n]
		}
		return out, nil
	})
	for i, line := range l.lines {
		more, err := tlog.StoredHashes(int64(i), []byte(line), read)
		if err != nil {
			return nil, fmt.Errorf("hash the list: %w", err)
		}
		stored = append(stored, more...)
	}
	return read, nil
}
