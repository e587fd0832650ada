// Package bundle packs exhibits into a bag that a stranger can verify, and verifies such bags.
//
// A bag (BagIt 1.0, RFC 8493) holds the exact bytes of the log records that an exhibit rests on, a Merkle inclusion proof for
// each, the signed checkpoint that the proofs lead to, the files that those records name, and pages for people. Build promises
// that a finished bag is complete and durable before its `bundle.built` record is written, that nothing is ever overwritten,
// and that every file under data/raw and data/exhibits is named by a body in the bag. Verify needs the bag and nothing else;
// trust roots (allowed signers, the log's key) come from its caller, because a bag cannot vouch for itself.
//
// What is not promised: that the platform's author is who the account says; that collection was complete (data/coverage.json
// states the gaps and what was left out); or that data/report.html is true, which is a rendering and proved by nothing but the
// bundle's signature. Only the records count. An outside anchor proves that a record
// was there by a time, not when it came; and a witness's line in SIZE.cosigned is verified only where the reader brings the witness's key.
//
// Tokens are verified by whoever is handed over (Stamps): one package reads time-stamps, and siblings are wired by the daemon.
//
// html/template is used for the report page here as it is in the console: the page holds text of strangers, and escaping by
// hand is how such pages go wrong.
package bundle
