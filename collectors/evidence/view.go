package evidence

import "strings"

// View is a table that is derived from the log and nothing else. Its owner supplies it, the program holds the one list, and
// fsck rebuilds every view from record 0 and compares.
type View struct {
	Name    string // unique, [a-z.]+
	Version int    // raised whenever Apply changes meaning; the vault then rebuilds the view when it opens
	// Apply brings the view up to date with one record. It must be pure: no clock, no randomness, nothing but the record and the
	// view's own keys. It must skip kinds and schemas that it does not know, and bodies that are erased.
	Apply func(Record, KV) error
}

// KV is a view's keys, sorted by bytes. Values belong to the caller after the call.
type KV interface {
	// Get returns a key's value and version; the value is nil where the key is absent or deleted.
	Get(key string) (value []byte, version int64)
	// Put sets a key; its version becomes one more than the sequence number of the record being applied.
	Put(key string, value []byte) error
	// Delete leaves a tombstone that carries the version.
	Delete(key string) error
	// Each calls fn for every live key with the prefix, ascending, until fn returns false.
	Each(prefix string, fn func(key string, value []byte, version int64) bool)
}

// ValidText returns s with invalid UTF-8 replaced by U+FFFD, and whether anything was replaced. Bodies hold the result and the
// mark; the original stays in the raw bytes, since encoding/json would replace it without a word.
func ValidText(s string) (string, bool) {
	v := strings.ToValidUTF8(s, "\uFFFD")
	return v, v != s
}
