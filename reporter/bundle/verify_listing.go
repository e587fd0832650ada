package bundle

import (
	"encoding/json"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// listing checks that the target which a statement approves was listed by another person's signature: the target's line is in the
// tree that the target.listed signs. That signature is a check of its own. Approvals of before there were signed listings, and
// emergency starts, name none.
func (v *verifier) listing(r evidence.Record, approval evidence.Statement) error {
	b, err := evidence.Decode[*evidence.TargetApproved](r)
	if err != nil || b.Listing == nil || approval.Confirms == nil {
		return nil
	}
	set, ok := v.log.sets[approval.Confirms.Seq]
	if !ok {
		return nil // withheld or erased: there is nothing to compare with
	}
	st, err := v.listed(b.Listing.Listed)
	if err != nil {
		return err
	}
	path := make(tlog.RecordProof, len(b.Listing.Path))
	for i, d := range b.Listing.Path {
		path[i] = tlog.Hash(d)
	}
	line := evidence.ListingLine(set.Key, set.Effective())
	if st.Lists == nil || b.Listing.Index < 0 || b.Listing.Index >= st.Lists.Targets ||
		tlog.CheckRecord(path, st.Lists.Targets, tlog.Hash(st.Lists.Root), b.Listing.Index, tlog.RecordHash([]byte(line))) != nil {
		return wrong("it rests on the listing in record %d, which does not hold the target as it was set", b.Listing.Listed.Seq)
	}
	if st.Person != set.ListedBy || st.Person == approval.Person || st.Fingerprint == approval.Fingerprint {
		return wrong("the listing in record %d is not another person's, who listed the target", b.Listing.Listed.Seq)
	}
	return nil
}

// listed returns the statement of a target.listed in the bag.
func (v *verifier) listed(ref evidence.RecordRef) (st evidence.Statement, err error) {
	for _, r := range v.log.statements {
		if r.Seq != ref.Seq || r.Leaf() != ref.Leaf {
			continue
		}
		if b, err := evidence.Decode[*evidence.TargetListed](r); err == nil {
			return st, json.Unmarshal([]byte(b.Payload), &st)
		}
	}
	return st, wrong("it rests on a listing in record %d, which is not in the bag", ref.Seq)
}
