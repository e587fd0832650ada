package daemon

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
)

// alarm tells people of troubles. What was told is a record, so a restart neither repeats an alert nor forgets one. A crash between
// the telling and the record tells twice: silence would be worse.
type alarm struct {
	watchman
	ways []way
	// retry is when a message that reached nobody is tried again; pause grows from a minute to a quarter of an hour.
	retry time.Time
	pause time.Duration
}

const (
	minRetry   = time.Minute
	maxRetry   = 15 * time.Minute
	maxRepeat  = 24 * time.Hour
	alertEvery = time.Minute
)

// newAlarm makes what the configuration describes; nil where it describes nothing.
func newAlarm(w watchman, c *config.Config) *alarm {
	if c.Alerts == nil {
		return nil
	}
	w.alerts = c.Alerts
	return &alarm{watchman: w, ways: alertWays(c), pause: minRetry}
}

// news is an alert that is due, as people are told.
type news struct {
	Event string    `json:"event"` // raised, repeated, widened, ended
	Key   string    `json:"key"`
	What  string    `json:"what"`
	Do    string    `json:"do,omitempty"`
	Since time.Time `json:"since"`
	Count int       `json:"count"` // messages about it so far, this one included
	Wide  bool      `json:"wide"`
}

// look compares the troubles with what people were told, and tells them what is due.
func (a *alarm) look(ctx context.Context) error {
	now := a.rooms.Now()
	if now.Before(a.retry) {
		return nil
	}
	troubles, err := a.troubles(ctx, now)
	if err != nil {
		return err
	}
	open, err := a.rooms.openAlerts(ctx)
	if err != nil {
		return err
	}
	due := a.due(troubles, open, now)
	if len(due) == 0 {
		return nil
	}
	told := a.tell(ctx, due, now)
	if slices.ContainsFunc(told, func(t evidence.Told) bool { return t.Error == "" }) {
		a.retry, a.pause = time.Time{}, minRetry
	} else {
		a.rooms.Log.Error().Dur("again in", a.pause).Msg("an alert reached nobody")
		a.retry, a.pause = now.Add(a.pause), min(2*a.pause, maxRetry)
	}
	return a.record(ctx, due, told, now)
}

// due returns what is to be told now.
func (a *alarm) due(troubles []trouble, open map[string]OpenAlert, now time.Time) []news {
	var out []news
	for _, t := range troubles {
		o, known := open[t.key]
		delete(open, t.key)
		if t.quiet {
			continue
		}
		n := news{Key: t.key, What: t.what, Do: t.do, Since: t.since, Count: o.Count + 1, Wide: o.Wide}
		switch {
		case !known || o.Count == 0 && o.Untold != evidence.AlertEnded:
			n.Event = evidence.AlertRaised
		case o.Untold == evidence.AlertEnded:
			n.Event = evidence.AlertRepeated // it came back before anybody was told that it was over
		case a.widens(o, now):
			n.Event, n.Wide = evidence.AlertWidened, true
		case o.Untold != "" || now.Sub(o.Last.Time) >= a.pauseAfter(o.Count):
			n.Event = evidence.AlertRepeated
		default:
			continue
		}
		out = append(out, n)
	}
	for _, o := range open {
		if o.Count == 0 {
			o.What += " (nobody could be told when it began)"
		}
		out = append(out, news{
			Event: evidence.AlertEnded, Key: o.Key, What: "it is over: " + strings.TrimPrefix(o.What, "it is over: "),
			Since: o.Since.Time, Count: o.Count + 1, Wide: o.Wide,
		})
	}
	slices.SortFunc(out, func(x, y news) int { return strings.Compare(x.Key, y.Key) })
	return out
}

func (a *alarm) widens(o OpenAlert, now time.Time) bool {
	e := a.alerts.Escalate
	return e != nil && !o.Wide && now.Sub(o.Since.Time) >= time.Duration(e.After) && now.Sub(o.Last.Time) >= alertEvery
}

// pauseAfter is the time between the n-th message about a trouble and the next one.
func (a *alarm) pauseAfter(n int) time.Duration {
	p := time.Duration(a.alerts.Repeat)
	for range n - 1 {
		if p *= 2; p >= maxRepeat {
			return maxRepeat
		}
	}
	return p
}

// tell sends one message with all that is due by every way.
func (a *alarm) tell(ctx context.Context, due []news, now time.Time) []evidence.Told {
	m := message{Schema: 1, Vault: a.rooms.Vault.ID(), At: now.UTC(), Events: due}
	m.Host, _ = os.Hostname()
	var told []evidence.Told
	for _, w := range a.ways {
		t := w.tell(ctx, m)
		if t.Way == "" {
			continue // it concerns only those who are told later
		}
		ev := a.rooms.Log.Warn()
		if t.Error != "" {
			ev = a.rooms.Log.Error()
		}
		ev.Str("way", t.Way).Str("error", t.Error).Int("events", len(due)).Msg("alert")
		told = append(told, t)
	}
	return told
}

func (a *alarm) record(ctx context.Context, due []news, told []evidence.Told, now time.Time) error {
	acq := evidence.NewAcq(now)
	b := evidence.Batch{}
	for i, n := range due {
		b.Drafts = append(b.Drafts, evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Vault(), Subject: evidence.Vault(),
			Body: &evidence.Alert{
				Event: n.Event, Key: n.Key, What: n.What, Do: n.Do, Since: evidence.At(n.Since), Count: n.Count, Wide: n.Wide, Told: told,
			},
		})
	}
	if _, err := a.rooms.Vault.Put(context.WithoutCancel(ctx), b); err != nil {
		return fmt.Errorf("record an alert: %w", err)
	}
	return nil
}

// testAlerts tells everybody, those who are told later too, that this is a test.
func (r *Rooms) testAlerts(ctx context.Context, _ *call, _ none) (any, error) {
	if r.Config.Alerts == nil {
		return nil, usagef("the configuration has no alerts section: nobody is told anything")
	}
	m := message{Schema: 1, Vault: r.Vault.ID(), At: r.Now().UTC(), Events: []news{}, Test: true}
	m.Host, _ = os.Hostname()
	var told []evidence.Told
	for _, w := range alertWays(r.Config) {
		told = append(told, w.tell(ctx, m))
	}
	return told, nil
}
