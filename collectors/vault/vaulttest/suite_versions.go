package vaulttest

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func (s *suite) repeats() {
	b := page(s.channel, evidence.NewAcq(time.Now()), "one", "two")
	first := s.put(b...)
	s.grew(0, func() {
		for i, r := range s.put(b...) {
			s.want(r, evidence.Repeated, first[i].Seq)
			if !bytes.Equal(r.EnvelopeBytes, first[i].EnvelopeBytes) || !bytes.Equal(r.Body, first[i].Body) {
				s.Errorf("record %d came back with other bytes", r.Seq)
			}
		}
	})
	for i, d := range b {
		r, err := s.ByID(s.ctx, d.ID)
		s.must(err)
		r.Outcome = first[i].Outcome
		if diff := cmp.Diff(first[i], r); diff != "" {
			s.Error(diff)
		}
	}
	if _, err := s.ByID(s.ctx, evidence.NewID(time.Now())); !errors.Is(err, evidence.ErrNotFound) {
		s.Errorf("an unknown id: %v", err)
	}
}

func (s *suite) regrouped() {
	acq := evidence.NewAcq(time.Now())
	all := page(s.channel, acq, "1", "2", "3", "4", "5", "6")
	s.put(all[3], all[5]) // counts with a hole between them
	s.grew(5, func() { s.put(all...) })
	s.grew(0, func() {
		s.put(all[1:3]...)
		s.put(all[2], all[6])
		s.put(all[4])
	})
	s.grew(1, func() {
		s.put(draft(acq, 9, s.channel.Post(9), post("9")), draft(acq, 10, s.channel.Post(1), post("1")))
	})
	s.grew(0, func() { s.put(draft(acq, 10, s.channel.Post(1), post("other"))) })
}

func (s *suite) versions() {
	p := s.channel.Post(7)
	a := s.put(one(p, post("A")))[0]
	s.want(s.put(one(p, post("A")))[0], evidence.Unchanged, a.Seq)
	b := s.put(one(p, post("B")))[0]
	s.want(s.put(one(p, post("B")))[0], evidence.Unchanged, b.Seq)
	again := s.put(one(p, post("A")))[0]
	s.want(again, evidence.Written, b.Seq+1)
	s.want(s.put(one(p, post("A")))[0], evidence.Unchanged, again.Seq)
	// Within a batch too.
	acq := evidence.NewAcq(time.Now())
	recs := s.put(draft(acq, 0, p, post("C")), draft(acq, 1, p, post("C")), draft(acq, 2, p, post("A")))
	s.want(recs[1], evidence.Unchanged, recs[0].Seq)
	s.want(recs[2], evidence.Written, recs[0].Seq+1)
	var seqs []int64
	s.must(s.About(s.ctx, a.Subject, func(r evidence.Record) error {
		seqs = append(seqs, r.Seq)
		return nil
	}))
	if want := []int64{a.Seq, b.Seq, again.Seq, recs[0].Seq, recs[2].Seq}; !slices.Equal(seqs, want) {
		s.Errorf("versions %v, want %v", seqs, want)
	}
	latest, err := s.Latest(s.ctx, a.Subject)
	s.must(err)
	if latest[evidence.MethodMTProto] != recs[2].Seq {
		s.Errorf("latest %v, want %d", latest, recs[2].Seq)
	}
}

func (s *suite) lateRetry() {
	p := s.channel.Post(7)
	a := s.put(one(p, post("A")))[0]
	unchanged := one(p, post("A"))
	s.want(s.put(unchanged)[0], evidence.Unchanged, a.Seq)
	s.put(one(p, post("B")))
	s.grew(0, func() { s.want(s.put(unchanged)[0], evidence.Repeated, a.Seq) })
}

func (s *suite) goneAndBack() {
	p := s.channel.Post(7)
	gone := func() *evidence.PostGone {
		return &evidence.PostGone{How: evidence.GoneDeletionNotice, Method: evidence.MethodMTProto, Vantage: "main"}
	}
	s.put(one(p, post("A")))
	s.grew(1, func() { s.put(one(p, gone())) })
	s.grew(0, func() { s.put(one(p, gone())) })
	s.grew(1, func() { s.put(one(p, post("A"))) })
	s.grew(1, func() { s.put(one(p, gone())) })
}

func (s *suite) perVantage() {
	p := s.channel.Post(7)
	see := func(vantage, method string, restricted bool) *evidence.PostSeen {
		b := &evidence.PostSeen{Method: method, Vantage: vantage, Text: "A"}
		if restricted {
			b.Restriction = []evidence.Restriction{{Where: "all", Reason: "simulated"}}
		}
		return b
	}
	s.put(one(p, see("main", evidence.MethodMTProto, false)))
	s.grew(0, func() { s.put(one(p, see("other", evidence.MethodMTProto, false))) })
	s.grew(1, func() { s.put(one(p, see("other", evidence.MethodMTProto, true))) })
	s.grew(0, func() { s.put(one(p, see("main", evidence.MethodMTProto, false))) })
	s.grew(0, func() { s.put(one(p, see("other", evidence.MethodMTProto, true))) })
	s.grew(1, func() { s.put(one(p, see("other", evidence.MethodMTProto, false))) })
	s.grew(1, func() { s.put(one(p, see("main", evidence.MethodPreview, false))) })
}

func (s *suite) accompany() {
	s.put(page(s.channel, evidence.NewAcq(time.Now()), "one", "two")...)
	same := page(s.channel, evidence.NewAcq(time.Now()), "one", "two")
	for range 2 {
		s.grew(0, func() {
			recs := s.put(same...)
			if recs[0].Outcome != evidence.Unchanged || recs[0].EnvelopeBytes != nil {
				s.Errorf("the acquisition of an unchanged page: %+v", recs[0])
			}
		})
	}
	s.grew(0, func() { s.put(same[0]) })
	s.grew(2, func() {
		recs := s.put(page(s.channel, evidence.NewAcq(time.Now()), "one", "changed")...)
		if recs[0].Kind != evidence.KindAcquisition || recs[2].Seq != recs[0].Seq+1 {
			s.Errorf("records %v", recs)
		}
	})
}
