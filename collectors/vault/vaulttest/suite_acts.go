package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func act(what string) evidence.Draft {
	return evidence.Draft{ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Vault(), Body: &evidence.Access{What: what}}
}

func (s *suite) version(key string) evidence.Expect {
	s.Helper()
	_, version, err := s.Get(s.ctx, "tally", key)
	s.must(err)
	return evidence.Expect{View: "tally", Key: key, Version: version}
}

func (s *suite) race() {
	const n = 8
	for range 5 {
		seen := s.version("kind access")
		errs := make([]error, n)
		s.grew(1, func() {
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() {
					_, errs[i] = s.Put(s.ctx, evidence.Batch{Drafts: []evidence.Draft{act("approve")}, If: []evidence.Expect{seen}})
				})
			}
			wg.Wait()
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, evidence.ErrConflict) {
				s.Error(err)
			}
		}
		if won != 1 {
			s.Errorf("%d of %d won", won, n)
		}
	}
}

func (s *suite) conflict() {
	s.put(one(s.channel.Post(1), post("x")))
	gone := s.version("last a1/1")
	s.put(draft(evidence.NewAcq(time.Now()), 0, s.channel.Post(1), &evidence.Access{What: "show"}))
	if v, version, err := s.Get(s.ctx, "tally", "last a1/1"); err != nil || v != nil || version != gone.Version+1 {
		s.Errorf("after deletion: %q, version %d, %v", v, version, err)
	}
	for name, e := range map[string]evidence.Expect{
		"too old": gone, "never was": {View: "tally", Key: "last a1/1"}, "is not there": {View: "tally", Key: "nothing", Version: 1},
	} {
		s.grew(0, func() {
			_, err := s.Put(s.ctx, evidence.Batch{
				Drafts: []evidence.Draft{one(evidence.Account("telegram", "channel", "5"), post("x"))},
				Cursor: &evidence.Cursor{Name: "conflict", Data: []byte("1")}, If: []evidence.Expect{e},
			})
			if !errors.Is(err, evidence.ErrConflict) {
				s.Errorf("%s: %v", name, err)
			}
		})
	}
	if c, err := s.Cursor(s.ctx, "conflict"); err != nil || c != nil {
		s.Errorf("the cursor moved: %q, %v", c, err)
	}
	if _, err := s.Ordinal(s.ctx, evidence.Account("telegram", "channel", "5")); !errors.Is(err, evidence.ErrUnbound) {
		s.Errorf("the account was bound: %v", err)
	}
	_, err := s.Put(s.ctx, evidence.Batch{Drafts: []evidence.Draft{act("x")}, If: []evidence.Expect{s.version("last a1/1"), {View: "tally", Key: "nothing"}}})
	s.must(err)
	if _, err := s.Put(s.ctx, evidence.Batch{If: []evidence.Expect{{View: "no such view", Key: "x"}}}); err == nil {
		s.Error("accepted a condition on a view that is not there")
	}
}

func (s *suite) retryAfterIf() {
	b := evidence.Batch{Drafts: []evidence.Draft{act("approve")}, If: []evidence.Expect{s.version("kind access")}}
	first, err := s.Put(s.ctx, b)
	s.must(err)
	again, err := s.Put(s.ctx, b)
	s.must(err)
	s.want(again[0], evidence.Repeated, first[0].Seq)
}

