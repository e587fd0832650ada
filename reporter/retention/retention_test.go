package retention_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
	"github.com/muhafiz/muhafiz/reporter/retention"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func put(t testing.TB, v *vault.Vault, now time.Time, subject evidence.Name, bodies ...evidence.Body) []evidence.Record {
	t.Helper()
	acq := evidence.NewAcq(now)
	var b evidence.Batch
	for i, body := range bodies {
		s := subject
		if _, ok := body.(*evidence.PostSeen); ok {
			s = subject.Post(int64(i + 1))
		}
		b.Drafts = append(b.Drafts, evidence.Draft{ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Vault(), Subject: s, Body: body})
	}
	recs, err := v.Put(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return recs
}

func post(text string) *evidence.PostSeen {
	return &evidence.PostSeen{Method: evidence.MethodMTProto, Vantage: "v", Text: text, Observed: evidence.Span{From: evidence.At(start), To: evidence.At(start)}}
}

// TestWhatCoversWhat holds one of four posts by each sort of hold, by one that ended, and by none.
func TestWhatCoversWhat(t *testing.T) {
	now := start
	o := vaulttest.Options(t, retention.Views()...)
	o.Now = func() time.Time { return now }
	v, err := vault.Create(t.TempDir()+"/vault", o)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	account := evidence.Account("telegram", "channel", "1")
	recs := put(t, v, now, account, post("1"), post("2"), post("3"), post("4"))
	a := recs[0].Subject.Whole()
	in := retention.Inputs{Default: 180, Warn: 30, Acts: 3650, Labels: map[evidence.Ordinal]string{a: "one"}}
	run := func() retention.Plan {
		t.Helper()
		in.Now = now
		p, err := retention.Make(t.Context(), v, in)
		if err != nil {
			t.Fatal(err)
		}
		put(t, v, now, evidence.Vault(), &evidence.RetentionRun{Warn: in.Warn, Terms: p.Changed})
		return p
	}
	for range 190 {
		run()
		now = now.Add(24 * time.Hour)
	}
	day := func(d int) time.Time { return start.Add(time.Duration(d) * 24 * time.Hour) }
	for name, c := range map[string]struct {
		h    retention.Hold
		held int
	}{
		"nothing":            {retention.Hold{Post: "a9/1"}, 0},
		"a post":             {retention.Hold{Post: recs[1].Subject}, 1},
		"the account":        {retention.Hold{Account: a}, 4},
		"records below":      {retention.Hold{Account: a, Below: recs[2].Seq}, 2},
		"a time that fits":   {retention.Hold{Account: a, From: day(-1), To: day(1)}, 4},
		"a time before":      {retention.Hold{Account: a, To: day(-1)}, 0},
		"a time after":       {retention.Hold{Account: a, From: day(1)}, 0},
		"until tomorrow":     {retention.Hold{Account: a, Until: now.Add(time.Hour)}, 4},
		"one that has ended": {retention.Hold{Account: a, Until: now}, 0},
	} {
		in.Holds = []retention.Hold{c.h}
		if p := run(); p.Held != c.held || p.Due != 4-c.held || len(p.Records) != p.Due {
			t.Errorf("%s: %d held, %d due", name, p.Held, p.Due)
		}
	}
}

// memory is a log of a million records that no disk holds.
type memory struct {
	recs  []evidence.Record
	state map[string][]byte
}

func (m memory) Records(ctx context.Context, from int64, fn func(evidence.Record) error) error {
	for _, r := range m.recs[from:] {
		if err := fn(r); err != nil {
			if errors.Is(err, fs.SkipAll) {
				return nil
			}
			return err
		}
	}
	return nil
}

func (m memory) Each(_ context.Context, _, _ string, fn func(string, []byte, int64) error) error {
	for k, v := range m.state {
		if err := fn(k, v, 1); err != nil {
			return err
		}
	}
	return nil
}

func (memory) Reply(context.Context, int64) (evidence.CutReply, error) {
	return evidence.CutReply{}, evidence.ErrNotFound
}

// FuzzState gives the view's values to the reader: they are ours, and a damaged one is an error and no crash.
func FuzzState(f *testing.F) {
	good, err := json.Marshal(retention.Last{Seq: 1, At: evidence.At(start), Run: evidence.RetentionRun{Warn: 30}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("last", good)
	f.Add("term/a1", []byte(`{"days":180,"since":"2026-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		s, err := retention.Read(t.Context(), memory{state: map[string][]byte{key: value}})
		if err == nil {
			s.Due(start)
		}
	})
}

func BenchmarkAMillionRecords(b *testing.B) {
	var m memory
	for i := range 1_000_000 {
		m.recs = append(m.recs, evidence.Record{
			Envelope: evidence.Envelope{Seq: int64(i), Kind: evidence.KindPostSeen, Subject: evidence.Ordinal(fmt.Sprintf("a%d/%d", i%1000+1, i)), At: evidence.At(start)}, Body: []byte("{}"),
		})
	}
	in := retention.Inputs{Now: start.Add(400 * 24 * time.Hour), Default: 180, Warn: 30, Acts: 3650}
	for range 1000 {
		in.Holds = append(in.Holds, retention.Hold{Post: "a1/1", Why: "x"})
	}
	for b.Loop() {
		p, err := retention.Make(b.Context(), m, in)
		if err != nil || p.Scanned != 1_000_000 {
			b.Fatal(err, p.Scanned)
		}
	}
}
