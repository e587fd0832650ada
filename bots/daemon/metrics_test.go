package daemon

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
)

// planned is an alarm whose one target is read every so often by plan.
func planned(b *bell, worst time.Duration) *alarm {
	a := b.alarm()
	a.plans = func(context.Context) ([]telegram.Plan, error) {
		return []telegram.Plan{{
			Source: "telegram/main", Targets: []telegram.TargetPlan{{Target: "one", Worst: worst.Seconds()}},
			Budgets: []telegram.BudgetPlan{{Method: "messages.getHistory", Share: 0.25, Used: 0.5, Granted: 30}},
		}}, nil
	}
	return a
}

// A target that is read seldom by plan is not called blind.
func TestASeldomTargetIsNotBlind(t *testing.T) {
	b := newBell(t, "  blind_after: 1h\n")
	b.state(&evidence.Collector{State: "healthy"})
	a := planned(b, 4*time.Hour)
	b.want(a, 7*time.Hour, nil, nil)
	b.want(a, 2*time.Hour, []string{"raised target/one"}, []string{"desk@example.org"})
}

func TestBudgetsAndBlindTargetsAreMeasured(t *testing.T) {
	b := newBell(t, "")
	b.state(&evidence.Collector{State: "flood-waiting", Until: evidence.At(b.now.Add(90 * time.Second))})
	m := newMetrics("test")
	a := planned(b, time.Hour)
	var failed error
	m.registry.MustRegister(newLogMetrics(a.watchman, func(err error) { failed = err }))
	b.now = b.now.Add(30 * time.Second)
	read := func() string {
		w := httptest.NewRecorder()
		m.handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		return w.Body.String()
	}
	wants := func(text string, lines ...string) {
		t.Helper()
		for _, want := range lines {
			if !strings.Contains(text, want+"\n") {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
	}
	wants(read(), `muhafiz_budget_used_share{account="telegram/main",method="messages.getHistory"} 0.5`,
		`muhafiz_budget_planned_share{account="telegram/main",method="messages.getHistory"} 0.25`,
		`muhafiz_budget_granted{account="telegram/main",method="messages.getHistory"} 30`,
		`muhafiz_plan_worst_delay_seconds{account="telegram/main"} 3600`,
		`muhafiz_account_flood_wait_seconds{account="telegram/main"} 60`, `muhafiz_targets{state="observed"} 1`)
	b.now = b.now.Add(7 * time.Hour)
	wants(read(), `muhafiz_targets{state="blind"} 1`, `muhafiz_target_oldest_observation_age_seconds 25230`)
	if failed != nil {
		t.Error(failed)
	}
}

// full is the vault of a disk that is full.
type full struct{ collectors.Sink }

func (full) Put(context.Context, evidence.Batch) ([]evidence.Record, error) {
	return nil, errors.New("no space (simulated)")
}

func TestPutsAreMeasured(t *testing.T) {
	b := newBell(t, "")
	m := newMetrics("test")
	good, bad := measured{b.rooms.Vault, m}, measured{full{b.rooms.Vault}, m}
	if _, err := good.Put(t.Context(), evidence.Batch{Cursor: &evidence.Cursor{Name: "x", Data: []byte("y")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Put(t.Context(), evidence.Batch{}); err == nil {
		t.Error("a failure was swallowed")
	}
	if _, n, err := good.Keep(t.Context(), io.LimitReader(strings.NewReader("12345"), 5), 10); n != 5 || err != nil {
		t.Errorf("kept %d, %v", n, err)
	}
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{"muhafiz_put_seconds_count 1", "muhafiz_put_failures_total 1", "muhafiz_kept_bytes_total 5", "muhafiz_put_queue 0"} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}
