package daemon

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/audit"
	"github.com/muhafiz/muhafiz/reporter/diary"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// maxEntries is the most that one answer of the log holds.
const maxEntries = 10_000

// since reads a moment that a request names; the zero time where it names none.
func (r *Rooms) since(c *call, field string) (time.Time, error) {
	s := c.FormValue(field)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := diary.ParseSince(s, r.Now())
	if err != nil {
		return t, usagef("%s: %v", field, err)
	}
	return t, nil
}

// looked records a look at the log as a whole, before anything is shown.
func (r *Rooms) looked(ctx context.Context, c *call, person, what, note string) error {
	if _, err := r.person(ctx, person); err != nil {
		return err
	}
	return r.write(ctx, evidence.Person(person), evidence.Vault(), &evidence.Access{What: what, Via: c.peer.Via, Note: note})
}

// subject reads an ordinal, or the id of a target or a person.
func (r *Rooms) subject(ctx context.Context, s string) (evidence.Ordinal, error) {
	if o, err := evidence.ParseOrdinal(s); err == nil {
		return o, nil
	}
	for _, n := range []evidence.Name{evidence.Target(s), evidence.Person(s)} {
		o, err := r.Vault.Ordinal(ctx, n)
		if err == nil || !errors.Is(err, evidence.ErrUnbound) {
			return o, err
		}
	}
	return "", usagef("%s is no subject: give a target's or a person's id, or an ordinal such as t7, a12, a12/456, c9, n3, u2 or v0", diary.Visible(s))
}

func (r *Rooms) readLog(ctx context.Context, c *call, _ none) (any, error) {
	q := diary.Query{Person: c.FormValue("of"), Kind: evidence.Kind(c.FormValue("kind")), Size: r.Vault.Size()}
	var err error
	if q.Limit, err = strconv.Atoi(c.FormValue("limit")); err != nil || q.Limit < 1 || q.Limit > maxEntries {
		return nil, usagef("limit is 1 to %d; read further back with --until", maxEntries)
	}
	if s := c.FormValue("subject"); s != "" {
		if q.Subject, err = r.subject(ctx, s); err != nil {
			return nil, err
		}
	}
	if q.Since, err = r.since(c, "since"); err != nil {
		return nil, err
	}
	if q.Until, err = r.since(c, "until"); err != nil {
		return nil, err
	}
	if q.Person != "" {
		if _, err := r.Vault.Ordinal(ctx, evidence.Person(q.Person)); errors.Is(err, evidence.ErrUnbound) {
			return nil, usagef("nobody called %s was ever on the roster", diary.Visible(q.Person))
		}
	}
	note := ""
	for _, field := range []string{"subject", "of", "kind", "since", "until", "limit"} {
		if v := c.FormValue(field); v != "" {
			note += field + " " + v + "; "
		}
	}
	if err := r.looked(ctx, c, c.FormValue("person"), "log", note[:max(0, len(note)-2)]); err != nil {
		return nil, err
	}
	es, err := diary.Read(ctx, r.Vault, q)
	if err != nil {
		return nil, err
	}
	return r.inSight(ctx, c, es)
}

// inSight leaves out of entries what the reader of the log is not to know before they have answered: what was decided on a case, and by
// whom. Where only one person's acts are told, the entry goes: it would name them by being there.
func (r *Rooms) inSight(ctx context.Context, c *call, es []diary.Entry) ([]diary.Entry, error) {
	desk, person := r.desk(c), c.FormValue("person")
	waiting, err := desk.Cases(ctx, review.CaseDecided)
	concealed := map[evidence.Ordinal]bool{}
	for _, k := range waiting {
		concealed[k.Ordinal] = desk.Conceals(person, k)
	}
	out := es[:0]
	for _, e := range es {
		if hides := e.Kind == evidence.KindDecision || e.Kind == evidence.KindCaseOpened; hides && concealed[e.Subject] {
			if c.FormValue("of") != "" {
				continue
			}
			e.Who, e.Actor = "a person", ""
			e.Sentence = fmt.Sprintf("decided case %s (blind review: the details are told once the second person has answered)", e.Subject)
			if e.Kind == evidence.KindCaseOpened {
				e.Sentence = fmt.Sprintf("opened case %s (blind review: by whom is told once the second person has answered)", e.Subject)
			}
		}
		out = append(out, e)
	}
	return out, err
}

func (r *Rooms) today(ctx context.Context, c *call, _ none) (any, error) {
	since, err := r.since(c, "since")
	if err != nil {
		return nil, err
	}
	if since.IsZero() {
		since, _ = diary.ParseSince("yesterday", r.Now())
	}
	if err := r.looked(ctx, c, c.FormValue("person"), "today", "since "+since.Format(time.RFC3339)); err != nil {
		return nil, err
	}
	in := diary.Inputs{Now: r.Now(), Since: since}
	cases := func(ctx context.Context, in *diary.Inputs) error { return r.todayCases(ctx, c, in) }
	for _, fill := range []func(context.Context, *diary.Inputs) error{r.todayTargets, cases, r.todayNotices, r.todaySources, r.todayRetention} {
		if err := fill(ctx, &in); err != nil {
			return nil, err
		}
	}
	return diary.Morning(ctx, r.Vault, in)
}

func (r *Rooms) todayTargets(ctx context.Context, in *diary.Inputs) error {
	all, err := r.Desk.Targets(ctx)
	for _, t := range all {
		d := diary.Target{
			Ordinal: t.Ordinal, ID: t.ID, Platform: t.Platform, State: t.State, Account: t.Account,
			Until: t.Until.Time, Emergency: t.Emergency, ListedBy: t.ListedBy, Reason: t.Reason,
		}
		if t.Stop != nil && t.Stopped() {
			d.Stopped = t.Stop.At.Time
		}
		in.Targets = append(in.Targets, d)
	}
	return err
}

