package review

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// ViewTaken finds the records of what left or was looked at, without going through the posts of an account: under
// `SUBJECT SEQUENCE`, the subject without its part and the sequence number in twenty digits, with nothing in it.
const ViewTaken = "taken"

func takenPrefix(o evidence.Ordinal) string { return string(o.Whole()) + " " }

// applyTaken notes bundles, exports and looks at content. A bundle counts even where its body is erased: something left.
func applyTaken(r evidence.Record, kv evidence.KV) error {
	switch r.Kind {
	case evidence.KindBundleBuilt:
	case evidence.KindAccess:
		b, ok := body[*evidence.Access](r)
		if !ok || b.What != lookAtPost && b.What != lookAtCase && b.What != lookExport {
			return nil
		}
	default:
		return nil
	}
	return kv.Put(fmt.Sprintf("%s%020d", takenPrefix(r.Subject), r.Seq), []byte{})
}

// takenOf calls fn for the records of what left or was looked at of a thing and all its parts, ascending.
func (d *Desk) takenOf(ctx context.Context, o evidence.Ordinal, fn func(evidence.Record) error) error {
	var seqs []int64
	err := d.Log.Each(ctx, ViewTaken, takenPrefix(o), func(key string, _ []byte, _ int64) error {
		seq, err := strconv.ParseInt(strings.TrimPrefix(key, takenPrefix(o)), 10, 64)
		seqs = append(seqs, seq)
		return wrap("view key "+key, err)
	})
	for _, seq := range seqs {
		if err != nil {
			break
		}
		var r evidence.Record
		if r, err = d.Log.Record(ctx, seq); err == nil {
			err = fn(r)
		}
	}
	return wrap("read what left of "+string(o), err)
}
