package telegram

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The states of our own account in which nothing is seen until a person acts; evidence.Collector names them all.
const (
	stateLoggedOut     = "logged-out"
	stateNeedsPassword = "needs-password"
	stateBanned        = "banned"
	stateFrozen        = "frozen"
)

// lossOf is what an RPC error says of our own account; ok is false for all others. https://core.telegram.org/api/errors and
// https://core.telegram.org/api/auth#frozen-accounts
func lossOf(alias, typ string) (a accountLost, ok bool) {
	again := "run muhafiz login telegram " + alias
	other := "log another account in, and add it under telegram.accounts"
	a = accountLost{state: stateLoggedOut, cause: "account-lost"}
	switch typ {
	case "AUTH_KEY_UNREGISTERED", "AUTH_KEY_INVALID", "AUTH_KEY_PERM_EMPTY", "SESSION_EXPIRED", "SESSION_REVOKED":
		a.text, a.advice = "Telegram no longer knows the session of account "+alias, again
	case "AUTH_KEY_DUPLICATED":
		a.text = "the session of account " + alias + " was used from two places at once, and Telegram revoked it"
		a.advice = "stop the other one, then " + again
	case "SESSION_PASSWORD_NEEDED":
		a.state, a.text = stateNeedsPassword, "Telegram wants the two-step password of account "+alias
		a.advice = again + " and give the password"
	case "USER_DEACTIVATED":
		a.state, a.text, a.advice = stateBanned, "our account "+alias+" was deleted", other
	case "USER_DEACTIVATED_BAN", "PHONE_NUMBER_BANNED":
		a.state, a.text = stateBanned, "Telegram closed our account "+alias
		a.advice = other + ", or write to recover@telegram.org from the account's number"
	case "FROZEN_METHOD_INVALID", "FROZEN_PARTICIPANT_MISSING":
		a.state, a.text = stateFrozen, "Telegram froze our account "+alias
		a.advice = "log in with an official app to see the reason and appeal before it is deleted"
	default:
		return accountLost{}, false
	}
	return a, true
}

// freeze is what the platform says of a frozen account in help.getAppConfig.
type freeze struct {
	since, until time.Time // until: when it is deleted
	appeal       string
}

func (f *freeze) describe(c *evidence.Collector) {
	if f == nil {
		return
	}
	c.FrozenSince, c.FrozenUntil, c.Appeal = evidence.At(f.since), evidence.At(f.until), f.appeal
	c.Advice = "appeal with an official app"
	if f.appeal != "" {
		c.Advice += " at " + f.appeal
	}
	if !f.until.IsZero() {
		c.Advice += ", before the account is deleted on " + f.until.UTC().Format("2006-01-02")
	}
}

// maxAppeal bounds the link that the platform gives.
const maxAppeal = 512

// freezeOf reads the freeze_* keys, whose absence means that the account is not frozen.
func freezeOf(v tg.JSONValueClass) *freeze {
	o, ok := v.(*tg.JSONObject)
	if !ok {
		return nil
	}
	var f freeze
	for _, kv := range o.Value {
		switch x := kv.Value.(type) {
		case *tg.JSONNumber:
			switch kv.Key {
			case "freeze_since_date":
				f.since = unixTime(x.Value)
			case "freeze_until_date":
				f.until = unixTime(x.Value)
			}
		case *tg.JSONString:
			if kv.Key == "freeze_appeal_url" && len(x.Value) <= maxAppeal {
				f.appeal = x.Value
			}
		}
	}
	if f.since.IsZero() {
		return nil
	}
	return &f
}

func unixTime(s float64) time.Time {
	if math.IsNaN(s) || s < 1 || s > 1<<34 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0)
}

// readFreeze asks whether our account is frozen. A frozen account may go on reading what the platform lets it read, so the answer
// is a state and not yet a loss. Whatever goes wrong leaves what was known.
func (r *run) readFreeze(ctx context.Context) {
	rep, err := attempt(ctx, r, "help.getAppConfig", false, func(ctx context.Context) (tg.HelpAppConfigClass, error) {
		return r.api.HelpGetAppConfig(ctx, 0)
	})
	if err != nil {
		r.log.Debug().Err(err).Msg("help.getAppConfig is not answered")
		return
	}
	c, ok := rep.value.(*tg.HelpAppConfig)
	if !ok {
		return
	}
	f := freezeOf(c.Config)
	r.mu.Lock()
	r.frozen = f
	r.mu.Unlock()
}

func (r *run) freeze() *freeze {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.frozen
}

// freezeChanged records that our account was frozen, or is no longer.
func (r *run) freezeChanged(ctx context.Context) error {
	was := r.freeze()
	r.readFreeze(ctx)
	if now := r.freeze(); (now == nil) == (was == nil) {
		return nil
	}
	return r.state(ctx, &evidence.Collector{State: "healthy"}) // or frozen, which state knows
}

// learnFreeze asks for the dates of a freeze that ended the run, while there still is a connection.
func (r *run) learnFreeze(ctx context.Context, err error) error {
	if a := lost(r.o.Alias, err); a != nil && a.state == stateFrozen && r.freeze() == nil && ctx.Err() == nil {
		r.readFreeze(ctx)
	}
	return err
}

// lost recognises the errors that end an account's use.
func lost(alias string, err error) *accountLost {
	if a, ok := asLost(err); ok {
		return a
	}
	rpc, ok := tgerr.As(err)
	if !ok {
		return nil
	}
	a, ok := lossOf(alias, rpc.Type)
	if !ok {
		return nil
	}
	a.err = err
	return &a
}

func notAuthorised(alias string) *accountLost {
	return &accountLost{
		state: stateLoggedOut, cause: "not-authorised", text: fmt.Sprintf("account %s is not logged in to Telegram", alias),
		advice: "run muhafiz login telegram " + alias,
	}
}
