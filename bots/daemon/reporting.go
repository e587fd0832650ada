package daemon

import (
	"context"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter"
	"github.com/muhafiz/muhafiz/reporter/delivery"
	"github.com/muhafiz/muhafiz/reporter/notice"
)

// openReporter makes the reporter that the configuration describes, if it describes one.
func (r *Rooms) openReporter(context.Context) error {
	c := r.Config.Reporter
	if c == nil {
		return nil
	}
	schedule, err := reporter.ParseSchedule(c.Schedule)
	if err != nil {
		return config.Errors{r.Config.ErrorAt("reporter.schedule", err.Error())}
	}
	who := notice.Notifier{Status: c.Notifier.Status, Country: c.Notifier.Country}
	routes := map[string]reporter.Route{}
	for i, route := range c.Routes {
		if ok, sentence := notice.MaySend(route.Kind, who); !ok {
			return config.Errors{r.Config.ErrorAt(fmt.Sprintf("reporter.routes[%d].kind", i), sentence)}
		}
		routes[route.Platform] = newRoute(c, route)
	}
	r.Reporter, err = reporter.New(reporter.Options{
		Schedule: schedule, Log: r.Vault, Routes: routes, Notifier: who, Logger: r.Log, Now: r.Now, After: r.After,
	})
	return err
}

func newRoute(c *config.Reporter, in config.Route) reporter.Route {
	out := reporter.Route{
		From: c.CorrectionsContact, DailyCap: c.DailyCap, Kind: in.Kind,
		Head: notice.Letterhead{Organisation: c.OrganisationName, Contact: c.CorrectionsContact},
	}
	box := &delivery.Outbox{Dir: in.Outbox}
	if in.Mail == nil {
		out.Courier = box
		return out
	}
	out.From, out.To = in.Mail.From, in.Mail.To
	out.Courier = courier(c.SMTP)
	if in.Outbox != "" {
		out.Courier = &delivery.Carbon{Copy: box, Way: out.Courier}
	}
	return out
}

// courier is the mail server of the configuration.
func courier(s *config.SMTP) delivery.Courier {
	return &delivery.Mail{
		Addr: s.Address, Security: security(s.StartTLS),
		User: s.Username, Password: func() (string, error) { return s.Password.Reveal(), nil },
	}
}

func security(s string) delivery.Security {
	switch s {
	case config.StartTLSNever:
		return delivery.Plain
	case config.StartTLSOpportunistic:
		return delivery.Opportunistic
	}
	return delivery.StartTLS
}

// NoticeRequest asks for something about a notice.
type NoticeRequest struct {
	Person string           `json:"person"`
	Notice evidence.Ordinal `json:"notice,omitempty"`
	Sent   bool             `json:"sent,omitempty"`
	Reason string           `json:"reason,omitempty"`
}

func (r *Rooms) needReporter() error {
	if r.Reporter == nil {
		return usagef("the configuration has no reporter section: nothing can be sent")
	}
	return nil
}

func (r *Rooms) notices(ctx context.Context, _ *call, _ none) (any, error) {
	if err := r.needReporter(); err != nil {
		return nil, err
	}
	return r.Reporter.Notices(ctx)
}

// NoticeText is a notice with its words.
type NoticeText struct {
	notice.State
	Text string `json:"text"`
}

func (r *Rooms) showNotice(ctx context.Context, c *call, _ none) (any, error) {
	if err := r.needReporter(); err != nil {
		return nil, err
	}
	n, text, err := r.Reporter.Show(ctx, c.FormValue("person"), evidence.Ordinal(c.FormValue("notice")), c.peer.Via)
	return NoticeText{n, text}, err
}

func (r *Rooms) runReporter(ctx context.Context, _ *call, in NoticeRequest) (any, error) {
	if err := r.needReporter(); err != nil {
		return nil, err
	}
	if _, err := r.person(ctx, in.Person); err != nil {
		return nil, err
	}
	return r.Reporter.RunOnce(ctx)
}

func (r *Rooms) resolveNotice(ctx context.Context, _ *call, in NoticeRequest) (any, error) {
	if err := r.needReporter(); err != nil {
		return nil, err
	}
	if err := r.Reporter.Resolve(ctx, in.Person, in.Notice, in.Sent, in.Reason); err != nil {
		return nil, fmt.Errorf("resolve %s: %w", in.Notice, err)
	}
	return r.Reporter.Notice(ctx, in.Notice)
}
