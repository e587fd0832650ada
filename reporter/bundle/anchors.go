package bundle

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Anchors knows who outside confirmed which head of the log. The daemon makes it of the log's view.
type Anchors interface {
	// Anchored returns the records of the first anchor of each anchored size, ascending, and of each outsider's newest anchor.
	Anchored(ctx context.Context) (first, newest []int64, err error)
	// Consistency returns the RFC 6962 section 2.1.2 proof that the tree of size continues that of old.
	Consistency(ctx context.Context, old, size int64) ([]evidence.Digest, error)
}

// Authority is a time-stamping authority that stamps the bundle's tag manifest.
type Authority struct {
	Name string // a-z, 0-9 and hyphen
	// Stamp returns a TimeStampResp (RFC 3161) over data, verified, as it was received.
	Stamp func(ctx context.Context, data []byte) (token []byte, at time.Time, err error)
}

// anchorAge is how old the newest outside anchor may be without a warning.
const anchorAge = 24 * time.Hour

// anchor is an outsider's word about a head.
type anchor struct {
	Type string        `json:"type"` // rfc3161, cosignature
	By   string        `json:"by"`
	At   evidence.Time `json:"at"`   // by the outsider's clock
	Size int64         `json:"size"` // records below it are covered
	seq  int64
	note string // as the outsider's word is over it; read when it is packed
	raw  []byte // token; the same
}

// anchors are those of the log up to the checkpoint, without notes and tokens: there may be one an hour over years.
type anchors struct {
	first  []anchor // of each size, ascending
	newest []anchor // of each outsider, the newest first
}

func (b *builder) findAnchors(ctx context.Context) error {
	if b.o.Anchors == nil {
		return nil
	}
	first, newest, err := b.o.Anchors.Anchored(ctx)
	if err != nil {
		return err
	}
	if b.anchors.first, err = b.readAnchors(ctx, first); err != nil {
		return err
	}
	if b.anchors.newest, err = b.readAnchors(ctx, newest); err != nil {
		return err
	}
	sort.SliceStable(b.anchors.first, func(i, j int) bool { return b.anchors.first[i].Size < b.anchors.first[j].Size })
	slices.SortStableFunc(b.anchors.newest, func(x, y anchor) int { return y.At.Compare(x.At.Time) })
	return nil
}

func (b *builder) readAnchors(ctx context.Context, seqs []int64) (out []anchor, err error) {
	for _, seq := range seqs {
		r, err := b.o.Log.Record(ctx, seq)
		if err != nil {
			return nil, err
		}
		c, err := evidence.Decode[*evidence.Checkpoint](r)
		if errors.Is(err, evidence.ErrErased) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if c.Anchor != nil && c.Size <= b.note.Size {
			out = append(out, anchor{Type: c.Anchor.Type, By: c.Anchor.By, At: c.Anchor.At, Size: c.Size, seq: seq})
		}
	}
	return out, nil
}

// firstFor returns the first anchor that covers a record.
func (b *builder) firstFor(seq int64) *anchor {
	i := sort.Search(len(b.anchors.first), func(i int) bool { return b.anchors.first[i].Size > seq })
	if i == len(b.anchors.first) {
		return nil
	}
	b.use(b.anchors.first[i])
	return &b.anchors.first[i]
}

// use has an anchor packed.
func (b *builder) use(a anchor) {
	for _, have := range b.used[a.Size] {
		if have.By == a.By && have.Type == a.Type {
			return
		}
	}
	b.used[a.Size] = append(b.used[a.Size], a)
}

// anchorFiles writes the newest anchor of each outsider, and the first of each exhibit.
func (b *builder) anchorFiles(ctx context.Context) error {
	for _, a := range b.anchors.newest {
		b.use(a)
	}
	sizes := make([]int64, 0, len(b.used))
	for size := range b.used {
		sizes = append(sizes, size)
	}
	slices.Sort(sizes)
	for _, size := range sizes {
		if err := b.anchorsOf(ctx, size, b.used[size]); err != nil {
			return err
		}
		b.step()
	}
	return nil
}

