package notice

import (
	"encoding/json"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// hear takes what people said about a notice. A correction is the last word on a notice: an answer that comes after it is kept
// and changes no state.
func (s *State) hear(r evidence.Record, b evidence.Body) {
	switch b := b.(type) {
	case *evidence.NoticeApproved:
		st, err := statement(b.Signed)
		if err == nil && st.Confirms != nil && *st.Confirms == s.Record && st.Agree {
			s.Approved = &SeniorApproved{evidence.RecordRef{Seq: r.Seq, Leaf: r.Leaf()}, st.Person, st.Fingerprint, r.At}
		}
	case *evidence.NoticeAnswered:
		s.Answers = append(s.Answers, Answer{*b, r.At, r.Actor})
		s.settle(Answered, r)
	case *evidence.NoticeDisputed:
		s.Disputes = append(s.Disputes, Dispute{*b, r.At})
		s.settle(Disputed, r)
	case *evidence.NoticeCorrected:
		s.Corrections = append(s.Corrections, Correction{*b, r.At, r.Actor})
		s.settle(Corrected, r)
	}
}

func (s *State) settle(status string, r evidence.Record) {
	s.ChangedAt = r.At
	if s.Status != Corrected {
		s.Status = status
	}
}

// reach writes what a record changes beyond its own notice: a correction is released, and the cases of a notice that a person
// withdrew are held back.
func (s *State) reach(r evidence.Record, b evidence.Body, kv evidence.KV) error {
	if c, ok := b.(*evidence.NoticeCorrected); ok {
		return release(kv, c.Correction)
	}
	if r.Kind != evidence.KindNoticeWithdrawn || r.Actor.Space() != evidence.SpacePerson {
		return nil
	}
	for _, nc := range s.Cases {
		v, err := json.Marshal(Held{s.Ordinal, nc.Approval, s.Reason})
		if err != nil {
			return err
		}
		if err := kv.Put(HeldKey(nc.Case), v); err != nil {
			return err
		}
	}
	return nil
}

func release(kv evidence.KV, o evidence.Ordinal) error {
	v, _ := kv.Get(string(o))
	if v == nil {
		return nil
	}
	var c State
	if err := json.Unmarshal(v, &c); err != nil {
		return fmt.Errorf("view key %s: %w", o, err)
	}
	c.Released = true
	return store(kv, c)
}
