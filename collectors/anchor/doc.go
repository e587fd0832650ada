// Package anchor has outsiders confirm the log's head: time-stamping authorities (RFC 3161) and witnesses (c2sp.org/tlog-cosignature).
//
// It promises that a token is verified before it is recorded: its signature, its chain to the roots that the operator gave, that its
// certificate is for time-stamping alone, that it answers this request and is over these bytes. An authority that is down delays
// nothing: it is asked again later, about the newest checkpoint.
//
// What an anchor proves: the checkpoint, and with it every record below its size, was there at that time by the outsider's clock, as
// long as the outsider is honest and its key was safe. It says nothing about whether the records are true or complete, and an
// authority that the operator runs itself proves only the operator's own clock. Revocation is not looked up.
package anchor
