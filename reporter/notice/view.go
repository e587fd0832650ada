package notice

import (
	"encoding/json"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// ViewNotices is the name of the view.
const ViewNotices = "notices"

// The states of a notice.
const (
	Drafted   = "drafted"
	Attempted = "attempted" // an attempt was begun and nothing is known of its end
	Sent      = "sent"
	Failed    = "failed"    // surely not sent; tried again
	Uncertain = "uncertain" // a person must find out
	Withdrawn = "withdrawn" // never sent, and will not be
	Answered  = "answered"
	Disputed  = "disputed"  // the account's side objects
	Corrected = "corrected" // it was wrong, and whoever got it was told or is being told
)

// State is an entry of the notices view under its ordinal, such as `n3`; its version is the key's.
type State struct {
	Ordinal   evidence.Ordinal      `json:"ordinal"`
	Key       string                `json:"key"`
	Platform  string                `json:"platform"`
	Route     string                `json:"route"`
	To        []string              `json:"to,omitempty"`
	Title     string                `json:"title"`
	MessageID string                `json:"message_id"`
	Message   evidence.Object       `json:"message"`
	Machine   evidence.Object       `json:"machine,omitzero"`
	Cases     []evidence.NoticeCase `json:"cases"`
	Status    string                `json:"status"`
	DraftedAt evidence.Time         `json:"drafted_at"`
	ChangedAt evidence.Time         `json:"changed_at"`
	Attempts  int                   `json:"attempts"`
	Reason    string                `json:"reason,omitempty"`
	Receipt   string                `json:"receipt,omitempty"`
	Resolved  evidence.Ordinal      `json:"resolved,omitempty"` // who resolved an uncertain one
	Version   int64                 `json:"version"`            // set by readers, not stored

	evidence.NoticeLaw
	Record      evidence.RecordRef `json:"record"` // that drafted it
	Approved    *SeniorApproved    `json:"approved,omitempty"`
	SentAt      evidence.Time      `json:"sent_at,omitzero"`
	Answers     []Answer           `json:"answers,omitempty"`  // oldest first
	Disputes    []Dispute          `json:"disputes,omitempty"` // oldest first
	Corrections []Correction       `json:"corrections,omitempty"`
	Released    bool               `json:"released,omitempty"`  // a person lets this correction or withdrawal leave
	ByPerson    bool               `json:"by_person,omitempty"` // a person withdrew it, and not the reporter
}

// SeniorApproved is the senior's word on a notice.
type SeniorApproved struct {
	evidence.RecordRef
	Person      string        `json:"person"`
	Fingerprint string        `json:"fingerprint"`
	At          evidence.Time `json:"at"`
}

// Answer is what the addressee said.
type Answer struct {
	evidence.NoticeAnswered
	At evidence.Time    `json:"at"`
	To evidence.Ordinal `json:"to"` // who recorded it
}

// Dispute is an objection from the account's side.
type Dispute struct {
	evidence.NoticeDisputed
	At evidence.Time `json:"at"`
}

// Correction says by which notice it was put right.
type Correction struct {
	evidence.NoticeCorrected
	At evidence.Time    `json:"at"`
	By evidence.Ordinal `json:"by"`
}

// Held says that a person withdrew the unsent notice of a case: the same approval carries no other.
type Held struct {
	Notice   evidence.Ordinal   `json:"notice"`
	Approval evidence.RecordRef `json:"approval"`
	Reason   string             `json:"reason"`
}

// HeldKey is the view's key of a case's Held.
func HeldKey(c evidence.Ordinal) string { return "held/" + string(c) }

// Redresses reports whether the notice puts another one right.
func (s State) Redresses() bool { return s.Corrects != nil }

// Left reports whether the notice has left, or may have.
func (s State) Left() bool {
	switch s.Status {
	case Drafted, Failed, Withdrawn:
		return false
	}
	return true
}

// Open reports whether the addressee still has the notice before them, so that saying the same again would be a duplicate. One
// that is answered is closed, unless the answer is that it was a duplicate itself.
func (s State) Open() bool {
	switch s.Status {
	case Withdrawn, Corrected:
		return false
	case Answered:
		return len(s.Answers) > 0 && s.Answers[len(s.Answers)-1].Outcome == evidence.AnswerDuplicate
	}
	return true
}

// Views returns the view that this package reads.
func Views() []evidence.View {
	return []evidence.View{{Name: ViewNotices, Version: 2, Apply: apply}}
}

func apply(r evidence.Record, kv evidence.KV) error {
	if r.Kind == evidence.KindNoticeDrafted {
		return applyDrafted(r, kv)
	}
	switch r.Kind {
	case evidence.KindNoticeAttempted, evidence.KindNoticeSent, evidence.KindNoticeFailed,
		evidence.KindNoticeUncertain, evidence.KindNoticeWithdrawn, evidence.KindNoticeApproved,
		evidence.KindNoticeAnswered, evidence.KindNoticeDisputed, evidence.KindNoticeCorrected:
	default:
		return nil
	}
	v, _ := kv.Get(string(r.Subject))
	if v == nil {
		return nil
	}
	var s State
	if err := json.Unmarshal(v, &s); err != nil {
		return fmt.Errorf("view key %s: %w", r.Subject, err)
	}
	b, err := evidence.DecodeBody(r)
	if err != nil {
		b = nil // erased: the kind alone still says what happened
	}
	s.take(r, b)
	s.hear(r, b)
	if err := s.reach(r, b, kv); err != nil {
		return err
	}
	return store(kv, s)
}

// take follows the delivery.
func (s *State) take(r evidence.Record, b evidence.Body) {
	switch r.Kind {
	case evidence.KindNoticeApproved, evidence.KindNoticeAnswered, evidence.KindNoticeDisputed, evidence.KindNoticeCorrected:
		return
	}
	s.ChangedAt, s.Reason = r.At, ""
	switch r.Kind {
	case evidence.KindNoticeAttempted:
		s.Status, s.Attempts = Attempted, s.Attempts+1
	case evidence.KindNoticeSent:
		s.Status, s.SentAt = Sent, r.At
	case evidence.KindNoticeFailed:
		s.Status = Failed
	case evidence.KindNoticeUncertain:
		s.Status = Uncertain
	case evidence.KindNoticeWithdrawn:
		s.Status, s.ByPerson = Withdrawn, r.Actor.Space() == evidence.SpacePerson
	}
	switch b := b.(type) {
	case *evidence.NoticeSent:
		s.Receipt, s.Reason = b.Receipt, b.ResolvedBy
		if b.ResolvedBy != "" {
			s.Resolved = r.Actor
		}
	case *evidence.NoticeFailed:
		if s.Reason = b.Reason; b.ResolvedBy != "" {
			s.Reason, s.Resolved = b.ResolvedBy, r.Actor
		}
	case *evidence.NoticeUncertain:
		s.Reason = b.Reason
	case *evidence.NoticeWithdrawn:
		s.Reason = b.Reason
	}
}

func applyDrafted(r evidence.Record, kv evidence.KV) error {
	b, err := evidence.Decode[*evidence.NoticeDrafted](r)
	if err != nil {
		return nil //nolint:nilerr // a view skips what is erased or unknown
	}
	return store(kv, State{
		Ordinal: r.Subject, Key: b.Key, Platform: b.Platform, Route: b.Route, To: b.To, Title: b.Title, MessageID: b.MessageID,
		Message: b.Message, Machine: b.Machine, Cases: b.Cases, Status: Drafted, DraftedAt: r.At, ChangedAt: r.At,
		NoticeLaw: b.NoticeLaw, Record: evidence.RecordRef{Seq: r.Seq, Leaf: r.Leaf()},
	})
}

func store(kv evidence.KV, s State) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return kv.Put(string(s.Ordinal), b)
}
