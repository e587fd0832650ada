package review

import (
	"errors"
	"fmt"
)

// Code names the reason of a refusal; it is stable, its sentence is not.
type Code string

// The reasons.
const (
	NotOnRoster       Code = "not-on-roster"       // the person is not, or no longer, on the roster
	UnknownKey        Code = "unknown-key"         // signed by a key that the roster does not hold
	WrongKey          Code = "wrong-key"           // signed by another person's key, or stated under an old one
	BadSignature      Code = "bad-signature"       // not a signature over these bytes in this namespace
	BadStatement      Code = "bad-statement"       // not a statement in its one form
	WrongVault        Code = "wrong-vault"         // stated for another vault
	WrongPerson       Code = "wrong-person"        // stated by another person than the one who hands it in
	WrongCase         Code = "wrong-case"          // no such case, or not in a state that allows this
	WrongNotice       Code = "wrong-notice"        // no such notice, or not in a state that allows this
	WrongTarget       Code = "wrong-target"        // no such target, or not in a state that allows this
	Role              Code = "role"                // the person's roles do not allow this
	SamePerson        Code = "same-person"         // the second person is the first
	SameKey           Code = "same-key"            // the second person signs with the first one's key
	ChangedSince      Code = "changed-since"       // what was judged has changed
	Conflict          Code = "conflict"            // somebody else was faster
	NotFound          Code = "not-found"           // no such post
	AlreadyDecided    Code = "already-decided"     // this version is an exhibit of a case that left already
	ManyAccounts      Code = "many-accounts"       // one case, one account
	Incomplete        Code = "incomplete"          // something required is missing
	QuoteMissing      Code = "quote-missing"       // the quote is not in the exhibit
	Exclusion         Code = "exclusion"           // an exclusion applies, or the question is not answered
	NotApprovedTarget Code = "not-approved-target" // the target has no second person's approval
	NotListed         Code = "not-listed"          // the one who listed the target has not signed that, or not as it is set now
	ListDamaged       Code = "list-damaged"        // what could say that is missing or damaged
	NotReportable     Code = "not-reportable"      // the target is collected but not to be reported
	Suspended         Code = "suspended"           // the target is suspended
	Innocent          Code = "innocent"            // the target is marked as listed by mistake
	NotOpened         Code = "not-opened"          // an exhibit was not opened as it is now by the one who signs
	WrongHold         Code = "wrong-hold"          // no such hold, or released already
	Held              Code = "held"                // a hold keeps it
	InQuarantine      Code = "quarantined"         // the post is out of sight
	Law               Code = "law"                 // the configured law forbids it
	Clock             Code = "clock"               // this machine's clock was set back
)

// Refusal says why an act of a person was not carried out, and what to do next.
type Refusal struct {
	Code     Code   `json:"code"`
	Sentence string `json:"sentence"`
}

// Error returns the sentence.
func (r *Refusal) Error() string { return r.Sentence }

// CodeOf returns the code of the refusal that err holds, or nothing.
func CodeOf(err error) Code {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

func refuse(c Code, format string, args ...any) error {
	return &Refusal{Code: c, Sentence: fmt.Sprintf(format, args...)}
}
