// Package review is where people judge: the roster, the approval of targets, cases, decisions and approvals.
//
// It promises that nothing is decided, approved or begun unless a person of the roster signed the exact statement with the key
// that the roster holds for them, that the statement names this vault, the version of the case and the leaf hash of every
// exhibit as it stands now, and that the second person differs from the first in person and in key. Who signs for exhibits has
// opened each of them in that version. Whoever looks, leaves an access record before they see anything. Where the second person
// refuses, a third and senior one may decide. Any one person suspends a target or marks it innocent: it stops with every other
// target of its address and account, its content is hidden, its cases are frozen, and only two people together lift that. Every
// refusal is a *Refusal: a code for programs, a sentence for people.
//
// It does not promise that a reader is who they say: a look, a suspension and a mark are attributed to the person whom the caller
// names, and so is a listing; only decisions, approvals, relistings and adjudications are proved by a signature. A post
// that changes between the last check and the commit is not noticed here: the newer version then stands in the log with a lower
// number than the decision, for everyone to see, and the approver is refused.
package review
