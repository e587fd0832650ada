// Package review is where people judge: the roster, the approval of targets, cases, decisions and approvals.
//
// It promises that nothing is decided, approved or begun unless a person of the roster signed the exact statement with the key
// that the roster holds for them, that the statement names this vault, the version of the case and the leaf hash of every
// exhibit as it stands now, and that the second person differs from the first in person and in key. Whoever looks, leaves an
// access record before they see anything. Every refusal is a *Refusal: a code for programs, a sentence for people.
//
// It does not promise that a reader is who they say: a look is attributed to the person whom the caller names, only decisions
// and approvals are proved by a signature. A post that changes between the last check and the commit is not noticed here: the
// newer version then stands in the log with a lower number than the decision, for everyone to see, and the approver is
// refused.
package review
