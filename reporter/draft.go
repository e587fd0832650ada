package reporter

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/delivery"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// ready is an approved case that may go into a notice.
type ready struct {
	c    review.Case
	nc   evidence.NoticeCase
	item notice.Item
}

// draft puts approved cases that are in no notice into one notice a platform, the gravest first.
func (r *Reporter) draft(ctx context.Context, rep *Report) error {
	approved, err := r.desk.Cases(ctx, review.CaseApproved)
	if err != nil {
		return err
	}
	by := map[string][]ready{}
	for _, c := range approved {
		platform, one, err := r.ready(ctx, c)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			rep.Blocked = append(rep.Blocked, Blocked{c.Ordinal, err.Error()})
			continue
		}
		by[platform] = append(by[platform], one)
	}
	for _, platform := range slices.Sorted(maps.Keys(by)) {
		if err := r.draftPlatform(ctx, platform, by[platform], rep); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reporter) ready(ctx context.Context, c review.Case) (string, ready, error) {
	t, err := r.desk.MayReport(ctx, c)
	if err != nil {
		return "", ready{}, err
	}
	route, ok := r.o.Routes[t.Platform]
	if !ok {
		return "", ready{}, fmt.Errorf("no route leads to %s; add one to the configuration", t.Platform)
	}
	nc := evidence.NoticeCase{
		Case: c.Ordinal, Version: c.Version, Decision: c.Decision.RecordRef, Approval: c.Approval.RecordRef, Account: c.Account,
	}
	item, err := notice.Gather(ctx, r.o.Log, nc, route.Authorities)
	return t.Platform, ready{c, nc, item}, err
}

func (r *Reporter) draftPlatform(ctx context.Context, platform string, cases []ready, rep *Report) error {
	route := r.o.Routes[platform]
	free, err := r.free(ctx, platform, cmp.Or(route.DailyCap, 10))
	if err != nil {
		return err
	}
	severities := review.Severities()
	slices.SortStableFunc(cases, func(a, b ready) int {
		return slices.Index(severities, b.item.Severity) - slices.Index(severities, a.item.Severity)
	})
	if len(cases) > r.o.MaxCases {
		rep.block(cases[r.o.MaxCases:], "the next notice takes it")
		cases = cases[:r.o.MaxCases]
	}
	if free <= 0 {
		rep.block(cases, "the route's notices of the last 24 hours are used up")
		return nil
	}
	o, err := r.draftNotice(ctx, platform, route, cases)
	if errors.Is(err, evidence.ErrConflict) {
		rep.block(cases, "it changed while the notice was drafted; the next run looks again")
		return nil
	}
	if err != nil {
		return err
	}
	rep.Drafted++
	rep.touch(o)
	return nil
}

func (rep *Report) block(cases []ready, reason string) {
	for _, c := range cases {
		rep.Blocked = append(rep.Blocked, Blocked{c.c.Ordinal, reason})
	}
}

// free returns how many notices the platform may still get today.
func (r *Reporter) free(ctx context.Context, platform string, limit int) (int, error) {
	all, err := r.Notices(ctx)
	since := r.o.Now().Add(-24 * time.Hour)
	for _, n := range all {
		if n.Platform == platform && n.Status != notice.Withdrawn && n.DraftedAt.After(since) {
			limit--
		}
	}
	return limit, err
}

func (r *Reporter) draftNotice(ctx context.Context, platform string, route Route, cases []ready) (evidence.Ordinal, error) {
	now := r.o.Now()
	key := evidence.NewAcq(now)
	b := &evidence.NoticeDrafted{Key: key, Platform: platform, Route: route.Courier.Route(), To: route.To}
	var items []notice.Item
	var expect []evidence.Expect
	for _, c := range cases {
		items = append(items, c.item)
		b.Cases = append(b.Cases, c.nc)
		expect = append(expect, evidence.Expect{View: review.ViewCases, Key: string(c.c.Ordinal), Version: c.c.Version})
	}
	n := notice.New(r.o.Log.ID(), key, platform, now, route.Head, items)
	machine, err := n.Machine()
	if err != nil {
		return "", fmt.Errorf("draft notice: %w", err)
	}
	from, err := delivery.Address(route.From)
	if err != nil {
		return "", err
	}
	b.Title, b.MessageID = n.Title(), key+from[strings.LastIndexByte(from, '@'):]
	message, err := delivery.Build(delivery.Letter{
		From: route.From, To: route.recipients(), Subject: b.Title, MessageID: b.MessageID, Date: now, Text: n.Text(), Machine: machine,
	})
	if err != nil {
		return "", fmt.Errorf("draft notice: %w", err)
	}
	if b.Message, err = r.keep(ctx, message); err != nil {
		return "", err
	}
	if b.Machine, err = r.keep(ctx, machine); err != nil {
		return "", err
	}
	rec, err := r.put(ctx, evidence.Notice(key), b, expect...)
	return rec.Subject, err
}

// recipients are whom the message names; a notice for an outbox may have nobody but ourselves.
func (r Route) recipients() []string {
	if len(r.To) == 0 {
		return []string{r.From}
	}
	return r.To
}

func (r *Reporter) keep(ctx context.Context, b []byte) (evidence.Object, error) {
	d, size, err := r.o.Log.Keep(ctx, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return evidence.Object{}, fmt.Errorf("keep notice: %w", err)
	}
	return evidence.Object{SHA256: d, Size: size}, nil
}
