package daemon

import (
	"context"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/config"
)

// heldTooLong is how long the platform may hold an account up before its targets move to another.
const heldTooLong = 30 * time.Minute

// polledAtOnce is the platform's advice: https://core.telegram.org/api/updates, "Subscribing to updates of channels/supergroups".
const polledAtOnce = 10

// paced puts the configured budget into the options of an account.
func paced(o telegram.Options, c *config.Config, acc config.TelegramAccount) telegram.Options {
	b := acc.Budget
	o.Budget = telegram.Budget{
		ResolvesPerDay: b.ResolvesPerDay, HistoryPerMinute: b.HistoryPerMinute, DifferencesPerMinute: b.DifferencesPerMinute,
		MessagesPerMinute: b.MessagesPerMinute, ChannelsPerMinute: b.ChannelsPerMinute, FilePartsPerMinute: b.FilePartsPerMinute,
		JoinsPerDay: b.JoinsPerDay, Joined: b.Joined,
	}
	for _, a := range c.Telegram.Accounts {
		if a.Name != acc.Name {
			o.Siblings = append(o.Siblings, "telegram/"+a.Name)
		}
	}
	if c.Telegram.Network != nil {
		o.HistoryPace, o.Unpaced = -1, true // pauses are owed to the real platform
	}
	return o
}

// accounts returns the accounts as the spread sees them. usable says of a source whether it observes.
func accounts(c *config.Config, usable func(source string) bool) []collectors.Account {
	var out []collectors.Account
	for _, a := range c.Telegram.Accounts {
		source := "telegram/" + a.Name
		out = append(out, collectors.Account{
			Source: source, Usable: usable(source), Weight: a.Budget.HistoryPerMinute, Polled: polledAtOnce, Joined: a.Budget.Joined,
		})
	}
	return out
}

// remind reminds the spread of where the targets that it does not know were observed before.
func remind(ctx context.Context, sink collectors.Sink, s *collectors.Spread, as []collectors.Account, targets []collectors.Target) error {
	if len(as) < 2 {
		return nil
	}
	var sources []string
	for _, a := range as {
		sources = append(sources, a.Source)
	}
	for _, t := range targets {
		if s.Source(t.ID) != "" {
			continue
		}
		home, err := telegram.Home(ctx, sink, sources, t)
		if err != nil {
			return err
		}
		if home != "" {
			s.Hold(t.ID, home)
		}
	}
	return nil
}

// share hands each source its targets. The caller holds the mutex. An account that was lost, or is held up for long, gives its targets
// to the others; where there are none, everyone keeps what it had, so that the log says whose targets are not seen.
func (d *Daemon) share(ctx context.Context, targets []collectors.Target) error {
	held := map[string]bool{}
	for _, src := range d.sources {
		held[src.Name()] = src.HeldUntil().Sub(d.o.Now()) > heldTooLong
	}
	as := accounts(d.o.Config, func(source string) bool { return !d.lost[source] && !held[source] })
	if err := remind(ctx, d.rooms.Vault, d.spread, as, targets); err != nil {
		return err
	}
	given := d.spread.Assign(as, targets)
	for _, src := range d.sources {
		src.Watch(given[src.Name()])
	}
	return nil
}

// plans returns the plan of every account: of the running sources in a daemon, else computed from the log and the configuration.
func (d *Daemon) plans(ctx context.Context) ([]telegram.Plan, error) {
	d.mu.Lock()
	sources := slices.Clone(d.sources)
	d.mu.Unlock()
	return planAll(ctx, d.rooms.Vault, sources)
}

func planAll(ctx context.Context, sink collectors.Sink, sources []*telegram.Source) ([]telegram.Plan, error) {
	out := make([]telegram.Plan, 0, len(sources))
	for _, src := range sources {
		p, err := src.Plan(ctx, sink)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
