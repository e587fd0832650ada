// Package notice turns approved cases into a notice that an abuse desk can act on: a text for people and its twin for machines.
//
// It promises one item a case, the gravest first; that each item names the account and its posts by the platform's permanent
// ids beside the links, keeps *who* (the designation) apart from *what* (the rule broken), quotes the original beside its gloss
// and says who made the gloss; that no name of ours but the organisation's appears, and no media; and that equal input gives
// equal bytes.
//
// Foreign text stands in the text part between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE, line by line, so that a
// right-to-left quote keeps its order and cannot disturb what follows; control characters that it brings along are written
// out as <U+202E>. The machine twin holds the exact text, without isolates.
//
// It does not promise that a link still leads anywhere, nor that "last recorded" means "still up": it is the newest observation
// of which the log holds a record, and unchanged observations leave none.
package notice
