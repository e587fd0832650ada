package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Log is a Sink that can be read: what the suite asks of it.
type Log interface {
	collectors.Sink
	Size() int64
	Record(ctx context.Context, seq int64) (evidence.Record, error)
	ByID(ctx context.Context, id evidence.ID) (evidence.Record, error)
	Records(ctx context.Context, from int64, fn func(evidence.Record) error) error
	About(ctx context.Context, o evidence.Ordinal, fn func(evidence.Record) error) error
	Posts(ctx context.Context, from evidence.Ordinal, fn func(post evidence.Ordinal) error) error
	PostsBefore(ctx context.Context, post evidence.Ordinal, fn func(post evidence.Ordinal) error) error
	Latest(ctx context.Context, o evidence.Ordinal) (map[string]int64, error)
	Ordinal(ctx context.Context, n evidence.Name) (evidence.Ordinal, error)
	Name(ctx context.Context, o evidence.Ordinal) (evidence.Name, error)
	Get(ctx context.Context, view, key string) (value []byte, version int64, err error)
	Each(ctx context.Context, view, prefix string, fn func(key string, value []byte, version int64) error) error
	Blob(ctx context.Context, d evidence.Digest) (io.ReadSeekCloser, int64, error)
}

// Suite is the contract of Sink, with the readers that show whether it was kept. open returns a fresh log with the given views.
func Suite(t *testing.T, open func(t *testing.T, views ...evidence.View) Log) {
	for name, test := range map[string]func(*suite){
		"a draft put twice is one record":                     (*suite).repeats,
		"a batch grows when it is put again with more":        (*suite).regrouped,
		"A, B, A are three versions":                          (*suite).versions,
		"a retry of A after B and A writes nothing":           (*suite).lateRetry,
		"a post that was gone and is seen again is a version": (*suite).goneAndBack,
		"presence compares per vantage, content per method":   (*suite).perVantage,
		"what accompanies nothing is left out":                (*suite).accompany,
		"names are bound before they are used":                (*suite).bound,
		"what no name stands behind is refused":               (*suite).unbound,
		"invalid drafts are refused whole":                    (*suite).invalid,
		"of two acts on the same version one wins":            (*suite).race,
		"a conflict writes nothing":                           (*suite).conflict,
		"a retry of what won is no conflict":                  (*suite).retryAfterIf,
		"blobs come before the records that name them":        (*suite).blobs,
		"too large keeps nothing":                             (*suite).tooLarge,
		"the same bytes are one blob":                         (*suite).sameBlob,
		"a cursor moves with its batch or not at all":         (*suite).cursor,
		"a cancelled put writes nothing":                      (*suite).cancelled,
		"many writers make one log without holes":             (*suite).concurrent,
		"a refused batch does not spoil its neighbours":       (*suite).neighbours,
		"posts come in order, both ways":                      (*suite).posts,
		"readers can stop early":                              (*suite).skipAll,
		"views see every record once, in order":               (*suite).views,
	} {
		t.Run(name, func(t *testing.T) {
			s := &suite{T: t, ctx: t.Context(), Log: open(t, Tally()), channel: evidence.Account("telegram", "channel", "1234")}
			s.put(Bind(Source))
			test(s)
		})
	}
}

// Source is the source that the suite writes as.
const Source = "telegram/main"

// Tally is a view that counts the records of each kind, keeps the number of the last one of each subject and forgets subjects of which
// `access` was the last.
func Tally() evidence.View {
	return evidence.View{Name: "tally", Version: 1, Apply: func(r evidence.Record, kv evidence.KV) error {
		key := "kind " + string(r.Kind)
		n, _ := kv.Get(key)
		if err := kv.Put(key, fmt.Appendf(nil, "%d", len(n)+1)); err != nil {
			return err
		}
		if r.Kind == evidence.KindAccess {
			return kv.Delete("last " + string(r.Subject))
		}
		return kv.Put("last "+string(r.Subject), fmt.Append(nil, r.Seq))
	}}
}

type suite struct {
	*testing.T
	Log
	ctx     context.Context
	channel evidence.Name
}

