package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// suggest returns the word that was probably meant, empty if none, and the same as an error's end: the word, or all of them.
func suggest(got string, words []string) (meant, hint string) {
	if len(words) > 0 && len(got) <= 40 {
		distance := func(w string) int { return levenshtein.ComputeDistance(strings.ToLower(got), w) }
		best := slices.MinFunc(words, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
		near := max(2, len(best)/3)
		if len(best) < 4 {
			near = len(best) - 2
		}
		if distance(best) <= near {
			return best, fmt.Sprintf("; did you mean %q?", best)
		}
	}
	return "", "; known here: " + strings.Join(words, ", ")
}

// guess is suggest's hint where a word was probably meant, and nothing otherwise.
func guess(got string, words []string) string {
	if meant, hint := suggest(got, words); meant != "" {
		return hint
	}
	return ""
}
