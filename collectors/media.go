package collectors

import "strings"

// MediaPolicy narrows down which files of a target are kept. The zero value narrows nothing down.
type MediaPolicy struct {
	MaxBytesOf   map[string]int64 // by kind of media; where it is set, instead of the target's MaxBytes
	AllowMIME    []string         // types such as image/jpeg or image/*; empty: all
	DenyMIME     []string         // outranks AllowMIME
	NoThumbnails bool             // keep no smaller rendering of what is over its limit
}

// Limit returns the largest file of a kind to keep, 0 for no limit, and the rule that says so.
func (t Target) Limit(kind string) (limit int64, rule string) {
	if n, ok := t.Policy.MaxBytesOf[kind]; ok {
		return n, "collect.max_bytes_of." + kind
	}
	return t.MaxBytes, "collect.max_bytes"
}

// Refuses returns the rule by which a type is not kept, or nothing. A type that nobody knows is refused where only some are allowed.
func (p MediaPolicy) Refuses(mime string) (rule string) {
	if p.Denies(mime) {
		return "collect.mime.deny"
	}
	if len(p.AllowMIME) > 0 && !matches(p.AllowMIME, mime) {
		return "collect.mime.allow"
	}
	return ""
}

// Denies reports whether a type must not be kept whatever else is allowed: it is asked again of the type that the bytes show.
func (p MediaPolicy) Denies(mime string) bool { return matches(p.DenyMIME, mime) }

func matches(patterns []string, mime string) bool {
	mime, _, _ = strings.Cut(strings.ToLower(mime), ";")
	mime = strings.TrimSpace(mime)
	for _, p := range patterns {
		p = strings.ToLower(p)
		if family, ok := strings.CutSuffix(p, "/*"); ok && strings.HasPrefix(mime, family+"/") || p == mime {
			return true
		}
	}
	return false
}