func (s *suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *suite) put(ds ...evidence.Draft) []evidence.Record {
	s.Helper()
	recs, err := s.Put(s.ctx, evidence.Batch{Drafts: ds})
	s.must(err)
	if len(recs) != len(ds) {
		s.Fatalf("%d records for %d drafts", len(recs), len(ds))
	}
	return recs
}

// draft drafts a body about n as one more of an acquisition.
func draft(acq string, i int, n evidence.Name, b evidence.Body) evidence.Draft {
	return evidence.Draft{ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Source(Source), Subject: n, Body: b}
}

func one(n evidence.Name, b evidence.Body) evidence.Draft {
	return draft(evidence.NewAcq(time.Now()), 0, n, b)
}

func post(text string) *evidence.PostSeen {
	return &evidence.PostSeen{Method: evidence.MethodMTProto, Vantage: "main", Text: text}
}

func (s *suite) want(got evidence.Record, outcome evidence.Outcome, seq int64) {
	s.Helper()
	if got.Outcome != outcome || got.Seq != seq {
		s.Errorf("got record %d, outcome %d, want record %d, outcome %d", got.Seq, got.Outcome, seq, outcome)
	}
}

// grew runs fn and insists on how many records it adds.
func (s *suite) grew(by int64, fn func()) {
	s.Helper()
	before := s.Size()
	fn()
	if got := s.Size() - before; got != by {
		s.Errorf("%d new records, want %d", got, by)
	}
}

func page(channel evidence.Name, acq string, texts ...string) []evidence.Draft {
	ds := []evidence.Draft{draft(acq, 0, channel, &evidence.Acquisition{Method: "messages.getHistory"})}
	ds[0].Accompany = true
	for i, text := range texts {
		ds = append(ds, draft(acq, i+1, channel.Post(int64(i+1)), post(text)))
	}
	return ds
}

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

func (s *suite) blobs() {
	b := one(s.channel.Post(1), &evidence.MediaKept{MediaID: "photo 1", Blob: evidence.Object{SHA256: evidence.Sum([]byte("simulated")), Size: 9}})
	if _, err := s.Put(s.ctx, evidence.Batch{Drafts: []evidence.Draft{b}}); !errors.Is(err, evidence.ErrMissingBlob) {
		s.Fatalf("got %v", err)
	}
	d, n, err := s.Keep(s.ctx, bytes.NewReader([]byte("simulated")), 9)
	s.must(err)
	if d != evidence.Sum([]byte("simulated")) || n != 9 {
		s.Errorf("%s, %d bytes", d, n)
	}
	s.put(b)
	r, size, err := s.Blob(s.ctx, d)
	s.must(err)
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "simulated" || size != 9 {
		s.Errorf("%q, %d, %v", got, size, err)
	}
	if _, err := r.Seek(3, io.SeekStart); err != nil {
		s.Error(err)
	}
}

func (s *suite) tooLarge() {
	data := bytes.Repeat([]byte("simulated"), 20_000)
	if _, _, err := s.Keep(s.ctx, bytes.NewReader(data), int64(len(data))-1); !errors.Is(err, evidence.ErrTooLarge) {
		s.Fatalf("got %v", err)
	}
	if _, _, err := s.Blob(s.ctx, evidence.Sum(data)); !errors.Is(err, evidence.ErrNotFound) {
		s.Errorf("kept: %v", err)
	}
	broken := errors.New("the network went away")
	if _, _, err := s.Keep(s.ctx, io.MultiReader(bytes.NewReader(data), failing{broken}), 1<<30); !errors.Is(err, broken) {
		s.Errorf("got %v", err)
	}
	d, n, err := s.Keep(s.ctx, bytes.NewReader(nil), 0)
	s.must(err)
	if d != evidence.Sum(nil) || n != 0 {
		s.Errorf("nothing is %s, %d bytes", d, n)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (s *suite) sameBlob() {
	var wg sync.WaitGroup
	for i := range 16 {
		data := bytes.Repeat([]byte{byte(i % 3)}, 100_000)
		wg.Go(func() {
			d, n, err := s.Keep(s.ctx, bytes.NewReader(data), 1<<20)
			if err != nil || d != evidence.Sum(data) || n != int64(len(data)) {
				s.Errorf("%s, %d bytes, %v", d, n, err)
			}
		})
	}
	wg.Wait()
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
