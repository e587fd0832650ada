package review

import (
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The states of a case.
const (
	CaseOpen     = "open"     // opened, nothing decided; or a third person set aside that nothing was to be done
	CaseDecided  = "decided"  // to be reported, or decided blind, and waiting for a second person
	CaseClosed   = "closed"   // no action
	CaseApproved = "approved" // a second person agreed; in no notice yet
	CaseRejected = "rejected" // a second person refused; can be decided again
	CaseNoticed  = "noticed"  // in a notice
)

// The outcomes of a decision.
const (
	OutcomeReport   = "report"
	OutcomeNoAction = "no_action"
)

// Case is an entry of the cases view under its ordinal, such as `c9`; its version is the key's. Other keys: `open/aN` names
// the account's case that can be decided, `post/aN/POST` the case in which a post was decided, `notice/nN` the cases of a notice, `last/aN` the account's newest case.
type Case struct {
	Ordinal  evidence.Ordinal `json:"ordinal"`
	Key      string           `json:"key"`
	Account  evidence.Ordinal `json:"account"`
	Target   string           `json:"target"`
	Status   string           `json:"status"`
	OpenedAt evidence.Time    `json:"opened_at"`
	Decision *Decided         `json:"decision,omitempty"`
	Approval *Approved        `json:"approval,omitempty"`
	Notice   evidence.Ordinal `json:"notice,omitempty"`
	Delivery string           `json:"delivery,omitempty"` // drafted, attempted, sent, failed, uncertain
	Refused  *Approved        `json:"refused,omitempty"`  // the second person's refusal that a third has decided upon
	Follows  evidence.Ordinal `json:"follows,omitempty"`  // the account's case before, which further exhibits came after
	Version  int64            `json:"version"`            // set by readers, not stored
	Frozen   string           `json:"frozen,omitempty"`   // set by readers: why nothing can be decided now
}

// Decided is the standing decision of a case.
type Decided struct {
	evidence.RecordRef
	Person      string             `json:"person"`
	Fingerprint string             `json:"fingerprint"`
	At          evidence.Time      `json:"at"`
	Outcome     string             `json:"outcome"`
	Severity    string             `json:"severity,omitempty"` // the highest of its passages
	Exhibits    []evidence.Exhibit `json:"exhibits"`
	Designation evidence.RecordRef `json:"designation"`     // the target.set that it rests on
	Blind       bool               `json:"blind,omitempty"` // taken where review is blind: it waits, whatever its outcome
}

// Approved is the second person's word on the standing decision.
type Approved struct {
	evidence.RecordRef
	Person      string        `json:"person"`
	Fingerprint string        `json:"fingerprint"`
	At          evidence.Time `json:"at"`
	Agree       bool          `json:"agree"`
	Outcome     string        `json:"outcome,omitempty"` // of a blind answer: what it came to
	Comment     string        `json:"comment,omitempty"`
}

// decidedPost says in which case, and in which version, a post was decided.
type decidedPost struct {
	Case evidence.Ordinal `json:"case"`
	Seq  int64            `json:"seq"`
}

func openKey(account evidence.Ordinal) string { return "open/" + string(account) }
func lastKey(account evidence.Ordinal) string { return "last/" + string(account) }
func postKey(post evidence.Ordinal) string    { return "post/" + string(post) }

func applyCases(r evidence.Record, kv evidence.KV) error {
	switch r.Kind {
	case evidence.KindCaseOpened:
		return applyCaseOpened(r, kv)
	case evidence.KindDecision:
		return applyDecision(r, kv)
	case evidence.KindApproval:
		return applyApproval(r, kv)
	case evidence.KindNoticeDrafted:
		return applyDrafted(r, kv)
	case evidence.KindNoticeAttempted, evidence.KindNoticeSent, evidence.KindNoticeFailed,
		evidence.KindNoticeUncertain, evidence.KindNoticeWithdrawn:
		return applyDelivery(r, kv)
	}
	return nil
}

func applyCaseOpened(r evidence.Record, kv evidence.KV) error {
	b, ok := body[*evidence.CaseOpened](r)
	if !ok {
		return nil
	}
	c := Case{
		Ordinal: r.Subject, Key: b.Key, Account: b.Account.Ordinal, Target: b.Target, Status: CaseOpen, OpenedAt: r.At,
		Follows: b.Follows,
	}
	if err := kv.Put(lastKey(c.Account), []byte(c.Ordinal)); err != nil {
		return err
	}
	if err := kv.Put(openKey(c.Account), []byte(c.Ordinal)); err != nil {
		return err
	}
	return put(kv, string(c.Ordinal), c)
}

// signedIn returns what a person signed and the case that it is about; false where one of them is not to be had.
func signedIn(r evidence.Record, kv evidence.KV) (c Case, st evidence.Statement, ok bool, err error) {
	b, err := evidence.DecodeBody(r)
	if err != nil {
		return c, st, false, nil //nolint:nilerr // a view skips what is erased or unknown
	}
	switch b := b.(type) {
	case *evidence.Decision:
		st, ok = statement(b.Signed)
	case *evidence.Approval:
		st, ok = statement(b.Signed)
	}
	if ok {
		ok, err = load(kv, string(r.Subject), &c)
	}
	return c, st, ok, err
}

func applyDecision(r evidence.Record, kv evidence.KV) error {
	c, st, ok, err := signedIn(r, kv)
	if !ok {
		return err
	}
	if err := c.release(kv); err != nil {
		return err
	}
	c.Decision = &Decided{
		RecordRef: refOf(r), Person: st.Person, Fingerprint: st.Fingerprint, At: r.At,
		Outcome: st.Outcome, Exhibits: st.Exhibits, Blind: st.Blind,
	}
	c.Approval, c.Refused = nil, nil
	c.Status = CaseClosed
	if st.Outcome == OutcomeReport || st.Blind {
		c.Status = CaseDecided
	}
	if st.Grounds != nil {
		c.Decision.Severity, c.Decision.Designation = highest(st.Grounds.Passages), st.Grounds.Designation
	}
	return c.settle(kv)
}

// settle stores a case that waits for no first person: its posts are decided, and the account's next decision is in another case.
func (c Case) settle(kv evidence.KV) error {
	for _, e := range c.decided().Exhibits {
		if err := put(kv, postKey(e.Post), decidedPost{c.Ordinal, e.Seq}); err != nil {
			return err
		}
	}
	if open, _ := kv.Get(openKey(c.Account)); string(open) == string(c.Ordinal) {
		if err := kv.Delete(openKey(c.Account)); err != nil {
			return err
		}
	}
	return put(kv, string(c.Ordinal), c)
}

// decided returns what a word on the standing decision is compared with; an empty statement where the decision's body was erased.
func (c Case) decided() evidence.Statement {
	if c.Decision == nil {
		return evidence.Statement{}
	}
	return evidence.Statement{Type: evidence.StatementDecision, Outcome: c.Decision.Outcome, Exhibits: c.Decision.Exhibits}
}

// release takes the case's posts out of the list of decided ones.
func (c Case) release(kv evidence.KV) error {
	for _, e := range c.decided().Exhibits {
		var d decidedPost
		ok, err := load(kv, postKey(e.Post), &d)
		if err == nil && ok && d.Case == c.Ordinal {
			err = kv.Delete(postKey(e.Post))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func applyApproval(r evidence.Record, kv evidence.KV) error {
	c, st, ok, err := signedIn(r, kv)
	if !ok {
		return err
	}
	word := &Approved{
		RecordRef: refOf(r), Person: st.Person, Fingerprint: st.Fingerprint, At: r.At, Agree: st.Agrees(c.decided()), Outcome: st.Outcome,
		Comment: st.Comment,
	}
	if st.Type == evidence.StatementAdjudication {
		c.Refused = c.Approval
	}
	c.Approval = word
	switch report := c.decided().Outcome == OutcomeReport; {
	case word.Agree && report:
		c.Status = CaseApproved
	case word.Agree || st.Type == evidence.StatementAdjudication && report:
		c.Status = CaseClosed
	case st.Type == evidence.StatementAdjudication:
		c.Status = CaseOpen
	default:
		c.Status = CaseRejected
	}
	if c.Status == CaseOpen || c.Status == CaseRejected {
		return c.reopen(kv)
	}
	return c.settle(kv)
}

// reopen stores a case that waits for a first person: its posts are undecided, and it is the account's case unless another is.
func (c Case) reopen(kv evidence.KV) error {
	if err := c.release(kv); err != nil {
		return err
	}
	if open, _ := kv.Get(openKey(c.Account)); open == nil {
		if err := kv.Put(openKey(c.Account), []byte(c.Ordinal)); err != nil {
			return err
		}
	}
	return put(kv, string(c.Ordinal), c)
}

func applyDrafted(r evidence.Record, kv evidence.KV) error {
	b, ok := body[*evidence.NoticeDrafted](r)
	if !ok {
		return nil
	}
	var in []evidence.Ordinal
	for _, nc := range b.Cases {
		var c Case
		if ok, err := load(kv, string(nc.Case), &c); err != nil {
			return err
		} else if !ok {
			continue
		}
		c.Status, c.Notice, c.Delivery = CaseNoticed, r.Subject, "drafted"
		if err := put(kv, string(c.Ordinal), c); err != nil {
			return err
		}
		in = append(in, c.Ordinal)
	}
	return put(kv, "notice/"+string(r.Subject), in)
}

// applyDelivery follows the notice: a case whose notice was withdrawn before it left is free for another one.
func applyDelivery(r evidence.Record, kv evidence.KV) error {
	var in []evidence.Ordinal
	if ok, err := load(kv, "notice/"+string(r.Subject), &in); !ok {
		return err
	}
	for _, o := range in {
		var c Case
		if ok, err := load(kv, string(o), &c); err != nil {
			return err
		} else if !ok || c.Notice != r.Subject {
			continue
		}
		switch r.Kind {
		case evidence.KindNoticeAttempted:
			c.Delivery = "attempted"
		case evidence.KindNoticeSent:
			c.Delivery = "sent"
		case evidence.KindNoticeFailed:
			c.Delivery = "failed"
		case evidence.KindNoticeUncertain:
			c.Delivery = "uncertain"
		case evidence.KindNoticeWithdrawn:
			c.Status, c.Notice, c.Delivery = CaseApproved, "", ""
			switch {
			case c.Decision == nil: // it was erased
				c.Status, c.Approval = CaseOpen, nil
			case c.Approval == nil || r.Actor.Space() == evidence.SpacePerson:
				c.Status, c.Approval = CaseDecided, nil // whoever took it back has a reason: a second person looks again
			}
		}
		if err := put(kv, string(c.Ordinal), c); err != nil {
			return err
		}
	}
	return nil
}
