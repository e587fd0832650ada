// Package audit takes the acts out of a log, for whoever looks for misuse: every listing, approval, suspension, mark, case, decision,
// notice, look, refusal, bundle, key and run, as exact envelopes and bodies with RFC 6962 inclusion proofs under a fresh checkpoint.
//
// It promises that no content leaves: bodies of observations are never in an export, and decisions, which quote posts, and what others
// answered only where that was asked for. An export lists what it withheld.
//
// Inclusion proofs do not show that nothing was left out. Only a complete export does, which holds the envelopes of all records (an
// envelope holds no content): the whole tree is then recomputed from its leaves. acts.txt is a reading aid and is not proved.
package audit
