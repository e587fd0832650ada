// Package notice turns approved cases into a notice that an abuse desk can act on: a text for people and its twin for machines.
//
// It promises one item a case, the gravest first; that each item names the account and its posts by the platform's permanent
// ids beside the links, keeps *who* (the designation) apart from *what* (the rule broken), quotes the original beside its gloss
// and says who made the gloss; that no name of ours but the organisation's appears (see NamesOf), and no media; and that equal input gives
// equal bytes.
//
// Foreign text stands in the text part between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE, line by line, so that a
// right-to-left quote keeps its order and cannot disturb what follows; control characters that it brings along are written
// out as <U+202E>. The machine twin holds the exact text, without isolates.
//
// Law is data: law.json names the kinds of notices, who may send each, on which grounds it may rest, what it must hold, whom it
// addresses and what nobody has confirmed. Admissible answers from it, with the sentence why not; law that does not carry a kind
// is not cited in it; what rests on the list of one state alone, or on something to be verified with counsel, needs a senior. An
// authority whose jurisdiction the data does not know counts as one unknown state. The data follows cited public sources and
// is no legal advice.
//
// The view `notices` holds each notice with its answers, objections and corrections. A correction is the last word: an answer
// that comes after it is kept and changes no state.
//
// It does not promise that a link still leads anywhere, nor that "last recorded" means "still up": it is the newest observation
// of which the log holds a record, and unchanged observations leave none.
package notice
