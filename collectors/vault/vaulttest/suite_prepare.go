package vaulttest

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func (s *suite) preparer() collectors.Preparer {
	p, ok := s.Log.(collectors.Preparer)
	if !ok {
		s.Skip("this sink prepares nothing")
	}
	return p
}

// prepared puts what was prepared side by side in other batches than it was prepared in, again, with another body and twice at once.
func (s *suite) prepared() {
	p := s.preparer()
	person := evidence.Private("telegram", "user", "7")
	pages := make([][]evidence.Draft, 4)
	var wg sync.WaitGroup
	for i := range pages {
		acq := evidence.NewAcq(time.Now())
		pages[i] = []evidence.Draft{draft(acq, 0, s.channel, &evidence.Acquisition{Method: "messages.getHistory"})}
		for j := range 3 {
			b := post("simulated " + acq)
			b.Entities = []evidence.Entity{{Type: "mention_name", Length: 3, Person: &evidence.Ref{Name: person}}}
			pages[i] = append(pages[i], draft(acq, j+1, s.channel.Post(int64(10*i+j+1)), b))
		}
		wg.Go(func() {
			if err := p.Prepare(pages[i]); err != nil {
				s.Error(err)
			}
		})
	}
	wg.Wait()
	plain := func(ds []evidence.Draft) []evidence.Draft {
		out := append([]evidence.Draft(nil), ds...)
		for i := range out {
			out[i].Prepared = nil
		}
		return out
	}
	both := append(append([]evidence.Draft(nil), pages[0]...), pages[1]...)
	first := s.put(both...)
	s.grew(0, func() { s.want(s.put(both...)[5], evidence.Repeated, first[5].Seq) })
	s.grew(0, func() { s.want(s.put(plain(both)...)[2], evidence.Repeated, first[2].Seq) })
	s.grew(4, func() { // at once: one writes, the other is answered
		for range 2 {
			wg.Go(func() {
				if _, err := s.Put(s.ctx, evidence.Batch{Drafts: pages[2]}); err != nil {
					s.Error(err)
				}
			})
		}
		wg.Wait()
	})
	changed := pages[3]
	other := *changed[1].Body.(*evidence.PostSeen)
	other.Text = "simulated otherwise"
	changed[1].Body = &other
	last := s.put(changed...)
	for _, r := range append(first, last...) {
		got, err := s.Record(s.ctx, r.Seq)
		s.must(err)
		if string(got.Body) != string(r.Body) || string(got.EnvelopeBytes) != string(r.EnvelopeBytes) || evidence.Sum(got.Body) != got.Envelope.Body {
			s.Errorf("record %d is not what its Put returned", r.Seq)
		}
	}
	if b, err := evidence.Decode[*evidence.PostSeen](last[1]); err != nil || b.Text != other.Text {
		s.Errorf("a body put in the place of a prepared one: %+v, %v", b, err)
	}
}

func (s *suite) unprepared() {
	p := s.preparer()
	blob := evidence.Object{SHA256: evidence.Sum([]byte("simulated")), Size: 9}
	ds := []evidence.Draft{one(s.channel.Post(1), &evidence.MediaKept{MediaID: "photo 1", Blob: blob})}
	if err := p.Prepare(ds); !errors.Is(err, evidence.ErrMissingBlob) {
		s.Errorf("a blob that is not kept: %v", err)
	}
	s.grew(0, func() {
		if _, err := s.Put(s.ctx, evidence.Batch{Drafts: ds}); !errors.Is(err, evidence.ErrMissingBlob) {
			s.Errorf("and put: %v", err)
		}
	})
	_, _, err := s.Keep(s.ctx, strings.NewReader("simulated"), 9)
	s.must(err)
	s.must(p.Prepare(ds))
	s.grew(2, func() { s.put(ds...) }) // account.bound and itself
	if err := p.Prepare([]evidence.Draft{{}}); err == nil {
		s.Error("a draft of nothing was prepared")
	}
}
