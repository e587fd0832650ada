package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// Where 0 is for never it can be said; elsewhere it stays a mistake.
func TestAnIntervalOfNever(t *testing.T) {
	for text, want := range map[string]string{
		"scrub: {every: 0}\nbackup: {to: copies, every: 0}\n": "",
		"scrub: {every: 0s}\n":                                "scrub.every: must be from 1ms",
		"anchors: {every: 0}\n":                               "anchors.every: must be from 1ms",
	} {
		var got []string
		for _, e := range errorsOf(t, text) {
			if strings.Contains(e, "every") {
				got = append(got, e)
			}
		}
		if all := strings.Join(got, "\n"); want == "" && all != "" || !strings.Contains(all, want) {
			t.Errorf("%q: got %q, want %q", text, all, want)
		}
	}
}

func errorsOf(t *testing.T, text string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "muhafiz.yaml")
	writeFile(t, path, []byte(text), 0o600)
	_, err := Load(path, Options{NoSecrets: true})
	var errs Errors
	if !errors.As(err, &errs) {
		t.Fatalf("%q: %v", text, err)
	}
	var out []string
	for _, e := range errs {
		out = append(out, e.Error())
	}
	return out
}
