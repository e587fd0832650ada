package daemon

import (
	"context"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
)

// Planned is what the watch is planned to do.
type Planned struct {
	Running  bool              `json:"running"` // of the daemon's sources as they are; else computed from the log and the configuration
	Accounts []collectors.Plan `json:"accounts"`
	Without  []string          `json:"without_account,omitempty"` // targets that nobody observes, since there is no account
}

func (r *Rooms) plan(ctx context.Context, _ *call, _ none) (any, error) {
	targets, err := r.collectable(ctx)
	if err != nil {
		return nil, err
	}
	asked := map[string]string{}
	for _, t := range targets {
		asked[t.ID] = t.Mode
	}
	p := Planned{Running: r.plans != nil}
	if p.Running {
		p.Accounts, err = r.plans(ctx)
	} else {
		p.Accounts, err = r.planned(ctx, targets)
	}
	if err != nil {
		return nil, err
	}
	for i := range p.Accounts {
		for j := range p.Accounts[i].Targets {
			t := &p.Accounts[i].Targets[j]
			if mode := asked[t.Target]; mode != "" {
				t.Asked = mode
			}
		}
	}
	served := map[string]bool{}
	for _, a := range ownAccounts(r.Config) {
		served[a.platform] = true
	}
	for _, t := range targets {
		if !served[t.Platform] {
			p.Without = append(p.Without, t.ID)
		}
	}
	return p, nil
}

// planned computes what a daemon would do if it were started now.
func (r *Rooms) planned(ctx context.Context, targets []collectors.Target) ([]collectors.Plan, error) {
	given, err := newSpreads().assign(ctx, r.Vault, r.Config, func(string) bool { return true }, targets)
	if err != nil {
		return nil, err
	}
	var sources []source
	for _, a := range r.Config.Telegram.Accounts {
		sources = append(sources, telegram.New(paced(telegram.Options{Alias: a.Name, Now: r.Now, PollEvery: time.Duration(r.Config.Telegram.PollEvery)}, r.Config, a)))
	}
	for _, a := range r.Config.WhatsApp.Accounts {
		sources = append(sources, whatsapp.New(whatsappOptions(r.Config, a, r.Now)))
	}
	for _, src := range sources {
		src.Watch(given[src.Name()])
	}
	return planAll(ctx, r.Vault, sources)
}
