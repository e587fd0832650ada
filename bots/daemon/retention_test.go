package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/reporter/bundle"
	"github.com/muhafiz/muhafiz/reporter/review"
)

const nobody = "age1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sdmexe3"

// TestThirteenMonths lets thirteen months pass: what is held stays, the rest goes at its term and not a day before, warnings come first,
// fsck is clean, and a bundle from before verifies.
func TestThirteenMonths(t *testing.T) {
	y := newYears(t, "keep", nobody)
	y.day() // the first run announces
	type kept struct {
		what string
		rec  evidence.Record
		days int // after which it goes; 0: it stays to the end
	}
	all := []kept{
		{"organisation's term", y.page(1, 1, "One, bland (simulated)."), 200},
		{"default", y.page(2, 1, "Two, bland (simulated)."), 180},
		{"target's own term", y.page(3, 1, "Three, bland (simulated)."), 90},
	}
	decided := y.page(2, 2, "An incitement, bland (simulated).")
	y.decide(decided.Subject, "incitement", false)
	all = append(all, kept{"open case", decided, 300})
	reported := y.page(2, 3, "A report, bland (simulated).")
	y.decide(reported.Subject, "report", true)
	y.must(y.call("POST", "/v1/notices/run", NoticeRequest{Person: "amna"}, nil))
	all = append(all, kept{"notice without an answer", reported, 400})
	bundled := y.page(3, 2, "A bundle, bland (simulated).")
	var built bundle.Result
	y.must(y.call("POST", "/v1/bundles", BundleRequest{Person: "lubna", Posts: []evidence.Ordinal{bundled.Subject}, Out: y.s.path("bags"), Purpose: "court"}, &built))
	all = append(all, kept{"bundle", bundled, 365})
	held := y.page(3, 3, "A hold, bland (simulated).")
	var hold review.Hold
	y.must(y.call("POST", "/v1/holds", HoldRequest{Person: "lubna", HoldInput: review.HoldInput{Post: held.Subject, Reason: "proceedings", Basis: "order 1"}}, &hold))
	all = append(all, kept{"hold", held, 0})
	queried := y.page(1, 2, "A query, bland (simulated).")
	y.must(y.call("POST", "/v1/holds", HoldRequest{Person: "sara", HoldInput: review.HoldInput{
		Account: queried.Subject.Whole(), From: evidence.At(y.now.Add(-time.Hour)), To: evidence.At(y.now.Add(time.Hour)), Reason: "proceedings",
	}}, nil))
	all[0].days = 0 // it was recorded in the same hour
	all = append(all, kept{"query", queried, 0})
	start, warned := y.now, map[int]bool{}
	for day := 1; day <= 395; day++ {
		y.day()
		for _, k := range all {
			if day == k.days {
				continue // the commit clock may be a moment ahead of the run
			}
			if want := k.days == 0 || day < k.days; y.has(k.rec) != want {
				t.Fatalf("day %d: %s: body there: %t, want %t", day, k.what, !want, want)
			}
		}
		if day == 59 || day == 61 || day == 149 || day == 151 {
			warned[day] = strings.Contains(strings.Join(y.status().Warnings, "\n"), "fall due for erasure from")
		}
		if day == 100 { // collection went on
			all = append(all, kept{"later", y.page(2, 9, "Later, bland (simulated)."), 100 + 180})
		}
	}
	if warned[59] || !warned[61] || warned[149] || !warned[151] {
		t.Errorf("warnings came on %v", warned)
	}
	if got := y.now.Sub(start); got < 390*24*time.Hour {
		t.Fatal(got)
	}
	var dry Retained
	y.must(y.call("POST", "/v1/retention", RetainRequest{DryRun: true}, &dry))
	if dry.Due != 0 || dry.Held == 0 || len(dry.HeldBy) == 0 || dry.Lingering == 0 || dry.Deadline.IsZero() {
		t.Errorf("dry run: %+v", dry)
	}
	y.must(y.call("POST", "/v1/holds/release", ReleaseRequest{Person: "lubna", Hold: hold.Seq, Reason: "ended"}, nil))
	y.day()
	if y.has(held) {
		t.Error("a released hold still holds")
	}
	rep := y.fsck()
	if rep.Erased < 15 {
		t.Errorf("%d erased", rep.Erased)
	}
	y.verify(built)
	y.compact()
	y.verify(built)
}

func (y *years) verify(built bundle.Result) {
	y.t.Helper()
	signers, err := os.ReadFile(y.s.path("sara.pub"))
	y.must(err)
	y.open()
	defer y.close()
	rep, err := bundle.Verify(y.t.Context(), built.Path, bundle.VerifyOptions{
		Signers: []byte("evidence@example.org namespaces=\"file@muhafiz\" " + string(signers)), Identity: "evidence@example.org", LogKey: y.r.Vault.LogKey(),
	})
	if err != nil || rep.Status != bundle.StatusVerified {
		y.t.Errorf("%s: %v %s", filepath.Base(built.Path), err, rep.Sentence())
	}
}

// compact gives the freed space back, and nothing lingers then.
func (y *years) compact() {
	y.t.Helper()
	o := y.s.options()
	o.Now = func() time.Time { return y.now }
	vo, err := VaultOptions(o)
	y.must(err)
	out, err := vault.Compact(y.t.Context(), y.s.path("vault"), vo, nil)
	y.must(err)
	if out.After > out.Before || len(out.Keys) == 0 {
		y.t.Errorf("%d bytes became %d", out.Before, out.After)
	}
	y.fsck()
	y.open()
	if l := y.status().Retention.Lingering; l != nil {
		y.t.Errorf("%+v lingers after a compaction", l)
	}
	y.close()
}

// TestNothingGoesUnannounced shortens a term, lets retention pause, and sets the clock forward: each begins the warning anew.
func TestNothingGoesUnannounced(t *testing.T) {
	y := newYears(t, "keep", nobody)
	rec := y.page(2, 1, "Bland (simulated).")
	y.now = y.now.Add(400 * 24 * time.Hour) // nothing ran
	for range 29 {
		y.must(y.r.retainDaily(t.Context()))
		y.now = y.now.Add(24 * time.Hour)
		if !y.has(rec) {
			t.Fatal("it went although nobody was warned")
		}
	}
	if w := strings.Join(y.status().Warnings, "\n"); !strings.Contains(w, "fall due") {
		t.Errorf("warnings: %s", w)
	}
	y.days(3)
	if y.has(rec) {
		t.Error("it is still there after its warning")
	}
	young := y.page(2, 2, "Bland (simulated), and young.")
	y.days(40)
	text, err := os.ReadFile(y.s.path("muhafiz.yaml"))
	y.must(err)
	y.close()
	y.s.write("muhafiz.yaml", strings.Replace(string(text), "default: 180d", "default: 35d", 1))
	y.open()
	y.days(29)
	if !y.has(young) {
		t.Error("a shortened term took effect without a warning")
	}
	y.days(3)
	if y.has(young) {
		t.Error("a shortened term has no effect")
	}
	y.fsck()
}
