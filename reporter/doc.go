// Package reporter is the loop that turns approved cases into notices and sees them off.
//
// It promises that a notice leaves only while each of its cases stands approved by two people and its target may be reported;
// that a record says `attempted` before the first byte leaves and `sent`, `failed` or `uncertain` after; that what is uncertain
// is never sent again until a person has found out; that a missed run is caught up once and misses never stack, also over a
// restart, since the last run is a record; and that one bad case holds up no other.
//
// It does not promise exactly one copy where a mail server takes a message and then loses its own memory of it, nor that
// anybody reads what was sent.
package reporter
