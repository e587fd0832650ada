package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/diary"
	"github.com/muhafiz/muhafiz/reporter/retention"
)

// RetentionStatus is where retention, holds, erasures and quarantine stand.
type RetentionStatus struct {
	Last        *retention.Last      `json:"last,omitempty"` // the newest run; nil: it never ran
	Lingering   *retention.Lingering `json:"lingering,omitempty"`
	Holds       int                  `json:"holds"`    // that people placed and that stand
	Erasures    int                  `json:"erasures"` // wrong listings whose account was erased by two people
	Erased      int64                `json:"erased_bodies"`
	Proposed    int                  `json:"erasures_proposed"` // by one person so far
	Quarantined int                  `json:"quarantined"`
	Undone      int                  `json:"quarantined_undone"` // neither handed over nor destroyed
}

// retentionStatus reads views only.
func (r *Rooms) retentionStatus(ctx context.Context) (RetentionStatus, error) {
	var out RetentionStatus
	s, err := retention.Read(ctx, r.Vault)
	if err != nil {
		return out, err
	}
	out.Last, out.Lingering = s.Last, s.Lingering
	holds, err := r.Desk.AllHolds(ctx, false)
	if err != nil {
		return out, err
	}
	out.Holds = len(holds)
	erasures, err := r.Desk.Erasures(ctx)
	if err != nil {
		return out, err
	}
	for _, e := range erasures {
		out.Erased += e.Bodies
		switch {
		case e.Second != nil:
			out.Erasures++
		default:
			out.Proposed++
		}
	}
	qs, err := r.Desk.Quarantines(ctx)
	for _, q := range qs {
		out.Quarantined++
		if !q.Did(evidence.OrderHandOver) && !q.Did(evidence.OrderDestroy) {
			out.Undone++
		}
	}
	return out, err
}

func (r *Rooms) statusRetention(ctx context.Context, s *Status) (err error) {
	if s.Retention, err = r.retentionStatus(ctx); err != nil {
		return err
	}
	s.Warnings = append(s.Warnings, r.retentionWarnings(s.Retention)...)
	return nil
}

// retentionWarnings says what a person should act on.
func (r *Rooms) retentionWarnings(t RetentionStatus) (out []string) {
	now := r.Desk.Time()
	if l := t.Last; l != nil && l.Run.Soon > 0 {
		out = append(out, fmt.Sprintf("%d records fall due for erasure from %s on: hold what must stay (muhafiz hold place), and see what goes with muhafiz retain", l.Run.Soon, l.Run.SoonFrom.Format(time.DateOnly)))
	}
	if l := t.Last; l != nil && now.Sub(l.At.Time) > 48*time.Hour {
		out = append(out, "retention has not run since "+l.At.Format("2006-01-02 15:04Z")+": start the daemon, or muhafiz retain run --as YOU; after a pause longer than the warning, the warning begins anew")
	}
	if l := t.Lingering; l != nil {
		late := "by " + l.Deadline.Format(time.DateOnly)
		if now.After(l.Deadline.Time) {
			late = "OVERDUE since " + l.Deadline.Format(time.DateOnly)
		}
		out = append(out, fmt.Sprintf("%d erased records linger in free pages of the vault's file and in backups; stop the daemon and run muhafiz compact, %s", l.Bodies, late))
	}
	if t.Undone > 0 {
		out = append(out, fmt.Sprintf("%d posts are in quarantine and were neither handed over nor destroyed (your law: %s): muhafiz quarantine list", t.Undone, r.Config.Quarantine.Law))
	}
	return out
}

func (r *Rooms) todayRetention(ctx context.Context, in *diary.Inputs) error {
	t, err := r.retentionStatus(ctx)
	in.Retention = r.retentionWarnings(t)
	return err
}
