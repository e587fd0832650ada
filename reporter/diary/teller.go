package diary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Entry is a record in plain language.
type Entry struct {
	Seq      int64            `json:"seq"`
	At       evidence.Time    `json:"at"`
	Who      string           `json:"who"`   // a person's id, a source's name, or `the vault`
	Actor    evidence.Ordinal `json:"actor"` // the same as the envelope has it
	Subject  evidence.Ordinal `json:"subject"`
	Kind     evidence.Kind    `json:"kind"`
	Sentence string           `json:"sentence"` // without who did it
}

// String returns the entry as one line: number, time, who, what.
func (e Entry) String() string {
	return fmt.Sprintf("%d  %s  %s %s", e.Seq, e.At.Format("2006-01-02 15:04:05Z"), e.Who, e.Sentence)
}

// Teller turns records into entries. It remembers names, so it is for one task and not for concurrent use.
type Teller struct {
	names Told
	known map[evidence.Ordinal]string
	table map[evidence.Kind]teller
}

// Told is what a teller needs of a log: names, and the decision that a blind answer is about.
type Told interface {
	Names
	Record(ctx context.Context, seq int64) (evidence.Record, error)
}

// NewTeller returns a teller that knows the names of a log.
func NewTeller(n Told) *Teller {
	return &Teller{names: n, known: map[evidence.Ordinal]string{}, table: sentences()}
}

// Tell returns a record's entry. It fails only where names cannot be read; what a record hides or this build does not know is said.
func (t *Teller) Tell(ctx context.Context, r evidence.Record) (Entry, error) {
	who, err := t.who(ctx, r.Actor)
	if err != nil {
		return Entry{}, err
	}
	what, err := t.what(ctx, r.Subject)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Seq: r.Seq, At: r.At, Who: who, Actor: r.Actor, Subject: r.Subject, Kind: r.Kind}
	f := fact{Record: r, what: what}
	if r.Kind == evidence.KindApproval {
		if f.word, err = t.word(ctx, r); err != nil {
			return Entry{}, err
		}
	}
	e.Sentence = t.sentence(f)
	return e, nil
}

// word says what a second or third person's word does with the decision that it is about; a blind one is compared with it.
func (t *Teller) word(ctx context.Context, r evidence.Record) (string, error) {
	b, err := evidence.Decode[*evidence.Approval](r)
	if err != nil {
		return "", nil //nolint:nilerr // the sentence says that it cannot be read
	}
	st, decision := statement(b.Signed), evidence.Statement{}
	if st.Blind && st.Confirms != nil {
		rec, err := t.names.Record(ctx, st.Confirms.Seq)
		if err != nil {
			return "", fmt.Errorf("read the decision in record %d: %w", st.Confirms.Seq, err)
		}
		d, err := evidence.Decode[*evidence.Decision](rec)
		if err != nil {
			return "answered for", nil //nolint:nilerr // it is erased: nothing is left to compare with
		}
		decision = statement(d.Signed)
	}
	if st.Agrees(decision) {
		return "approved", nil
	}
	return "refused", nil
}

// who names an actor as people know it.
func (t *Teller) who(ctx context.Context, o evidence.Ordinal) (string, error) {
	if o.Space() == evidence.SpaceVault {
		return "the vault", nil
	}
	key, err := t.key(ctx, o)
	if err != nil || key == "" {
		return string(o), err
	}
	return key, nil
}

// what names a subject.
func (t *Teller) what(ctx context.Context, o evidence.Ordinal) (string, error) {
	switch o.Space() {
	case evidence.SpaceVault:
		return "the vault", nil
	case evidence.SpaceCase:
		return "case " + string(o), nil
	case evidence.SpaceNotice:
		return "notice " + string(o), nil
	case evidence.SpacePrivate:
		return "private person " + string(o), nil // by pseudonym only
	}
	key, err := t.key(ctx, o.Whole())
	if err != nil {
		return "", err
	}
	switch o.Space() {
	case evidence.SpacePerson:
		return "person " + orElse(key, string(o)), nil
	case evidence.SpaceSource:
		return "source " + orElse(key, string(o)), nil
	case evidence.SpaceTarget:
		return "target " + orElse(key, string(o)), nil
	}
	name := string(o)
	if o.Part() == "" {
		name = "account " + name
	} else {
		name = "post " + name
	}
	if key != "" {
		name += " (" + key + ")"
	}
	return name, nil
}

func (t *Teller) key(ctx context.Context, o evidence.Ordinal) (string, error) {
	if k, ok := t.known[o]; ok {
		return k, nil
	}
	n, err := t.names.Name(ctx, o)
	if err != nil && !errors.Is(err, evidence.ErrUnbound) {
		return "", fmt.Errorf("name %s: %w", o, err)
	}
	k := Visible(n.Key)
	t.known[o] = k
	return k, nil
}

// fact is a record on its way to a sentence.
type fact struct {
	evidence.Record
	what string // its subject, named
	word string // of an approval: what it does with the decision
}

// teller makes a sentence of a record of one kind; b is nil where the body is erased or its schema unknown.
type teller struct {
	bare string // what happened, where the body cannot be read; %s is the subject
	full func(f fact, b evidence.Body) string
}

func (t teller) short(f fact) string { return strings.ReplaceAll(t.bare, "%s", f.what) }

// tells makes a teller of a function that takes the kind's body.
func tells[B evidence.Body](bare string, full func(f fact, b B) string) teller {
	return teller{bare, func(f fact, b evidence.Body) string { return full(f, b.(B)) }}
}

func (t *Teller) sentence(f fact) string {
	tell, known := t.table[f.Kind]
	b, err := evidence.DecodeBody(f.Record)
	_, unknown := b.(*evidence.Unknown)
	switch {
	case !known && errors.Is(err, evidence.ErrErased):
		return fmt.Sprintf("wrote a record of the kind %s about %s, which this build does not know; its body is erased or withheld", Visible(string(f.Kind)), f.what)
	case !known:
		return fmt.Sprintf("wrote a record of the kind %s about %s, which this build does not know", Visible(string(f.Kind)), f.what)
	case errors.Is(err, evidence.ErrErased):
		return tell.short(f) + " (the details are erased or withheld)"
	case err != nil:
		return tell.short(f) + " (the details cannot be read: run `muhafiz fsck`)"
	case unknown || tell.full == nil:
		return tell.short(f) + " (in a form whose details this build does not know)"
	}
	return tell.full(f, b)
}

// statement reads what a person signed; the zero Statement where it cannot be read.
func statement(s evidence.Signed) evidence.Statement {
	var st evidence.Statement
	if json.Unmarshal([]byte(s.Payload), &st) != nil {
		return evidence.Statement{}
	}
	return st
}

// Visible returns a text of foreign origin as a line may show it: control, line-separating and bidirectional characters by their code
// points.
func Visible(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029 {
			fmt.Fprintf(&b, "<U+%04X>", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// clip cuts a text to n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n]) + "…"
}

// quote shows a text that a person or platform wrote, visible, cut and in quotes.
func quote(s string) string { return "“" + Visible(clip(s, 300)) + "”" }

// because appends a reason, if there is one.
func because(s string) string {
	if s == "" {
		return ""
	}
	return ": " + quote(s)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// many counts things: 1 post, 2 posts.
func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func short(d evidence.Digest) string { return "SHA-256 " + d.String()[:16] + "…" }

func minute(t evidence.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }
