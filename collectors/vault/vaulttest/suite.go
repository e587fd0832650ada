package vaulttest

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

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
		"prepared drafts are put in any batch":                (*suite).prepared,
		"what cannot be put cannot be prepared":               (*suite).unprepared,
		"names are bound before they are used":                (*suite).bound,
		"what no name stands behind is refused":               (*suite).unbound,
		"invalid drafts are refused whole":                    (*suite).invalid,
		"of two acts on the same version one wins":            (*suite).race,
		"a conflict writes nothing":                           (*suite).conflict,
		"a retry of what won is no conflict":                  (*suite).retryAfterIf,
		"blobs come before the records that name them":        (*suite).blobs,
		"too large keeps nothing":                             (*suite).tooLarge,
		"the same bytes are one blob":                         (*suite).sameBlob,
		"a file is taken over or copied":                      (*suite).files,
		"a file that is refused stays where it was":           (*suite).refusedFiles,
		"a file is hashed while it is being filled":           (*suite).filledFile,
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