func (b *builder) anchorsOf(ctx context.Context, size int64, as []anchor) error {
	for i := range as {
		r, err := b.o.Log.Record(ctx, as[i].seq)
		if err != nil {
			return err
		}
		c, err := evidence.Decode[*evidence.Checkpoint](r)
		if err != nil {
			return err
		}
		as[i].note, as[i].raw = c.Note, c.Anchor.Token
	}
	proof, err := b.o.Anchors.Consistency(ctx, size, b.note.Size)
	if err != nil {
		return err
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "old %d\n", size)
	for _, h := range proof {
		head.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	at := fmt.Sprintf("%s/%d", dirAnchors, size)
	if err := b.bag.writeBytes(at+".consistency", head.Bytes()); err != nil {
		return err
	}
	note, tokens := gatherNote(as)
	if err := b.bag.writeBytes(at+".checkpoint", []byte(note)); err != nil {
		return err
	}
	for _, a := range tokens {
		name := at + ".tsr"
		if len(tokens) > 1 {
			name = at + "." + a.By + ".tsr"
		}
		if err := b.bag.writeBytes(name, a.raw); err != nil {
			return err
		}
	}
	if lines := cosigned(note, as); lines != "" {
		return b.bag.writeBytes(at+".cosigned", []byte(lines))
	}
	return nil
}

// gatherNote returns the checkpoint that tokens of one size are over, and the tokens. The head of one size is signed once, so all tokens
// are over the same bytes; one that is not could not be checked beside them.
func gatherNote(as []anchor) (note string, tokens []anchor) {
	for _, a := range as {
		if a.Type == evidence.AnchorRFC3161 && (note == "" || a.note == note) {
			note, tokens = a.note, append(tokens, a)
		}
	}
	if note == "" {
		note = as[0].note
	}
	return note, tokens
}

// cosigned returns the checkpoint with the lines of all witnesses, empty where there is none.
func cosigned(note string, as []anchor) string {
	text, lines, _ := strings.Cut(note, "\n\n")
	found := false
	for _, a := range as {
		if a.Type != evidence.AnchorCosignature {
			continue
		}
		other, more, _ := strings.Cut(a.note, "\n\n")
		if other != text {
			continue
		}
		found = true
		for line := range strings.Lines(more) {
			if !strings.Contains("\n"+lines, "\n"+line) {
				lines += line
			}
		}
	}
	if !found {
		return ""
	}
	return text + "\n\n" + lines
}

// anchorCoverage is coverage.json's anchor.
type anchorCoverage struct {
	anchor
	Checkpoint string `json:"checkpoint"` // its file
	AgeHours   int    `json:"age_hours"`  // when the bundle was made, by this machine's clock
}

const noAnchor = "No outside anchor: no timestamp authority or witness has signed this log's head. Until the checkpoint is known elsewhere, " +
	"whoever holds the log's key could have rewritten all of it."

// newestAnchor says who outside confirmed the log last, and warns where that is nobody or long ago.
func (b *builder) newestAnchor() (*anchorCoverage, []string) {
	if len(b.anchors.newest) == 0 {
		return nil, []string{noAnchor}
	}
	a := b.anchors.newest[0]
	age := b.at.Sub(a.At.Time)
	c := &anchorCoverage{a, fmt.Sprintf("%s/%d.checkpoint", dirAnchors, a.Size), int(age.Hours())}
	if age <= anchorAge {
		return c, []string{}
	}
	return c, []string{fmt.Sprintf("The newest outside anchor (%s) is %d hours old: for what was recorded since then, records from %d on, there is only the word of whoever holds the log's key.",
		a.By, c.AgeHours, a.Size)}
}

// stamp has each authority stamp the tag manifest. One that does not answer leaves a warning and no token.
func (b *builder) stamp(ctx context.Context, tags []byte) error {
	type answer struct {
		token []byte
		err   error
	}
	answers := make([]chan answer, len(b.o.Authorities))
	for i, a := range b.o.Authorities {
		answers[i] = make(chan answer, 1)
		go func() {
			token, _, err := a.Stamp(ctx, tags)
			answers[i] <- answer{token, err}
		}()
	}
	for i, a := range b.o.Authorities {
		got := <-answers[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		if got.err != nil {
			b.res.Warnings = append(b.res.Warnings, fmt.Sprintf("The authority %s did not time-stamp this bundle: %v.", a.Name, got.err))
			continue
		}
		name := fileTagManifest + ".tsr"
		if len(b.o.Authorities) > 1 {
			name = fileTagManifest + "." + a.Name + ".tsr"
		}
		if err := b.bag.writeBytes(name, got.token); err != nil {
			return err
		}
		b.res.Stamped = append(b.res.Stamped, a.Name)
	}
	return nil
}
