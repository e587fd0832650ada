package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// setDefaults sets the defaults of v and of the structs within it.
func setDefaults(v reflect.Value) {
	if v.Kind() != reflect.Struct {
		return
	}
	if x, ok := v.Addr().Interface().(defaulter); ok {
		x.setDefaults()
	}
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			setDefaults(v.Field(i))
		}
	}
}

func tag(f reflect.StructField) (name string, opts []string) {
	parts := strings.Split(f.Tag.Get("yaml"), ",")
	if parts[0] == "-" {
		return "", nil
	}
	return parts[0], parts[1:]
}

func fieldByKey(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if name, _ := tag(t.Field(i)); name != "" && name == key {
			return t.Field(i), true
		}
	}
	return reflect.StructField{}, false
}

func requiredKeys(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if name, opts := tag(t.Field(i)); slices.Contains(opts, "required") {
			keys = append(keys, name)
		}
	}
	return keys
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if name, _ := tag(t.Field(i)); name != "" {
			keys = append(keys, name)
		}
	}
	return keys
}

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
