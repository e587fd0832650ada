package reporter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// A restored vault is older than what left after the backup: a notice that was sent stands in it as unsent. So a restore holds all that the
// reporter would send by itself until a person has compared the two. What a person sends with their own hand, a correction, leaves.

// Hold says why the reporter sends nothing.
type Hold struct {
	Record   int64             `json:"record"` // the run.started that tells of the restore
	At       evidence.Time     `json:"at"`     // of the restore
	Restored evidence.Restored `json:"restored"`
}

// String says it to people, with the next step.
func (h *Hold) String() string {
	return fmt.Sprintf("this vault was made of a backup of %s, and what was sent after that is not in it; compare the mail server's log, withdraw (muhafiz notice withdraw) what had left, then say: muhafiz notice resume --as YOU --reason \"how you know\"", h.Restored.At.UTC().Format("2006-01-02 15:04Z"))
}

func applyRestore(r evidence.Record, kv evidence.KV) error {
	b, err := evidence.Decode[*evidence.RunStarted](r)
	if err != nil || b.Restored == nil {
		return nil //nolint:nilerr // a view skips what is erased or unknown
	}
	v, err := json.Marshal(Hold{Record: r.Seq, At: r.At, Restored: *b.Restored})
	if err != nil {
		return err
	}
	return kv.Put("held", v)
}

// HeldBy returns the restore after which nobody let a reporter of this log send again, nil where there is none.
func HeldBy(ctx context.Context, log interface {
	Get(ctx context.Context, view, key string) (value []byte, version int64, err error)
},
) (*Hold, error) {
	v, _, err := log.Get(ctx, ViewRuns, "held")
	if err != nil || v == nil {
		return nil, err
	}
	h := new(Hold)
	return h, json.Unmarshal(v, h)
}

// Held returns why the reporter sends nothing, nil where it does.
func (r *Reporter) Held(ctx context.Context) (*Hold, error) { return HeldBy(ctx, r.o.Log) }

// Release records that a person compared a restored vault with what had left, and lets the reporter send again.
func (r *Reporter) Release(ctx context.Context, person, reason string) (*Hold, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := r.desk.Person(ctx, person, review.RoleReviewer, review.RoleSenior, "operator")
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(reason) == "" {
		return nil, &review.Refusal{Code: review.Incomplete, Sentence: "say how you know what had been sent after the backup"}
	}
	_, version, err := r.o.Log.Get(ctx, ViewRuns, "held")
	if err != nil {
		return nil, err
	}
	h, err := r.Held(ctx)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, &review.Refusal{Code: review.WrongNotice, Sentence: "nothing holds the reporter: no restore waits for anybody's word"}
	}
	_, err = r.putAs(ctx, evidence.Person(p.ID), evidence.Vault(), &evidence.ReporterReleased{Restored: h.Record, Reason: reason},
		evidence.Expect{View: ViewRuns, Key: "held", Version: version})
	if errors.Is(err, evidence.ErrConflict) {
		return nil, &review.Refusal{Code: review.ChangedSince, Sentence: "somebody else let it go, or another restore came: look again (muhafiz status)"}
	}
	return h, err
}
