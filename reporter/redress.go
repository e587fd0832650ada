package reporter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// Correct tells everyone who got a notice that it was wrong, for one of its accounts or, where account is empty, as a whole. One
// person is enough: a mistake must be put right fast. What was drafted for it before is used where it says the same. It returns
// the correction, which was tried at once and is tried again by the schedule where that failed.
func (r *Reporter) Correct(ctx context.Context, person string, o, account evidence.Ordinal, reason string) (notice.State, error) {
	return r.putRight(ctx, person, o, account, notice.KindCorrection, reason)
}

// Withdraw takes a notice back. One that has not left never will, and its cases wait for a second person again; for one that has
// left, a withdrawal goes to everyone who got it, as a correction does, and is what is returned.
func (r *Reporter) Withdraw(ctx context.Context, person string, o evidence.Ordinal, reason string) (notice.State, error) {
	n, err := r.Notice(ctx, o)
	if err != nil {
		return n, err
	}
	if n.Left() {
		return r.putRight(ctx, person, o, "", notice.KindWithdrawal, reason)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p, n, err := r.handle(ctx, person, o, reason)
	switch {
	case err != nil:
		return n, err
	case n.Status == notice.Withdrawn:
		return n, refuse(review.WrongNotice, "notice %s was withdrawn already (%s)", o, n.Reason)
	case n.Left():
		return n, refuse(review.Conflict, "notice %s left at the same moment; withdraw it again, and everyone who got it is told", o)
	}
	return r.record(ctx, p, n, &evidence.NoticeWithdrawn{Reason: reason})
}

func (r *Reporter) handle(ctx context.Context, person string, o evidence.Ordinal, reason string) (review.Person, notice.State, error) {
	p, err := r.desk.Person(ctx, person, handlers...)
	if err != nil {
		return p, notice.State{}, err
	}
	n, err := r.Notice(ctx, o)
	if err == nil && strings.TrimSpace(reason) == "" {
		err = refuse(review.Incomplete, "say what is wrong with notice %s; whoever got it reads the reason", o)
	}
	return p, n, err
}

func (r *Reporter) putRight(ctx context.Context, person string, o, account evidence.Ordinal, kind, reason string) (notice.State, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, n, err := r.handle(ctx, person, o, reason)
	if err != nil {
		return n, err
	}
	if err := canPutRight(n, account); err != nil {
		return n, err
	}
	c, err := r.redressDraft(ctx, evidence.Person(p.ID), n, account, kind, reason)
	if err != nil {
		return c, err
	}
	b := &evidence.NoticeCorrected{Correction: c.Ordinal, Account: account, Withdrawal: kind == notice.KindWithdrawal, Reason: reason}
	if _, err := r.record(ctx, p, n, b); err != nil {
		return c, err
	}
	if c, err = r.Notice(ctx, c.Ordinal); err != nil {
		return c, err
	}
	if err := r.deliverOne(ctx, c, &Report{}); err != nil {
		return c, err
	}
	return r.Notice(ctx, c.Ordinal)
}

// canPutRight refuses what needs no correction.
func canPutRight(n notice.State, account evidence.Ordinal) error {
	switch {
	case n.Redresses():
		return refuse(review.WrongNotice, "notice %s is itself a %s of notice %s; write to %s yourself", n.Ordinal, n.NoticeKind, n.Corrects.Notice, strings.Join(n.To, ", "))
	case !n.Left():
		return refuse(review.WrongNotice, "notice %s is %s and nobody got it; withdraw it instead", n.Ordinal, n.Status)
	case account != "" && !slices.ContainsFunc(n.Cases, func(c evidence.NoticeCase) bool { return c.Account == account }):
		return refuse(review.WrongNotice, "notice %s is not about account %s", n.Ordinal, account)
	}
	for _, c := range n.Corrections {
		if c.Account == "" || c.Account == account {
			return refuse(review.WrongNotice, "notice %s was put right by notice %s already", n.Ordinal, c.Correction)
		}
	}
	return nil
}

// DraftCorrections drafts a correction of every notice that left about an account and was not put right, and returns the drafts.
// None leaves before a person has sent it with Correct, so that a suspension in doubt says nothing yet to anybody.
func (r *Reporter) DraftCorrections(ctx context.Context, account evidence.Ordinal, reason string) ([]evidence.Ordinal, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all, err := r.Notices(ctx)
	if err != nil {
		return nil, err
	}
	out := []evidence.Ordinal{}
	for _, n := range all {
		about := slices.ContainsFunc(n.Cases, func(c evidence.NoticeCase) bool { return c.Account == account })
		if !about || !n.Left() || canPutRight(n, account) != nil {
			continue
		}
		c, err := r.redressDraft(ctx, evidence.Vault(), n, account, notice.KindCorrection, reason)
		if err != nil {
			return out, err
		}
		out = append(out, c.Ordinal)
	}
	return out, nil
}

// redressDraft returns a draft that puts n right and says the reason; an unsent one that says another is withdrawn.
func (r *Reporter) redressDraft(ctx context.Context, actor evidence.Name, n notice.State, account evidence.Ordinal, kind, reason string) (notice.State, error) {
	want := evidence.NoticeWrong{Notice: n.Ordinal, Account: account, Reason: reason}
	drafts, err := r.Notices(ctx, notice.Drafted)
	if err != nil {
		return notice.State{}, err
	}
	for _, d := range drafts {
		if d.Corrects == nil || d.Corrects.Notice != n.Ordinal || d.Corrects.Account != account || d.Released {
			continue
		}
		if *d.Corrects == want && d.NoticeKind == kind {
			return d, nil
		}
		if _, err := r.put(ctx, evidence.Notice(d.Key), &evidence.NoticeWithdrawn{Reason: "another draft takes its place"}); err != nil {
			return d, err
		}
	}
	rec, err := r.writeRedress(ctx, actor, n, want, kind)
	if err != nil {
		return notice.State{}, err
	}
	return r.Notice(ctx, rec.Subject)
}

func (r *Reporter) writeRedress(ctx context.Context, actor evidence.Name, n notice.State, wrong evidence.NoticeWrong, kind string) (evidence.Record, error) {
	route, ok := r.o.Routes[n.Platform]
	if !ok {
		return evidence.Record{}, refuse(review.WrongNotice, "no route leads to %s any more, so nobody there can be told; add one to the configuration", n.Platform)
	}
	about, err := r.wrong(ctx, n, wrong.Account)
	if err != nil {
		return evidence.Record{}, err
	}
	now := r.o.Now()
	b := &evidence.NoticeDrafted{Key: evidence.NewAcq(now), Platform: n.Platform, Route: route.Courier.Route(), To: n.To}
	b.Cases, b.NoticeKind, b.Corrects = []evidence.NoticeCase{}, kind, &wrong
	red := notice.NewRedress(r.o.Log.ID(), b.Key, n.Platform, kind, now, route.Head, about, wrong.Reason)
	machine, err := red.Machine()
	if err != nil {
		return evidence.Record{}, fmt.Errorf("draft %s: %w", kind, err)
	}
	return r.write(ctx, actor, b, words{red.Title(), red.Text(), machine}, now)
}

// wrong reads what the notice said of the accounts that it is put right for.
func (r *Reporter) wrong(ctx context.Context, n notice.State, account evidence.Ordinal) (notice.Wrong, error) {
	w := notice.Wrong{Reference: n.Key, MessageID: n.MessageID, Title: n.Title, Sent: n.SentAt, Cases: []evidence.Ordinal{}, Accounts: []notice.Account{}}
	for _, a := range n.Answers {
		if a.Ticket != "" && !slices.Contains(w.Tickets, a.Ticket) {
			w.Tickets = append(w.Tickets, a.Ticket)
		}
	}
	for _, c := range n.Cases {
		if account == "" || c.Account == account {
			w.Cases = append(w.Cases, c.Case)
		}
	}
	b, err := r.blob(ctx, n.Machine)
	if errors.Is(err, evidence.ErrNotFound) {
		return w, nil // erased: the reference and the cases still say which notice it was
	}
	if err != nil {
		return w, err
	}
	said, err := notice.ReadMachine(b)
	if err != nil {
		return w, err
	}
	for _, it := range said.Items {
		if slices.Contains(w.Cases, it.Case) {
			w.Accounts = append(w.Accounts, it.Account)
		}
	}
	return w, nil
}
