package main

import (
	"crypto/rand"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

// row is a record and what the indexes say of it.
type row struct {
	seq            int64
	envelope, body []byte
	hashes         []tlog.Hash // stored hashes that the leaf completes, from at on
	at             int64
	id             evidence.ID
	subject        []byte
	facets         []evidence.Facet
	cursor         *evidence.Cursor // with the last one of a batch
}

// encode drafts posts and makes rows of them, a batch at a time.
func encode(posts *lab.Posts, n, batch int, out chan<- []row) error {
	tree := edge{}
	for {
		page, some := posts.Page(n, batch)
		if !some {
			return nil
		}
		rows := make([]row, 0, len(page.Drafts))
		now := evidence.At(time.Now())
		for _, d := range page.Drafts {
			r, err := tree.row(d, now)
			if err != nil {
				return err
			}
			rows = append(rows, r)
		}
		rows[len(rows)-1].cursor = page.Cursor
		out <- rows
	}
}

// edge is the right edge of a tree, the largest complete subtree first.
type edge struct {
	size int64
	tail []tlog.Hash
}

func (e *edge) row(d evidence.Draft, now evidence.Time) (row, error) {
	var salt [evidence.SaltLen]byte
	rand.Read(salt[:])
	body, err := evidence.EncodeBody(d.Body, salt)
	if err != nil {
		return row{}, err
	}
	subject := evidence.NewOrdinal(evidence.SpaceAccount, 1+uint64(accountOf(d.Subject))).With(d.Subject.Part)
	key, err := subject.AppendKey(nil)
	if err != nil {
		return row{}, err
	}
	env := evidence.Envelope{
		V: evidence.EnvelopeVersion, Seq: e.size, ID: d.ID, Kind: d.Body.Kind(), At: now, Actor: "s1", Subject: subject, Body: evidence.Sum(body),
	}.Append(nil)
	r := row{seq: e.size, envelope: env, body: body, at: tlog.StoredHashIndex(0, e.size), id: d.ID, subject: key}
	r.hashes = e.append(tlog.Hash(evidence.LeafHash(env)))
	if o, ok := d.Body.(evidence.Observer); ok {
		r.facets = o.Facets()
	}
	return r, nil
}

// append returns the hashes that a leaf completes, itself first.
func (e *edge) append(h tlog.Hash) []tlog.Hash {
	out := []tlog.Hash{h}
	for bit := e.size; bit&1 == 1; bit >>= 1 {
		last := len(e.tail) - 1
		h = tlog.NodeHash(e.tail[last], h)
		e.tail = e.tail[:last]
		out = append(out, h)
	}
	e.tail = append(e.tail, h)
	e.size++
	return out
}

// accountOf is the number in a simulated channel's name.
func accountOf(n evidence.Name) (number int) {
	for _, c := range n.Key {
		if c >= '0' && c <= '9' {
			number = 10*number + int(c-'0')
		}
	}
	return number - 1_000_000
}
