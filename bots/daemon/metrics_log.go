package daemon

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// accountStates are the states that muhafiz_account_state has a line for.
var accountStates = []string{
	"starting", "healthy", "reconnecting", "flood-waiting", "locked-out", "failed", "stopped", "logged-out", "needs-password", "frozen", "banned",
	"unpaired", "replaced", "client-outdated", "no-room",
}

// logMetrics reads the log for the metrics when they are asked for.
type logMetrics struct {
	watchman
	errors                                                            func(error)
	records, state, blind, age, wait, deleted, targets, pending, open *prometheus.Desc
	oldest, used, planned, granted, delay                             *prometheus.Desc
}

func newLogMetrics(w watchman, failed func(error)) *logMetrics {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("muhafiz_"+name, help, labels, nil)
	}
	return &logMetrics{
		watchman: w, errors: failed,
		records: d("records_total", "Records in the log, by kind.", "kind"),
		state:   d("account_state", "1 for the state that our account is in.", "account", "state"),
		blind:   d("account_blind_seconds", "For how long our account has not seen, 0 while it sees.", "account"),
		age:     d("account_last_observation_age_seconds", "Time since our account last looked at any target with success.", "account"),
		wait:    d("account_flood_wait_seconds", "For how long the platform still wants our account to wait for some method.", "account"),
		deleted: d("account_deletion_timestamp_seconds", "When the platform deletes a frozen account of ours.", "account"),
		targets: d("targets", "Targets that may be collected: observed lately, blind, stopped for a person to look at, or down.", "state"),
		oldest:  d("target_oldest_observation_age_seconds", "Time since the target that was not observed for longest was observed, those that are down left out."),
		pending: d("media_pending", "Files that are wanted and neither kept nor missed.", "account"),
		used:    d("budget_used_share", "Share of the budget for a method that was used lately; a burst makes it more than 1.", "account", "method"),
		planned: d("budget_planned_share", "Share of the budget for a method that the plan for the targets uses.", "account", "method"),
		granted: d("budget_granted", "Requests of a method that were granted within the last hour, or day for budgets by the day.", "account", "method"),
		delay:   d("plan_worst_delay_seconds", "The longest that the plan expects between a post and its being on disk.", "account"),
		open:    d("alerts_open", "Troubles of which people were told and that are not over."),
	}
}

// Describe implements prometheus.Collector.
func (l *logMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{l.records, l.state, l.blind, l.age, l.wait, l.deleted, l.targets, l.oldest, l.pending, l.open, l.used, l.planned, l.granted, l.delay} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. What cannot be read is missing, which Prometheus can be asked for as well.
func (l *logMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	now := l.rooms.Now()
	for _, read := range []func(context.Context, time.Time, chan<- prometheus.Metric) error{l.tally, l.accounts, l.sight, l.budgets, l.alertsOpen} {
		if err := read(ctx, now, ch); err != nil {
			l.errors(err)
		}
	}
}

func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (l *logMetrics) tally(ctx context.Context, _ time.Time, ch chan<- prometheus.Metric) error {
	return l.rooms.Vault.Each(ctx, viewTally, "", func(key string, value []byte, _ int64) error {
		if o, k := splitTally(key); o == "" {
			ch <- prometheus.MustNewConstMetric(l.records, prometheus.CounterValue, float64(number(value)), string(k))
		}
		return nil
	})
}

func (l *logMetrics) accounts(ctx context.Context, now time.Time, ch chan<- prometheus.Metric) error {
	states, err := l.rooms.sourceStates(ctx)
	if err != nil {
		return err
	}
	for _, name := range l.sources {
		st, known := states[name]
		if !known {
			continue
		}
		for _, s := range accountStates {
			is := 0.0
			if s == st.State {
				is = 1
			}
			gauge(ch, l.state, is, name, s)
		}
		gauge(ch, l.blind, secondsSince(st.Blind.Time, now), name)
		wait := 0.0
		if st.State == "flood-waiting" || st.State == "locked-out" {
			wait = max(0, st.Until.Sub(now).Seconds())
		}
		gauge(ch, l.wait, wait, name)
		if !st.FrozenUntil.IsZero() {
			gauge(ch, l.deleted, float64(st.FrozenUntil.Unix()), name)
		}
	}
	return nil
}

func secondsSince(t, now time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return max(0, now.Sub(t).Seconds())
}

func (l *logMetrics) sight(ctx context.Context, now time.Time, ch chan<- prometheus.Metric) error {
	list, err := l.seen(ctx, now)
	if err != nil {
		return err
	}
	_, limit := l.limits()
	count := map[string]int{"observed": 0, "blind": 0, "stopped": 0, "down": 0}
	newest, oldest, pending := map[string]time.Time{}, now, map[string]int{}
	for _, s := range list {
		switch {
		case s.Down:
			count["down"]++
		case s.Stopped != "":
			count["stopped"]++
		case s.blind(now, limit):
			count["blind"]++
		default:
			count["observed"]++
		}
		if !s.Down && s.At.Before(oldest) {
			oldest = s.At
		}
		if s.By != "" {
			newest[s.By] = later(newest[s.By], s.At)
		}
		for account, n := range s.Pending {
			pending[account] += n
		}
	}
	for state, n := range count {
		gauge(ch, l.targets, float64(n), state)
	}
	gauge(ch, l.oldest, secondsSince(oldest, now))
	for _, account := range l.sources {
		if at := newest[account]; !at.IsZero() {
			gauge(ch, l.age, secondsSince(at, now), account)
		}
		gauge(ch, l.pending, float64(pending[account]), account)
	}
	return nil
}

func (l *logMetrics) alertsOpen(ctx context.Context, _ time.Time, ch chan<- prometheus.Metric) error {
	open, err := l.rooms.openAlerts(ctx)
	if err == nil {
		gauge(ch, l.open, float64(len(open)))
	}
	return err
}

func (l *logMetrics) budgets(ctx context.Context, _ time.Time, ch chan<- prometheus.Metric) error {
	if l.plans == nil {
		return nil
	}
	plans, err := l.plans(ctx)
	if err != nil {
		return err
	}
	for _, p := range plans {
		worst := 0.0
		for _, t := range p.Targets {
			worst = max(worst, t.Worst)
		}
		gauge(ch, l.delay, worst, p.Source)
		for _, b := range p.Budgets {
			gauge(ch, l.used, b.Used, p.Source, b.Method)
			gauge(ch, l.planned, b.Share, p.Source, b.Method)
			gauge(ch, l.granted, float64(b.Granted), p.Source, b.Method)
		}
	}
	return nil
}
