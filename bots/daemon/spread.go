package daemon

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
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
		o.HistoryPace, o.Unpaced, o.RoomPause = -1, true, testPause // pauses are owed to the real platform
	}
	return o
}

// costOfPoll is how many queries an hour of a WhatsApp account's budget a polled target takes, rechecks included, and somewhat more.
const costOfPoll = 75

// accounts returns the accounts of a platform as the spread sees them. usable says of a source whether it observes.
func accounts(c *config.Config, platform string, usable func(source string) bool) []collectors.Account {
	var out []collectors.Account
	if platform == config.PlatformWhatsApp {
		for _, a := range c.WhatsApp.Accounts {
			source := ownAccount{platform, a.Name}.source()
			polled := max(1, a.Budget.QueriesPerHour/costOfPoll)
			out = append(out, collectors.Account{Source: source, Usable: usable(source), Weight: a.Budget.QueriesPerHour, Polled: polled, Joined: a.Budget.Followed})
		}
		return out
	}
	for _, a := range c.Telegram.Accounts {
		source := ownAccount{platform, a.Name}.source()
		out = append(out, collectors.Account{
			Source: source, Usable: usable(source), Weight: a.Budget.HistoryPerMinute, Polled: polledAtOnce, Joined: a.Budget.Joined,
		})
	}
	return out
}

// home is how each platform's collector tells which of several sources observed a target last.
func home(platform string) func(context.Context, collectors.Sink, []string, collectors.Target) (string, error) {
	if platform == config.PlatformWhatsApp {
		return whatsapp.Home
	}
	return telegram.Home
}

// spreads remembers for each platform where its targets are.
type spreads map[string]*collectors.Spread

// collected are the platforms that have a collector.
func collected() []string {
	return slices.DeleteFunc(config.Platforms(), func(p string) bool { return !config.Collectable(p) })
}

func newSpreads() spreads {
	out := spreads{}
	for _, p := range collected() {
		out[p] = collectors.NewSpread()
	}
	return out
}

// assign spreads the targets of each platform over its accounts, and returns them by source.
func (s spreads) assign(ctx context.Context, sink collectors.Sink, c *config.Config, usable func(source string) bool, targets []collectors.Target) (map[string][]collectors.Target, error) {
	out := map[string][]collectors.Target{}
	for platform, spread := range s {
		as := accounts(c, platform, usable)
		own := slices.DeleteFunc(slices.Clone(targets), func(t collectors.Target) bool { return t.Platform != platform })
		if err := remind(ctx, sink, spread, as, own); err != nil {
			return nil, err
		}
		maps.Copy(out, spread.Assign(as, own))
	}
	return out, nil
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
		home, err := home(t.Platform)(ctx, sink, sources, t)
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
// to the others of its platform; where there are none, everyone keeps what it had, so that the log says whose targets are not seen.
func (d *Daemon) share(ctx context.Context, targets []collectors.Target) error {
	held := map[string]bool{}
	for _, src := range d.sources {
		held[src.Name()] = src.HeldUntil().Sub(d.o.Now()) > heldTooLong
	}
	given, err := d.spread.assign(ctx, d.rooms.Vault, d.o.Config, func(source string) bool { return !d.lost[source] && !held[source] }, targets)
	if err != nil {
		return err
	}
	for _, src := range d.sources {
		src.Watch(given[src.Name()])
	}
	return nil
}

// plans returns the plan of every account: of the running sources in a daemon, else computed from the log and the configuration.
func (d *Daemon) plans(ctx context.Context) ([]collectors.Plan, error) {
	d.mu.Lock()
	sources := slices.Clone(d.sources)
	d.mu.Unlock()
	return planAll(ctx, d.rooms.Vault, sources)
}

func planAll(ctx context.Context, sink collectors.Sink, sources []source) ([]collectors.Plan, error) {
	out := make([]collectors.Plan, 0, len(sources))
	for _, src := range sources {
		p, err := src.Plan(ctx, sink)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
