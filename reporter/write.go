package reporter

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/delivery"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// incomplete says what a kind of notice requires and a draft does not hold.
type incomplete struct{ sentence string }

func (i *incomplete) Error() string { return i.sentence }

// words is what a drafted notice says.
type words struct {
	title, text string
	machine     []byte
}

func (r *Reporter) draftNotice(ctx context.Context, platform string, cases []ready) (evidence.Ordinal, error) {
	now, route := r.o.Now(), r.o.Routes[platform]
	law, _ := notice.LawOf(route.Kind)
	b := &evidence.NoticeDrafted{Key: evidence.NewAcq(now), Platform: platform, Route: route.Courier.Route(), To: route.To}
	b.NoticeKind, b.Senior, b.Urgent = route.Kind, cases[0].senior, cases[0].urgent()
	var items []notice.Item
	var expect []evidence.Expect
	for _, c := range cases {
		items = append(items, c.item)
		b.Cases, b.Posts = append(b.Cases, c.nc), append(b.Posts, c.posts...)
		expect = append(expect, evidence.Expect{View: review.ViewCases, Key: string(c.c.Ordinal), Version: c.c.Version})
		b.Counsel = union(b.Counsel, law.Counsel(c.item.Grounds, c.item.Designations))
		for _, g := range c.item.Grounds {
			b.Grounds = union(b.Grounds, []string{string(g)})
		}
	}
	n := notice.New(r.o.Log.ID(), b.Key, platform, route.Kind, now, route.Head, items)
	if missing := n.Missing(); len(missing) > 0 {
		return "", &incomplete{fmt.Sprintf("a %s needs what is missing: %s", route.Kind, strings.Join(missing, "; "))}
	}
	machine, err := n.Machine()
	if err != nil {
		return "", fmt.Errorf("draft notice: %w", err)
	}
	rec, err := r.write(ctx, evidence.Vault(), b, words{n.Title(), n.Text(), machine}, now, expect...)
	return rec.Subject, err
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// write makes the exact message of a notice durable and records its draft.
func (r *Reporter) write(ctx context.Context, actor evidence.Name, b *evidence.NoticeDrafted, w words, now time.Time, expect ...evidence.Expect) (evidence.Record, error) {
	route := r.o.Routes[b.Platform]
	from, err := delivery.Address(route.From)
	if err != nil {
		return evidence.Record{}, err
	}
	b.Title, b.MessageID = w.title, b.Key+from[strings.LastIndexByte(from, '@'):]
	to := b.To
	if len(to) == 0 {
		to = []string{route.From} // a notice for an outbox may have nobody but ourselves
	}
	message, err := delivery.Build(delivery.Letter{
		From: route.From, To: to, Subject: b.Title, MessageID: b.MessageID, Date: now, Text: w.text, Machine: w.machine, Urgent: b.Urgent,
	})
	if err != nil {
		return evidence.Record{}, fmt.Errorf("draft notice: %w", err)
	}
	if b.Message, err = r.keep(ctx, message); err != nil {
		return evidence.Record{}, err
	}
	if b.Machine, err = r.keep(ctx, w.machine); err != nil {
		return evidence.Record{}, err
	}
	return r.putAs(ctx, actor, evidence.Notice(b.Key), b, expect...)
}

func (r *Reporter) keep(ctx context.Context, b []byte) (evidence.Object, error) {
	d, size, err := r.o.Log.Keep(ctx, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return evidence.Object{}, fmt.Errorf("keep notice: %w", err)
	}
	return evidence.Object{SHA256: d, Size: size}, nil
}
