package reporter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// Report says what one run did.
type Report struct {
	evidence.ReporterRun
	Notices []evidence.Ordinal `json:"notices"` // that the run drafted, tried, gave up or asks about
	Blocked []Blocked          `json:"blocked"` // approved cases that wait, and for what
}

// Blocked is an approved case that is in no notice, or a notice that a person must let go, and why.
type Blocked struct {
	Case   evidence.Ordinal `json:"case,omitempty"`
	Notice evidence.Ordinal `json:"notice,omitempty"`
	Reason string           `json:"reason"`
}

func (rep *Report) touch(o evidence.Ordinal) {
	for _, n := range rep.Notices {
		if n == o {
			return
		}
	}
	rep.Notices = append(rep.Notices, o)
}

// RunOnce does one run now: it asks about attempts without an end, withdraws what must not leave, drafts, and sends. The run is a
// record. An error means that the log failed; failed deliveries are in the report.
func (r *Reporter) RunOnce(ctx context.Context) (Report, error) {
	return r.run(ctx, time.Time{})
}

func (r *Reporter) run(ctx context.Context, due time.Time) (Report, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rep := Report{
		ReporterRun: evidence.ReporterRun{Due: evidence.At(due), Started: evidence.At(r.o.Now())},
		Notices:     []evidence.Ordinal{}, Blocked: []Blocked{},
	}
	for _, step := range []func(context.Context, *Report) error{r.recover, r.withdraw, r.draft, r.deliver} {
		if err := step(ctx, &rep); err != nil {
			return rep, err
		}
	}
	for _, b := range rep.Blocked {
		if b.Case != "" {
			rep.Waiting++
		}
	}
	run := rep.ReporterRun
	_, err := r.put(ctx, evidence.Vault(), &run)
	r.o.Logger.Info().Int("drafted", rep.Drafted).Int("sent", rep.Sent).Int("failed", rep.Failed).
		Int("uncertain", rep.Uncertain).Int("withdrawn", rep.Withdrawn).Int("waiting", rep.Waiting).Msg("reporter ran")
	return rep, err
}

// Recover marks every attempt that has no end as uncertain. Run and RunOnce begin with it.
func (r *Reporter) Recover(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recover(ctx, &Report{})
}

// recover may take any attempt for a broken one: runs do not overlap, and one process holds the vault.
func (r *Reporter) recover(ctx context.Context, rep *Report) error {
	open, err := r.Notices(ctx, notice.Attempted)
	if err != nil {
		return err
	}
	for _, n := range open {
		b := &evidence.NoticeUncertain{Reason: "the program ended between the attempt and its outcome"}
		if _, err := r.put(ctx, evidence.Notice(n.Key), b); err != nil {
			return err
		}
		rep.Uncertain++
		rep.touch(n.Ordinal)
		r.o.Logger.Warn().Str("notice", string(n.Ordinal)).Msg("nobody knows whether a notice was sent; a person must find out")
	}
	return nil
}

// withdraw takes back unsent notices of which a case may no longer leave; the others of the notice are free for the next one.
func (r *Reporter) withdraw(ctx context.Context, rep *Report) error {
	unsent, err := r.Notices(ctx, notice.Drafted, notice.Failed)
	if err != nil {
		return err
	}
	for _, n := range unsent {
		_, err := r.targets(ctx, n)
		if err == nil {
			err = r.lawful(n)
		}
		var no *review.Refusal
		switch {
		case err == nil:
		case errors.As(err, &no):
			if err := r.withdrawOne(ctx, n, no.Sentence, rep); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

func (r *Reporter) withdrawOne(ctx context.Context, n notice.State, reason string, rep *Report) error {
	if _, err := r.put(ctx, evidence.Notice(n.Key), &evidence.NoticeWithdrawn{Reason: reason}); err != nil {
		return err
	}
	rep.Withdrawn++
	rep.touch(n.Ordinal)
	r.o.Logger.Warn().Str("notice", string(n.Ordinal)).Str("reason", reason).Msg("a notice will not leave")
	return nil
}

// targets returns what must still hold when an attempt on n is recorded, or a refusal where it does not hold now.
func (r *Reporter) targets(ctx context.Context, n notice.State) ([]evidence.Expect, error) {
	expect := []evidence.Expect{{View: notice.ViewNotices, Key: string(n.Ordinal), Version: n.Version}}
	for _, nc := range n.Cases {
		c, err := r.desk.Case(ctx, nc.Case)
		if err != nil {
			return nil, err
		}
		t, err := r.desk.MayReport(ctx, c)
		if err != nil {
			return nil, err
		}
		_, version, err := r.desk.Target(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		expect = append(expect, evidence.Expect{View: review.ViewTargets, Key: string(t.Ordinal), Version: version})
	}
	return expect, nil
}

// lawful returns a refusal where a notice that was drafted could not be drafted now: the route is of another kind, or the
// notifier is another.
func (r *Reporter) lawful(n notice.State) error {
	route, ok := r.o.Routes[n.Platform]
	if !ok || n.Redresses() {
		return nil
	}
	kind := cmp.Or(n.NoticeKind, notice.KindPlatformRules)
	if kind != route.Kind {
		return &review.Refusal{Code: review.ChangedSince, Sentence: fmt.Sprintf("it was drafted as %s, and the route of %s now takes %s", kind, n.Platform, route.Kind)}
	}
	if ok, sentence := notice.MaySend(kind, r.o.Notifier); !ok {
		return &review.Refusal{Code: review.ChangedSince, Sentence: sentence}
	}
	return nil
}
