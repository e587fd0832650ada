package bundle

import (
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// TestAnApprovalRestsOnASignedListing bends each part of the proof.
func TestAnApprovalRestsOnASignedListing(t *testing.T) {
	set := &evidence.TargetSet{Key: "front", ListedBy: "amna"}
	line := tlog.RecordHash([]byte(evidence.ListingLine("front", set.Effective())))
	beside := evidence.Sum([]byte("another target (simulated)"))
	root := evidence.Digest(tlog.NodeHash(line, tlog.Hash(beside)))
	good := evidence.Statement{Person: "amna", Fingerprint: "SHA256:a", Lists: &evidence.Lists{Targets: 2, Root: root}}
	approval := evidence.Statement{Person: "bilal", Fingerprint: "SHA256:b", Confirms: &evidence.RecordRef{Seq: 3}}
	for name, test := range map[string]struct {
		bend func(set *evidence.TargetSet, listed *evidence.Statement, p *evidence.ListingProof)
		want string
	}{
		"good":                 {func(*evidence.TargetSet, *evidence.Statement, *evidence.ListingProof) {}, ""},
		"another target":       {func(s *evidence.TargetSet, _ *evidence.Statement, _ *evidence.ListingProof) { s.Key = "other" }, "does not hold the target as it was set"},
		"set otherwise":        {func(s *evidence.TargetSet, _ *evidence.Statement, _ *evidence.ListingProof) { s.Report = true }, "does not hold the target as it was set"},
		"another place":        {func(_ *evidence.TargetSet, _ *evidence.Statement, p *evidence.ListingProof) { p.Index = 1 }, "does not hold the target as it was set"},
		"no such place":        {func(_ *evidence.TargetSet, _ *evidence.Statement, p *evidence.ListingProof) { p.Index = -1 }, "does not hold the target as it was set"},
		"no path":              {func(_ *evidence.TargetSet, _ *evidence.Statement, p *evidence.ListingProof) { p.Path = nil }, "does not hold the target as it was set"},
		"another record":       {func(_ *evidence.TargetSet, _ *evidence.Statement, p *evidence.ListingProof) { p.Listed.Seq = 9 }, "which is not in the bag"},
		"lists nothing":        {func(_ *evidence.TargetSet, st *evidence.Statement, _ *evidence.ListingProof) { st.Lists = nil }, "does not hold the target as it was set"},
		"of the one approving": {func(_ *evidence.TargetSet, st *evidence.Statement, _ *evidence.ListingProof) { st.Person = "bilal" }, "is not another person's, who listed the target"},
		"with the same key": {func(_ *evidence.TargetSet, st *evidence.Statement, _ *evidence.ListingProof) {
			st.Fingerprint = "SHA256:b"
		}, "is not another person's, who listed the target"},
	} {
		t.Run(name, func(t *testing.T) {
			s, st, p := *set, good, evidence.ListingProof{Path: []evidence.Digest{beside}}
			lists := *good.Lists
			st.Lists = &lists
			env := []byte(`{"v":1,"seq":2}`)
			p.Listed = evidence.RecordRef{Seq: 2, Leaf: evidence.LeafHash(env)}
			test.bend(&s, &st, &p)
			v := &verifier{log: logFacts{
				sets:       map[int64]*evidence.TargetSet{3: &s},
				statements: []evidence.Record{recordOf(t, 2, env, &evidence.TargetListed{Signed: evidence.Signed{Payload: payloadOf(t, st)}})},
			}}
			err := v.listing(recordOf(t, 4, nil, &evidence.TargetApproved{Listing: &p}), approval)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func recordOf(t *testing.T, seq int64, env []byte, b evidence.Body) evidence.Record {
	t.Helper()
	body, err := evidence.EncodeBody(b, [16]byte{})
	if err != nil {
		t.Fatal(err)
	}
	return evidence.Record{Envelope: evidence.Envelope{Seq: seq, Kind: b.Kind()}, EnvelopeBytes: env, Body: body}
}

func payloadOf(t *testing.T, st evidence.Statement) string {
	t.Helper()
	b, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
