package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The errors of the vault's contract.
var (
	// ErrConflict: a view key that Batch.If names has another version by now. Nothing was written; read again and decide again.
	ErrConflict = errors.New("changed since it was read")
	// ErrUnbound: a name was used before a record bound it, such as a person who is in no person.set.
	ErrUnbound = errors.New("not known to this vault")
	// ErrMissingBlob: a body names a digest that Keep has not stored.
	ErrMissingBlob = errors.New("blob is not in the vault")
	// ErrNotFound: there is no such record, blob or key.
	ErrNotFound = errors.New("not found")
	// ErrTooLarge: Keep met more bytes than its limit, and kept nothing.
	ErrTooLarge = errors.New("larger than the limit")
	// ErrErased: the body was erased; its envelope and tombstone remain.
	ErrErased = errors.New("erased")
)

// Draft is a record before the vault has given it a sequence number and its ordinals.
type Draft struct {
	ID      ID
	Actor   Name
	Subject Name
	Body    Body
	// Accompany marks a draft that is written only if its batch writes another: the acquisition of a page on which nothing
	// had changed.
	Accompany bool
	// Prepared is what a sink that prepares drafts (collectors.Preparer) has worked out for itself. A draft that has it is not
	// changed any more; every other sink leaves it alone.
	Prepared any
}

// Batch is a whole page of one acquisition, or one act of a person. All of it becomes durable, or none.
type Batch struct {
	Drafts []Draft
	Cursor *Cursor  // moved in the same transaction; may be all that a batch holds
	If     []Expect // looked at after repeats are dropped
}

// Cursor is a source's opaque state for one target.
type Cursor struct {
	Name string
	Data []byte
}

// Expect says which version of a view's key the caller saw. A key's version is one more than the sequence number of the
// record that last wrote or deleted it, and 0 for a key that never was.
type Expect struct {
	View    string
	Key     string
	Version int64
}

// Outcome says what Put did with a draft.
type Outcome uint8

// The outcomes.
const (
	Written   Outcome = iota // a new record
	Repeated                 // the same id was written before; the record is that one
	Unchanged                // nothing differs from the latest observation; the record is that latest one, or zero for an acquisition left out
)

// Record is a committed record. EnvelopeBytes and Body are the exact bytes; Body is nil where it was erased or withheld.
type Record struct {
	Envelope
	EnvelopeBytes []byte
	Body          []byte
	Outcome       Outcome // only set in what Put returns
}

// Leaf returns the record's RFC 6962 leaf hash.
func (r Record) Leaf() Digest { return LeafHash(r.EnvelopeBytes) }

// Decode reads a record's body into its type, such as Decode[*PostSeen](r). It fails with ErrErased where the body is gone and
// for a record of another kind.
func Decode[B Body](r Record) (B, error) {
	var zero B
	b, err := DecodeBody(r)
	if err != nil {
		return zero, err
	}
	v, ok := b.(B)
	if !ok {
		return zero, fmt.Errorf("record %d is %s, not a %T", r.Seq, r.Kind, zero)
	}
	return v, nil
}

// DecodeBody reads a record's body into the type that its kind and schema have here; a kind or schema that this build does
// not know becomes *Unknown.
func DecodeBody(r Record) (Body, error) {
	if len(r.Body) == 0 {
		return nil, fmt.Errorf("body of record %d: %w", r.Seq, ErrErased)
	}
	make := bodies[r.Kind]
	if make == nil {
		return &Unknown{kind: r.Kind}, nil
	}
	b := make()
	var head struct {
		Schema int `json:"schema"`
	}
	if schemaIsOne(r.Body) {
		head.Schema = 1
	} else if err := json.Unmarshal(r.Body, &head); err != nil {
		return nil, fmt.Errorf("body of record %d: %w", r.Seq, err)
	}
	if head.Schema != b.Schema() {
		return &Unknown{kind: r.Kind, schema: head.Schema}, nil
	}
	if err := json.Unmarshal(r.Body, b); err != nil {
		return nil, fmt.Errorf("body of record %d: %w", r.Seq, err)
	}
	return b, nil
}
