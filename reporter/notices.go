package reporter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/delivery"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// Notices lists the notices by number, those with one of the states only, or all where none is given.
func (r *Reporter) Notices(ctx context.Context, states ...string) ([]notice.State, error) {
	var all []notice.State
	err := r.o.Log.Each(ctx, notice.ViewNotices, string(rune(evidence.SpaceNotice)), func(_ string, value []byte, version int64) error {
		var n notice.State
		if err := json.Unmarshal(value, &n); err != nil {
			return err
		}
		n.Version = version
		if len(states) == 0 || slices.Contains(states, n.Status) {
			all = append(all, n)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	slices.SortFunc(all, func(a, b notice.State) int {
		ka, _ := a.Ordinal.AppendKey(nil)
		kb, _ := b.Ordinal.AppendKey(nil)
		return slices.Compare(ka, kb)
	})
	return all, nil
}

// Notice returns one notice.
func (r *Reporter) Notice(ctx context.Context, o evidence.Ordinal) (notice.State, error) {
	var n notice.State
	v, version, err := r.o.Log.Get(ctx, notice.ViewNotices, string(o))
	if err != nil {
		return n, fmt.Errorf("read notice %s: %w", o, err)
	}
	if v == nil {
		return n, &review.Refusal{Code: review.WrongNotice, Sentence: fmt.Sprintf("there is no notice %q; a notice is written like n3", string(o))}
	}
	if err := json.Unmarshal(v, &n); err != nil {
		return n, fmt.Errorf("read notice %s: %w", o, err)
	}
	n.Version = version
	return n, nil
}

// get reads a key of the notices view into v; false where it is absent.
func (r *Reporter) get(ctx context.Context, key string, v any) (bool, error) {
	b, _, err := r.o.Log.Get(ctx, notice.ViewNotices, key)
	if err == nil && b != nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		return false, fmt.Errorf("read %s of the notices: %w", key, err)
	}
	return b != nil, nil
}

// Show returns a notice with its text. The look is recorded first.
func (r *Reporter) Show(ctx context.Context, person string, o evidence.Ordinal, via string) (notice.State, string, error) {
	if _, err := r.desk.Person(ctx, person); err != nil {
		return notice.State{}, "", err
	}
	n, err := r.Notice(ctx, o)
	if err != nil {
		return n, "", err
	}
	_, err = r.o.Log.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(r.o.Now()), Actor: evidence.Person(person), Subject: evidence.Notice(n.Key),
		Body: &evidence.Access{What: "notice", Via: via},
	}}})
	if err != nil {
		return n, "", fmt.Errorf("record the look: %w", err)
	}
	b, err := r.blob(ctx, n.Message)
	if err != nil {
		return n, "", err
	}
	text, err := delivery.Text(b)
	return n, text, err
}

// Resolve says what a person found out about an uncertain notice: that it was sent after all, or that it was not, and then it is
// tried again. It takes the role reviewer, senior or operator.
func (r *Reporter) Resolve(ctx context.Context, person string, o evidence.Ordinal, sent bool, reason string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := r.desk.Person(ctx, person, review.RoleReviewer, review.RoleSenior, "operator")
	if err != nil {
		return err
	}
	n, err := r.Notice(ctx, o)
	if err != nil {
		return err
	}
	if n.Status != notice.Uncertain {
		return &review.Refusal{Code: review.WrongNotice, Sentence: fmt.Sprintf("notice %s is %s; only an uncertain one is resolved", o, n.Status)}
	}
	if reason == "" {
		return &review.Refusal{Code: review.Incomplete, Sentence: fmt.Sprintf("say how you found out what became of notice %s", o)}
	}
	var b evidence.Body = &evidence.NoticeFailed{Reason: n.Reason, ResolvedBy: reason}
	if sent {
		b = &evidence.NoticeSent{MessageID: n.MessageID, ResolvedBy: reason}
	}
	_, err = r.o.Log.Put(ctx, evidence.Batch{
		Drafts: []evidence.Draft{{ID: evidence.NewID(r.o.Now()), Actor: evidence.Person(p.ID), Subject: evidence.Notice(n.Key), Body: b}},
		If:     []evidence.Expect{{View: notice.ViewNotices, Key: string(o), Version: n.Version}},
	})
	if errors.Is(err, evidence.ErrConflict) {
		return &review.Refusal{Code: review.Conflict, Sentence: fmt.Sprintf("somebody else resolved notice %s at the same moment", o)}
	}
	if err != nil {
		return fmt.Errorf("record what became of notice %s: %w", o, err)
	}
	return nil
}
