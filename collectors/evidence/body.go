package evidence

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
)

// Body is the part of a record that can be erased. Its JSON holds no LF, no key `salt` and no key `schema`: those two
// stand first and are the vault's to add. Every type implements it on a pointer.
type Body interface {
	Kind() Kind
	Schema() int
}

// Binding is a body whose record gives its subject an ordinal for the first time, or confirms it. BindingKey is the Name's
// Key, which the body also stores as `key`, so that ordinals can be rebuilt from the log.
type Binding interface {
	Body
	BindingKey() string
}

// Referrer is a body that names other accounts or private persons; the vault fills in their ordinals before encoding.
type Referrer interface {
	Body
	Refs() []*Ref
}

// Blobber is a body that names blobs; the vault refuses it until Keep has stored them, and fsck looks for them.
type Blobber interface {
	Body
	Blobs() []Digest
}

// Observer is a body that is an observation of something that can stay as it was. Put writes it only if one of its facets
// differs from the latest one under the same subject and slot.
type Observer interface {
	Body
	Facets() []Facet
}

// Facet is one comparable side of an observation.
type Facet struct {
	Slot  string
	Value Digest
	// Default marks the value that an empty slot stands for: an account of ours that sees a post for the first time, and sees
	// it as anyone would, has observed nothing new.
	Default bool
}

// PrivateBody is a body whose text may name a private person; it is withheld outside a bundle's full edition.
type PrivateBody interface {
	Body
	NamesPerson() bool
}

// Unknown stands for a body whose kind or schema this build does not know.
type Unknown struct {
	kind   Kind
	schema int
}

// Kind returns the unknown kind.
func (u *Unknown) Kind() Kind { return u.kind }

// Schema returns the unknown schema.
func (u *Unknown) Schema() int { return u.schema }

// NamesPerson holds it back outside the full edition: nobody can say what it names.
func (u *Unknown) NamesPerson() bool { return true }

// SaltLen is the length of a body's salt in bytes.
const SaltLen = 16

// ErrBody is returned for a body that cannot be encoded.
var ErrBody = errors.New("body cannot be encoded")

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// EncodeBody returns a body's exact bytes: `{"salt":"<32 hex>","schema":n,…}`. References must have their ordinals.
func EncodeBody(b Body, salt [SaltLen]byte) ([]byte, error) { return AppendBody(nil, b, salt) }

// AppendBody appends what EncodeBody returns.
func AppendBody(dst []byte, b Body, salt [SaltLen]byte) ([]byte, error) {
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	var err error
	if own, ok := b.(jsonBody); ok {
		err = own.appendJSON(buf)
	} else {
		err = encodeJSON(buf, b)
	}
	if err != nil {
		return dst, fmt.Errorf("%s: %w: %w", b.Kind(), ErrBody, err)
	}
	js := bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})
	if len(js) < 2 || js[0] != '{' || bytes.IndexByte(js, '\n') >= 0 {
		return dst, fmt.Errorf("%s: %w: not one JSON object in one line", b.Kind(), ErrBody)
	}
	dst = slices.Grow(dst, len(js)+64)
	dst = append(dst, `{"salt":"`...)
	dst = hex.AppendEncode(dst, salt[:])
	dst = append(dst, `","schema":`...)
	dst = strconv.AppendInt(dst, int64(b.Schema()), 10)
	if len(js) > 2 {
		dst = append(dst, ',')
	}
	return append(dst, js[1:]...), nil
}

const saltHead = len(`{"salt":"`) + 2*SaltLen

// schemaIsOne spares readers a second pass over the common body.
func schemaIsOne(b []byte) bool {
	const one = `","schema":1`
	return len(b) > saltHead+len(one) && string(b[saltHead:saltHead+len(one)]) == one && (b[saltHead+len(one)] == ',' || b[saltHead+len(one)] == '}')
}
