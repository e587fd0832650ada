// Package retention works out what falls due for erasure, from the log and the configured terms alone. It promises that nothing is due
// before its term is over, that nothing is due which a hold covers, and that nothing is due which was not announced for the whole
// warning: a term that was shortened, an account that is new to it, and a stretch in which it did not run (or a clock that jumped) begin
// the warning anew. It erases nothing itself, and it does not know who may hold what: the daemon hands over holds and terms.
//
// Terms run from the moment at which a record was written, which is when it was observed, but for imports. What counts as collected:
// versions of posts, counts, kept files, and raw replies. Snapshots of the account, deletions, missed files and gaps hold no content and
// stay, as do all envelopes. People's acts have a term of their own.
package retention
