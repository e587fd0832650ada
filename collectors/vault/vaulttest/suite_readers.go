package vaulttest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func (s *suite) posts() {
	other := evidence.Account("telegram", "channel", "5")
	acq := evidence.NewAcq(time.Now())
	for i, n := range []evidence.Name{s.channel, other, s.channel.Post(300), s.channel.Post(2), s.channel.Story(1), s.channel.Post(10), other.Post(1), s.channel.Post(2)} {
		s.put(draft(acq, i, n, &evidence.Access{What: "show"}))
	}
	s.put(one(s.channel.Post(10), post("x")))
	collect := func(each func(context.Context, evidence.Ordinal, func(evidence.Ordinal) error) error, from evidence.Ordinal) (out []evidence.Ordinal) {
		s.Helper()
		s.must(each(s.ctx, from, func(o evidence.Ordinal) error {
			out = append(out, o)
			return nil
		}))
		return out
	}
	for from, want := range map[evidence.Ordinal][]evidence.Ordinal{
		"a1": {"a1/2", "a1/10", "a1/300", "a1/s1"}, "a1/10": {"a1/10", "a1/300", "a1/s1"}, "a1/11": {"a1/300", "a1/s1"},
		"a2": {"a2/1"}, "a3": nil, "a1/s2": nil,
	} {
		if got := collect(s.Posts, from); !slices.Equal(got, want) {
			s.Errorf("from %s: %v, want %v", from, got, want)
		}
	}
	for from, want := range map[evidence.Ordinal][]evidence.Ordinal{
		"a1": {"a1/s1", "a1/300", "a1/10", "a1/2"}, "a1/300": {"a1/10", "a1/2"}, "a1/2": nil, "a2/9": {"a2/1"}, "a3": nil,
	} {
		if got := collect(s.PostsBefore, from); !slices.Equal(got, want) {
			s.Errorf("before %s: %v, want %v", from, got, want)
		}
	}
	if err := s.Posts(s.ctx, "s1", func(evidence.Ordinal) error { return nil }); err == nil {
		s.Error("a source has posts")
	}
}

func (s *suite) skipAll() {
	s.put(page(s.channel, evidence.NewAcq(time.Now()), "1", "2", "3")...)
	calls := 0
	stop := func() error {
		calls++
		return fs.SkipAll
	}
	s.must(s.Records(s.ctx, 0, func(evidence.Record) error { return stop() }))
	s.must(s.About(s.ctx, "a1/1", func(evidence.Record) error { return stop() }))
	s.must(s.Posts(s.ctx, "a1", func(evidence.Ordinal) error { return stop() }))
	s.must(s.PostsBefore(s.ctx, "a1", func(evidence.Ordinal) error { return stop() }))
	s.must(s.Each(s.ctx, "tally", "", func(string, []byte, int64) error { return stop() }))
	if calls != 5 {
		s.Errorf("%d calls", calls)
	}
	broken := errors.New("enough")
	if err := s.Records(s.ctx, 0, func(evidence.Record) error { return broken }); !errors.Is(err, broken) {
		s.Errorf("got %v", err)
	}
	if _, err := s.Record(s.ctx, s.Size()); !errors.Is(err, evidence.ErrNotFound) {
		s.Errorf("a record beyond the end: %v", err)
	}
	if _, err := s.Record(s.ctx, -1); !errors.Is(err, evidence.ErrNotFound) {
		s.Errorf("a record before the start: %v", err)
	}
}

func (s *suite) views() {
	for i := range 700 { // more than one chunk of keys
		s.put(one(s.channel.Post(int64(i)), &evidence.Gap{Cause: "restart"}))
		if i == 3 {
			s.put(one(s.channel.Post(3), &evidence.Access{}))
		}
	}
	seen, last := 0, ""
	s.must(s.Each(s.ctx, "tally", "last a1/", func(key string, value []byte, version int64) error {
		if key <= last || key == "last a1/3" || fmt.Sprint(version-1) != string(value) {
			s.Errorf("key %q after %q: %q, version %d", key, last, value, version)
		}
		seen, last = seen+1, key
		return nil
	}))
	if seen != 699 {
		s.Errorf("%d keys", seen)
	}
	if v, version, err := s.Get(s.ctx, "tally", "nothing"); v != nil || version != 0 || err != nil {
		s.Errorf("an absent key: %q, %d, %v", v, version, err)
	}
	if _, _, err := s.Get(s.ctx, "nothing", "x"); err == nil {
		s.Error("a view that is not there has keys")
	}
}
