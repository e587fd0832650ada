package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

func (y *years) erase(person, target string, out any) error {
	return y.sign(person, "/v1/targets/erase/prepare", "/v1/targets/erase", TargetRequest{Person: person, Target: target, Reason: "a journalist (simulated)"}, target, out)
}

// refused insists on a refusal with a code.
func (y *years) refused(what string, err error, code review.Code) {
	y.t.Helper()
	api, ok := err.(*APIError) //nolint:errorlint // the client returns it as it is
	if !ok || api.Code != string(code) {
		y.t.Errorf("%s: got %v, want a refusal %q", what, err, code)
	}
}

// TestTwoPeopleEraseAWrongListing: one alone erases nothing, in whatever way; a hold beats two; what remains is the mistake and its
// correction, not what was collected.
func TestTwoPeopleEraseAWrongListing(t *testing.T) {
	y := newYears(t, "keep", nobody)
	wrong, other := y.page(2, 1, "A journalist's words (simulated)."), y.page(1, 1, "Bland (simulated).")
	c := y.decide(wrong.Subject, "journalist", false)
	late := y.page(2, 2, "More of them (simulated).")
	y.refused("a target that is not stopped", y.erase("bilal", "two", nil), review.WrongTarget)
	y.must(y.call("POST", "/v1/targets/mark", MarkRequest{Person: "bilal", Target: "two", Mark: evidence.MarkInnocent, Category: "journalist", Reason: "simulated"}, nil))

	var h review.Hold
	y.must(y.call("POST", "/v1/holds", HoldRequest{Person: "lubna", HoldInput: review.HoldInput{Post: late.Subject, Reason: "proceedings"}}, &h))
	err := y.erase("bilal", "two", nil)
	y.refused("a held one", err, review.Held)
	if err == nil || !strings.Contains(err.Error(), "a hold beats an erasure until it is released") {
		t.Errorf("the refusal says %v", err)
	}
	y.refused("a release by who may not", y.call("POST", "/v1/holds/release", ReleaseRequest{Person: "bilal", Hold: h.Seq, Reason: "x"}, nil), review.Role)
	y.must(y.call("POST", "/v1/holds/release", ReleaseRequest{Person: "lubna", Hold: h.Seq, Reason: "ended"}, nil))

	var e ErasedTarget
	y.must(y.erase("bilal", "two", &e))
	if e.Erased != nil || e.Second != nil || !y.has(wrong) {
		t.Errorf("one person alone: %+v", e)
	}
	y.refused("the same person again", y.erase("bilal", "two", nil), review.SamePerson)
	y.refused("a second who may only propose", y.erase("amna", "two", nil), review.Role)
	var p Prepared
	y.must(y.call("POST", "/v1/targets/erase/prepare", TargetRequest{Person: "sara", Target: "two", Reason: "a journalist (simulated)"}, &p))
	forged, err := review.Sign(p.Payload, y.keys["bilal"])
	y.must(err)
	y.refused("the second's word under the first's key", y.call("POST", "/v1/targets/erase", SignedBy{Person: "sara", Target: "two", Signed: forged}, nil), review.WrongKey)
	y.refused("in another's name", y.call("POST", "/v1/targets/erase", SignedBy{Person: "bilal", Target: "two", Signed: forged}, nil), review.WrongPerson)
	y.must(y.retainNow())
	if !y.has(wrong) || y.status().Retention.Proposed != 1 {
		t.Error("one word erased something")
	}

	// A hold that comes between the two words wins as well.
	var between review.Hold
	y.must(y.call("POST", "/v1/holds", HoldRequest{Person: "lubna", HoldInput: review.HoldInput{Target: "two", Reason: "proceedings"}}, &between))
	y.refused("held meanwhile", y.erase("sara", "two", nil), review.Held)
	y.must(y.call("POST", "/v1/holds/release", ReleaseRequest{Person: "lubna", Hold: between.Seq, Reason: "ended"}, nil))
	part := filepath.Join(partials(y.r.Config), "0123.part")
	y.must(os.MkdirAll(filepath.Dir(part), 0o700))
	y.must(os.WriteFile(part, []byte("half a file (simulated)"), 0o600))
	y.must(y.erase("sara", "two", &e))
	if _, err := os.Stat(part); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the parts of an unfinished file stay: %v", err)
	}
	if e.Erased == nil || e.Erased.Bodies < 7 || e.Erased.Replies != 2 || e.Erased.Files < 4 {
		t.Errorf("two people: %+v", e.Erased)
	}
	if y.has(wrong) || y.has(late) || !y.has(other) {
		t.Error("the wrong things went")
	}
	rec, err := y.r.Vault.Vault.Record(t.Context(), c.Decision.Seq)
	if err != nil || rec.Body != nil {
		t.Errorf("the decision still quotes it: %v", err)
	}
	// A reply that was under way comes in after it.
	straggler := y.page(2, 3, "Late words (simulated).")
	y.must(y.retainNow())
	if y.has(straggler) {
		t.Error("what came late stayed")
	}
	s := y.status()
	if l := s.Retention.Lingering; l == nil || l.Deadline.IsZero() {
		t.Errorf("nothing says that a compaction is due: %+v", l)
	}
	if s.Retention.Erasures != 1 || s.Retention.Erased < 10 || s.Redress.Wrong != 1 {
		t.Errorf("status: %+v %+v", s.Retention, s.Redress)
	}
	var red review.Redress
	y.must(y.call("GET", "/v1/targets/redress?person=lubna&target=two", nil, &red))
	if red.Target.State != review.TargetInnocent || red.Target.Stop == nil {
		t.Errorf("the mark is gone: %+v", red.Target)
	}
	y.fsck()
}

// retainNow runs retention as an operator asks for it.
func (y *years) retainNow() error {
	return y.call("POST", "/v1/retention", RetainRequest{Person: "lubna"}, nil)
}