func (s *suite) cursor() {
	cur := func(data string) *evidence.Cursor {
		return &evidence.Cursor{Name: "telegram/main 1234", Data: []byte(data)}
	}
	get := func(want string) {
		s.Helper()
		if got, err := s.Cursor(s.ctx, "telegram/main 1234"); err != nil || string(got) != want {
			s.Errorf("cursor %q, %v, want %q", got, err, want)
		}
	}
	s.grew(0, func() {
		_, err := s.Put(s.ctx, evidence.Batch{Cursor: cur("alone")})
		s.must(err)
	})
	get("alone")
	_, err := s.Put(s.ctx, evidence.Batch{Drafts: []evidence.Draft{one(s.channel.Post(1), post("x"))}, Cursor: cur("2")})
	s.must(err)
	get("2")
	bad := one(evidence.Case("unbound"), &evidence.Access{})
	if _, err := s.Put(s.ctx, evidence.Batch{Drafts: []evidence.Draft{one(s.channel.Post(2), post("x")), bad}, Cursor: cur("3")}); err == nil {
		s.Error("accepted")
	}
	get("2")
	if got, err := s.Cursor(s.ctx, "another"); err != nil || got != nil {
		s.Errorf("a cursor that never was: %q, %v", got, err)
	}
	s.grew(0, func() {
		recs, err := s.Put(s.ctx, evidence.Batch{})
		if err != nil || len(recs) != 0 {
			s.Errorf("an empty batch: %v, %v", recs, err)
		}
	})
}

func (s *suite) cancelled() {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	s.grew(0, func() {
		if _, err := s.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{one(s.channel, post("x"))}}); !errors.Is(err, context.Canceled) {
			s.Errorf("got %v", err)
		}
	})
	if _, _, err := s.Keep(ctx, bytes.NewReader([]byte("x")), 1); !errors.Is(err, context.Canceled) {
		s.Errorf("got %v", err)
	}
}

func (s *suite) concurrent() {
	const writers, pages, posts = 6, 5, 7
	before := s.Size()
	var wg sync.WaitGroup
	for w := range writers {
		ch := evidence.Account("telegram", "channel", fmt.Sprint(w))
		wg.Go(func() {
			for p := range pages {
				acq := evidence.NewAcq(time.Now())
				ds := []evidence.Draft{draft(acq, 0, ch, &evidence.Acquisition{Method: "m"})}
				for i := range posts {
					ds = append(ds, draft(acq, i+1, ch.Post(int64(p*posts+i)), post(fmt.Sprint(w, p, i))))
				}
				recs, err := s.Put(s.ctx, evidence.Batch{Drafts: ds, Cursor: &evidence.Cursor{Name: ch.Key, Data: []byte{byte(p)}}})
				if err != nil {
					s.Error(err)
					return
				}
				for i, r := range recs {
					if r.Seq != recs[0].Seq+int64(i) {
						s.Errorf("a batch was torn apart: %d after %d", r.Seq, recs[0].Seq)
					}
					if got, err := s.Record(s.ctx, r.Seq); err != nil || !bytes.Equal(got.EnvelopeBytes, r.EnvelopeBytes) {
						s.Errorf("record %d is not what Put returned: %v", r.Seq, err)
					}
				}
			}
		})
	}
	wg.Wait()
	next := int64(0)
	s.must(s.Records(s.ctx, 0, func(r evidence.Record) error {
		if r.Seq != next {
			s.Errorf("record %d after %d", r.Seq, next-1)
		}
		next++
		return nil
	}))
	if want := before + writers*(1+pages*(posts+1)); next != want || s.Size() != want {
		s.Errorf("%d records, size %d, want %d", next, s.Size(), want)
	}
}

func (s *suite) neighbours() {
	var wg sync.WaitGroup
	for i := range 40 {
		ch := evidence.Account("telegram", "channel", fmt.Sprint(i))
		wg.Go(func() {
			b := evidence.Batch{Drafts: []evidence.Draft{one(ch, post("x"))}}
			if i%2 == 1 {
				b.Drafts = append(b.Drafts, one(evidence.Case("unbound"), &evidence.Access{}))
			}
			_, err := s.Put(s.ctx, b)
			if want := i%2 == 1; errors.Is(err, evidence.ErrUnbound) != want || !want && err != nil {
				s.Errorf("batch %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if s.Size() != 2+40 {
		s.Errorf("size %d", s.Size())
	}
	for i := range 40 {
		_, err := s.Ordinal(s.ctx, evidence.Account("telegram", "channel", fmt.Sprint(i)))
		if errors.Is(err, evidence.ErrUnbound) != (i%2 == 1) {
			s.Errorf("account %d: %v", i, err)
		}
	}
}
