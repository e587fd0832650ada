package vaulttest

import (
	"bytes"
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func (s *suite) bound() {
	private := evidence.Private("telegram", "user", "99")
	b := post("forwarded")
	b.Forward = &evidence.Forward{From: &evidence.Ref{Name: private}}
	rec := s.put(one(s.channel.Post(1), b))[0]
	if rec.Seq != 4 || rec.Subject != "a1/1" || rec.Actor != "s1" { // vault.created, collector, two account.bound
		s.Fatalf("record %+v", rec.Envelope)
	}
	for seq, want := range map[int64]*evidence.AccountBound{
		2: {Key: "telegram channel 1234", Platform: "telegram", Type: "channel", ID: "1234"},
		3: {Key: "telegram user 99", Platform: "telegram", Type: "user", ID: "99", Private: true},
	} {
		r, err := s.Record(s.ctx, seq)
		s.must(err)
		got, err := evidence.Decode[*evidence.AccountBound](r)
		s.must(err)
		if diff := cmp.Diff(want, got); diff != "" || r.Actor != "v0" {
			s.Errorf("record %d by %s: %s", seq, r.Actor, diff)
		}
	}
	for n, want := range map[evidence.Name]evidence.Ordinal{
		s.channel: "a1", s.channel.Post(5): "a1/5", private: "p1", evidence.Source(Source): "s1", evidence.Vault(): "v0",
	} {
		got, err := s.Ordinal(s.ctx, n)
		s.must(err)
		back, err := s.Name(s.ctx, want)
		s.must(err)
		if got != want || back != n {
			s.Errorf("%s is %s, and back %s", n, got, back)
		}
	}
	// A draft that turns out to say nothing new binds nobody.
	b = post("forwarded")
	b.Forward = &evidence.Forward{From: &evidence.Ref{Name: evidence.Private("telegram", "user", "100")}}
	s.grew(0, func() { s.put(one(s.channel.Post(1), b)) })
	if o, err := s.Ordinal(s.ctx, b.Forward.From.Name); !errors.Is(err, evidence.ErrUnbound) {
		s.Errorf("bound to %s: %v", o, err)
	}
	// The next account gets the next number.
	if r := s.put(one(evidence.Account("telegram", "channel", "77"), &evidence.AccountSeen{Method: "m"}))[0]; r.Subject != "a2" {
		s.Errorf("subject %s", r.Subject)
	}
}

func (s *suite) unbound() {
	other := one(s.channel, post("x"))
	other.Actor = evidence.Source("telegram/other")
	ref := post("x")
	ref.Author = &evidence.Ref{Name: evidence.Person("nobody")}
	byOrdinal := post("x")
	byOrdinal.Author = &evidence.Ref{Ordinal: "p1"}
	for name, d := range map[string]evidence.Draft{
		"actor": other, "reference": one(s.channel, ref), "reference by ordinal": one(s.channel, byOrdinal),
		"case":   one(evidence.Case("x"), &evidence.Access{What: "show"}),
		"target": one(evidence.Target("x"), &evidence.Gap{Cause: "restart"}),
	} {
		s.grew(0, func() {
			if _, err := s.Put(s.ctx, evidence.Batch{Drafts: []evidence.Draft{one(s.channel, post("y")), d}}); !errors.Is(err, evidence.ErrUnbound) {
				s.Errorf("%s: %v", name, err)
			}
		})
	}
	if o, err := s.Ordinal(s.ctx, s.channel); !errors.Is(err, evidence.ErrUnbound) {
		s.Errorf("a refused batch bound %s: %v", o, err)
	}
	// Bound within the batch, by an earlier draft.
	person := evidence.Draft{ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Person("amina"), Body: &evidence.PersonSet{Key: "amina"}}
	act := one(evidence.Vault(), &evidence.Access{What: "show"})
	act.Actor = evidence.Person("amina")
	if _, err := s.Put(s.ctx, evidence.Batch{Drafts: []evidence.Draft{act, person}}); !errors.Is(err, evidence.ErrUnbound) {
		s.Errorf("used before it was bound: %v", err)
	}
	s.grew(2, func() { s.put(person, act) })
}

func (s *suite) invalid() {
	good := func() evidence.Draft { return one(s.channel.Post(1), post("x")) }
	for name, spoil := range map[string]func(*evidence.Draft){
		"no body":         func(d *evidence.Draft) { d.Body = nil },
		"unknown body":    func(d *evidence.Draft) { d.Body = &evidence.Unknown{} },
		"the vault's own": func(d *evidence.Draft) { d.Body = &evidence.AccountBound{} },
		"no id":           func(d *evidence.Draft) { d.ID = evidence.ID{} },
		"no subject":      func(d *evidence.Draft) { d.Subject = evidence.Name{} },
		"no actor":        func(d *evidence.Draft) { d.Actor = evidence.Name{} },
		"a part of a source": func(d *evidence.Draft) {
			d.Subject = evidence.Name{Space: evidence.SpaceSource, Key: Source, Part: "1"}
		},
		"a part like 007": func(d *evidence.Draft) { d.Subject.Part = "007" },
		"no platform":     func(d *evidence.Draft) { d.Subject.Key = "1234" },
		"a key of many bytes": func(d *evidence.Draft) {
			d.Subject.Key = "telegram channel " + string(bytes.Repeat([]byte("1"), 9999))
		},
		"invalid UTF-8": func(d *evidence.Draft) { d.Subject.Key = "telegram channel \xff" },
		"another key":   func(d *evidence.Draft) { d.Body, d.Subject = &evidence.Collector{Key: "a"}, evidence.Source("b") },
		"another space": func(d *evidence.Draft) { d.Body, d.Subject = &evidence.Collector{Key: "a"}, evidence.Person("a") },
		"a year beyond": func(d *evidence.Draft) {
			d.Body.(*evidence.PostSeen).ClaimedAt = evidence.At(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))
		},
	} {
		bad := good()
		spoil(&bad)
		s.grew(0, func() {
			if _, err := s.Put(s.ctx, evidence.Batch{Drafts: []evidence.Draft{good(), bad}}); err == nil {
				s.Errorf("%s: accepted", name)
			}
		})
	}
	twice := good()
	if _, err := s.Put(s.ctx, evidence.Batch{Drafts: []evidence.Draft{twice, twice}}); err == nil {
		s.Error("accepted the same id twice in a batch")
	}
}