func (r *Rooms) todayCases(ctx context.Context, c *call, in *diary.Inputs) error {
	waits := map[string]string{review.CaseOpen: "a decision", review.CaseRejected: "another decision, or a third person", review.CaseDecided: "a second person"}
	all, err := r.desk(c).CasesInSight(ctx, review.CaseOpen, review.CaseRejected, review.CaseDecided)
	for _, k := range all {
		d := diary.Case{Ordinal: k.Ordinal, Account: k.Account, Target: k.Target, Waits: waits[k.Status], Since: k.OpenedAt.Time}
		if k.Decision != nil {
			d.Severity, d.Exhibits, d.Since = k.Decision.Severity, len(k.Decision.Exhibits), k.Decision.At.Time
		}
		if k.Status == review.CaseRejected && k.Approval != nil {
			d.Since = k.Approval.At.Time
		}
		in.Cases = append(in.Cases, d)
	}
	return err
}

func (r *Rooms) todayNotices(ctx context.Context, in *diary.Inputs) error {
	if r.Reporter == nil {
		return nil
	}
	all, err := r.Reporter.Notices(ctx)
	for _, n := range all {
		d := diary.Notice{
			Ordinal: n.Ordinal, Platform: n.Platform, State: n.Status, Reason: n.Reason, Since: n.ChangedAt.Time,
			Left: n.Left() && !n.Redresses(),
		}
		corrected := map[evidence.Ordinal]bool{}
		for _, x := range n.Corrections {
			corrected[x.Account] = true
		}
		d.Settled = corrected[""]
		for _, k := range n.Cases {
			if !corrected[k.Account] {
				d.Accounts = append(d.Accounts, k.Account)
			}
		}
		in.Notices = append(in.Notices, d)
	}
	return err
}

func (r *Rooms) todaySources(ctx context.Context, in *diary.Inputs) error {
	var s Status
	err := r.statusRuns(ctx, &s)
	for _, src := range s.Sources {
		in.Sources = append(in.Sources, diary.Source{Name: src.Name, State: src.State, Detail: src.Detail, Since: src.Since.Time})
	}
	return err
}

// AuditRequest asks for an export of acts.
type AuditRequest struct {
	Person        string `json:"person"`
	Out           string `json:"out"` // absolute, as the daemon's user sees it
	Since         string `json:"since,omitempty"`
	Until         string `json:"until,omitempty"`
	WithDecisions bool   `json:"with_decisions,omitempty"`
	Complete      bool   `json:"complete,omitempty"`
}

func (r *Rooms) exportAudit(ctx context.Context, c *call, in AuditRequest) (any, error) {
	if err := r.mayAudit(ctx, in); err != nil {
		return nil, err
	}
	o := audit.Options{
		Log: r.Vault, Out: in.Out, WithDecisions: in.WithDecisions, Complete: in.Complete, By: in.Person, Build: r.Build, Now: r.Now,
		Progress: func(n, total int64) { c.progress("audit", n, total) },
	}
	for text, t := range map[string]*time.Time{in.Since: &o.Since, in.Until: &o.Until} {
		if text == "" {
			continue
		}
		var err error
		if *t, err = diary.ParseSince(text, r.Now()); err != nil {
			return nil, usagef("%v", err)
		}
	}
	teller := diary.NewTeller(r.Vault)
	o.Tell = func(ctx context.Context, rec evidence.Record) (string, error) {
		e, err := teller.Tell(ctx, rec)
		return e.String(), err
	}
	note := fmt.Sprintf("with decisions %t, complete %t, since %q, until %q, into %s", in.WithDecisions, in.Complete, in.Since, in.Until, in.Out)
	if err := r.looked(ctx, c, in.Person, "audit", note); err != nil {
		return nil, err
	}
	res, err := audit.Export(ctx, o)
	if errors.Is(err, audit.ErrOptions) {
		err = usagef("%v", err)
	}
	return res, err
}

// mayAudit asks who may take every act out: an auditor, and one of the legal team where quotes of posts go with them.
func (r *Rooms) mayAudit(ctx context.Context, in AuditRequest) error {
	p, err := r.person(ctx, in.Person)
	if err != nil {
		return err
	}
	if !p.Has(config.RoleAuditor) {
		return &review.Refusal{Code: review.Role, Sentence: p.ID + " may not export every act: that takes the role auditor"}
	}
	if in.WithDecisions && !p.Has(config.RoleLegal) {
		return &review.Refusal{Code: review.Role, Sentence: p.ID + " may not export decisions, which quote posts: that takes the role legal beside auditor; leave out --with-decisions"}
	}
	return r.mayNotLearn(ctx, p)
}

// mayNotLearn keeps acts from an auditor who may yet answer for a case that was decided blind: an export says who did what.
func (r *Rooms) mayNotLearn(ctx context.Context, p review.Person) error {
	if !p.Has(config.RoleReviewer, config.RoleSenior) {
		return nil
	}
	desk := *r.Desk
	desk.Blind = r.Config.Review.Blind
	waiting, err := desk.Cases(ctx, review.CaseDecided)
	for _, k := range waiting {
		if desk.Conceals(p.ID, k) {
			return &review.Refusal{Code: review.Role, Sentence: fmt.Sprintf("case %s waits for its second person, who may be %s, and review is blind: export when it is answered, or let an auditor do it who reviews nothing", k.Ordinal, p.ID)}
		}
	}
	return err
}
