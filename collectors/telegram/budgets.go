package telegram

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/pace"
)

// Budget is what one account may ask for. Zero fields mean the default that the comment names; negative ones mean no limit. Telegram
// publishes no figures: the defaults stay at or below what others report to be tolerated.
type Budget struct {
	ResolvesPerDay       int // addresses looked up. Default: 180, of 200 that are tolerated; 40 of them at once, 5 s apart
	HistoryPerMinute     int // pages of history, which is how rotation reads as well; half of it in any 30 s. Default: 60
	DifferencesPerMinute int // polls. Default: 120
	MessagesPerMinute    int // rechecks of 100 posts. Default: 40
	ChannelsPerMinute    int // snapshots of metadata. Default: 30
	FilePartsPerMinute   int // of 512 KiB. Default: 1200
	JoinsPerDay          int // Default: 20
	Joined               int // channels in which the account may be. Default: 500, which is the platform's own limit
}

// rotationShare is the part of the history budget that rotation plans with; the rest is for backfill and for what comes on top.
const rotationShare = 0.75

func (b *Budget) setDefaults() {
	for _, n := range []struct {
		v *int
		n int
	}{
		{&b.ResolvesPerDay, 180},
		{&b.HistoryPerMinute, 60},
		{&b.DifferencesPerMinute, 120},
		{&b.MessagesPerMinute, 40},
		{&b.ChannelsPerMinute, 30},
		{&b.FilePartsPerMinute, 1200},
		{&b.JoinsPerDay, 20},
		{&b.Joined, 500},
	} {
		if *n.v == 0 {
			*n.v = n.n
		}
	}
}

// limits returns the limits by method.
func (b Budget) limits() map[string][]pace.Limit {
	const day = 24 * time.Hour
	minute := func(n int) []pace.Limit { return []pace.Limit{{N: n, Per: time.Minute, Burst: max(1, n/6)}} }
	return map[string][]pace.Limit{
		"contacts.resolveUsername": {{N: b.ResolvesPerDay, Per: day, Burst: max(1, b.ResolvesPerDay*2/9)}, {N: 12, Per: time.Minute}},
		// What is known is 3000 messages in 30 s, so that is the stretch that must hold.
		"messages.getHistory":          {{N: halved(b.HistoryPerMinute), Per: 30 * time.Second, Burst: max(1, b.HistoryPerMinute/12)}},
		"updates.getChannelDifference": minute(b.DifferencesPerMinute),
		"channels.getMessages":         minute(b.MessagesPerMinute),
		"channels.getFullChannel":      minute(b.ChannelsPerMinute),
		"upload.getFile":               minute(b.FilePartsPerMinute),
		"channels.joinChannel":         {{N: b.JoinsPerDay, Per: day, Burst: max(1, b.JoinsPerDay/4)}, {N: 2, Per: time.Minute}},
	}
}

func halved(n int) int {
	if n < 0 {
		return n
	}
	return max(1, n/2)
}

// budgets outlive a run: an account that starts again is still the same to the platform.
type budgets struct {
	of map[string]*pace.Budget
}

func newBudgets(o Options) *budgets {
	bs := &budgets{of: map[string]*pace.Budget{}}
	if o.Unpaced {
		return bs
	}
	for method, ls := range o.Budget.limits() {
		if ls[0].N < 0 {
			continue
		}
		bs.of[method] = pace.NewBudget(o.Now, ls...)
	}
	return bs
}

// lasting are the budgets by the day, which a restart must not refill.
func lasting() []string { return []string{"contacts.resolveUsername", "channels.joinChannel"} }

// budgetName is the cursor in which the lasting budgets are kept. No target has such an id.
func budgetName(source string) string { return source + "/.budget" }

// keepBudget makes it durable that a lasting budget was used.
func (r *run) keepBudget(ctx context.Context) error {
	state := map[string][]time.Time{}
	for _, m := range lasting() {
		if ts := r.src.budgets.of[m].State(); ts != nil {
			state[m] = ts
		}
	}
	data, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("encode the budget: %w", err)
	}
	_, err = r.sink.Put(ctx, evidence.Batch{Cursor: &evidence.Cursor{Name: budgetName(r.src.Name()), Data: data}})
	if err != nil {
		return fmt.Errorf("store the budget of %s: %w", r.src.Name(), err)
	}
	return nil
}

func (r *run) loadBudget(ctx context.Context) error {
	b, err := r.sink.Cursor(ctx, budgetName(r.src.Name()))
	if err != nil || len(b) == 0 {
		return err
	}
	var state map[string][]time.Time
	if err := json.Unmarshal(b, &state); err != nil {
		return fmt.Errorf("read the budget of %s: %w", r.src.Name(), err)
	}
	for m, ts := range state {
		r.src.budgets.of[m].Restore(ts)
	}
	return nil
}

// prepaid marks a context whose next request was granted already.
type prepaid struct{}

// pay waits until the budget grants a request.
func (r *run) pay(ctx context.Context, method string) error {
	b := r.src.budgets.of[method]
	if b == nil || ctx.Value(prepaid{}) != nil {
		return ctx.Err()
	}
	if err := b.Take(ctx, payLane(ctx)); err != nil {
		return err
	}
	if slices.Contains(lasting(), method) {
		return r.keepBudget(ctx)
	}
	return nil
}

type payKey struct{}

// paying says on whose behalf requests are made.
func paying(ctx context.Context, l pace.Lane) context.Context {
	return context.WithValue(ctx, payKey{}, l)
}

func payLane(ctx context.Context) pace.Lane {
	if l, ok := ctx.Value(payKey{}).(pace.Lane); ok {
		return l
	}
	return pace.Urgent // the account's own
}
