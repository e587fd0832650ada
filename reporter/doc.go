// Package reporter is the loop that turns approved cases into notices and sees them off.
//
// It promises that a notice leaves only while each of its cases stands approved by two people and its target may be reported;
// that a record says `attempted` before the first byte leaves and `sent`, `failed` or `uncertain` after; that what is uncertain
// is never sent again until a person has found out; that a missed run is caught up once and misses never stack, also over a
// restart, since the last run is a record; and that one bad case holds up no other.
//
// It also promises that a kind of notice leaves only on a ground that the law as data admits, that what rests on one state's list
// alone waits for a senior who is a third person with a third key, that a threat to life stands alone and is held up by no cap, that
// what the addressee has before them is not said again, and that refusals lower the daily cap (see quota). One person puts a
// mistake right: Correct and Withdraw tell everyone who got a notice, at once.
//
// It does not promise exactly one copy where a mail server takes a message and then loses its own memory of it, nor that
// anybody reads what was sent.
package reporter
