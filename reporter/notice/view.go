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
}

// Views returns the view that this package reads.
func Views() []evidence.View {
	return []evidence.View{{Name: ViewNotices, Version: 1, Apply: apply}}
}

func apply(r evidence.Record, kv evidence.KV) error {
	if r.Kind == evidence.KindNoticeDrafted {
		return applyDrafted(r, kv)
	}
	switch r.Kind {
	case evidence.KindNoticeAttempted, evidence.KindNoticeSent, evidence.KindNoticeFailed,
		evidence.KindNoticeUncertain, evidence.KindNoticeWithdrawn:
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
	return store(kv, s)
}

func (s *State) take(r evidence.Record, b evidence.Body) {
	s.ChangedAt, s.Reason = r.At, ""
	switch r.Kind {
	case evidence.KindNoticeAttempted:
		s.Status, s.Attempts = Attempted, s.Attempts+1
	case evidence.KindNoticeSent:
		s.Status = Sent
	case evidence.KindNoticeFailed:
		s.Status = Failed
	case evidence.KindNoticeUncertain:
		s.Status = Uncertain
	case evidence.KindNoticeWithdrawn:
		s.Status = Withdrawn
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
	})
}

func store(kv evidence.KV, s State) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return kv.Put(string(s.Ordinal), b)
}
