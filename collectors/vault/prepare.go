package vault

import (
	"crypto/rand"
	"fmt"
	"sync/atomic"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// prepared is what Prepare leaves in a draft. Only one Put takes it, since the writer completes the bytes in place: a draft that is put
// again is worked out again.
type prepared struct {
	v      *Vault
	of     evidence.Body // that it was made of
	taken  atomic.Bool
	salt   [evidence.SaltLen]byte
	refs   []*evidence.Ref
	facets []evidence.Facet
	buf    []byte
	digest evidence.Digest
}

// Prepare encodes drafts and looks for the blobs that they name: see collectors.Preparer.
func (v *Vault) Prepare(ds []evidence.Draft) error {
	salts := make([]byte, len(ds)*evidence.SaltLen)
	rand.Read(salts)
	ps := make([]prepared, len(ds))
	for i := range ds {
		d := draft{in: &ds[i]}
		copy(d.salt[:], salts[i*evidence.SaltLen:])
		err := d.check(false)
		if err == nil {
			err = v.work(&d)
		}
		if err != nil {
			return fmt.Errorf("draft %d of %d: %w", i+1, len(ds), err)
		}
		p := &ps[i]
		p.v, p.of, p.salt, p.refs, p.facets, p.buf, p.digest = v, d.in.Body, d.salt, d.refs, d.facets, d.buf, d.digest
		ds[i].Prepared = p
	}
	return nil
}

// take uses what Prepare has left in the draft; false where there is nothing that may be used.
func (v *Vault) take(d *draft) bool {
	p, ok := d.in.Prepared.(*prepared)
	if !ok || p.v != v || p.of != d.in.Body || p.taken.Swap(true) {
		return false
	}
	d.salt, d.refs, d.facets, d.buf, d.digest = p.salt, p.refs, p.facets, p.buf, p.digest
	if d.buf != nil {
		d.body = d.buf[envelopeRoom:]
	}
	return true
}
