// Package diary tells what the log says in plain language: record by record (Read), and as what a person needs in the morning (Today).
//
// It promises a sentence for every kind of record that package evidence knows, and says so where a record is of a kind or schema that
// this build does not know. It never shows what a post says: lengths and digests stand in its place. Foreign text, such as a channel's
// title or a person's reason, is made visible: control and bidirectional characters are written as code points.
//
// It does not promise that its sentences are evidence. What counts is the record; each entry names its number.
package diary
