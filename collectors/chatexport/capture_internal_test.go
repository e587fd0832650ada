package chatexport

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzCapture reads any bytes as a capture.json. What is taken is taken whole: each post stands where it says, has a number, and
// names no file outside of the folder.
func FuzzCapture(f *testing.F) {
	const head = `{"platform": "x", "account": "https://x.com/sim", "captured_at": "2026-01-31T12:00:00Z", "captured_by": "amna", "tool": "Simulated 1", `
	f.Add("x", []byte(head+`"posts": [{"url": "https://x.com/sim/status/1", "text": "Simulated \ud83d\ude00", "files": [{"path": "a/b.png", "what": "page"}]}]}`))
	f.Add("x", []byte(head+`"posts": [{"url": "https://x.com/i/web/status/2", "text": "\ud800"}, {"url": "https://x.com/sim/status/2", "lang": "ur"}]}`))
	f.Add("x", []byte(`{"posts":[[]],"platform":`))
	f.Add("instagram", []byte(strings.ReplaceAll(head, `"x"`, `"instagram"`)+`"posts": [{"url": "https://instagram.com/p/BA", "id": "64", "text": "Simulated."}]}`))
	f.Add("facebook", []byte(strings.ReplaceAll(head, `"x"`, `"facebook"`)+`"account_id": "7", "posts": [{"url": "https://facebook.com/story.php?story_fbid=5&id=7", "text": "Simulated.", "claimed_at": "2026-01-30T00:00:00+05:00"}]}`))
	f.Fuzz(func(t *testing.T, platform string, raw []byte) {
		if !utf8.ValidString(platform) { // the target's comes from our own configuration
			return
		}
		c, err := readCapture(raw)
		if err == nil {
			err = c.check(CaptureOptions{
				Target: "sim", Platform: platform, Address: "https://x.com/sim",
				Canonical: func(s string) (string, error) { return strings.ToLower(s), nil },
			}, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
		}
		if err != nil {
			if !utf8.ValidString(err.Error()) {
				t.Errorf("the refusal is not text: %q", err)
			}
			return
		}
		for _, p := range c.posts {
			e := p.entry(c)
			if el := raw[p.offset:][:p.length]; !json.Valid(el) || el[0] != '{' {
				t.Errorf("a post is said to stand at %q", el)
			}
			if n, err := strconv.ParseUint(strings.TrimPrefix(e.part, "s"), 10, 64); err != nil || n == 0 {
				t.Errorf("part %q", e.part)
			}
			if !utf8.ValidString(e.body.Text) {
				t.Errorf("text %q", e.body.Text)
			}
			for _, x := range e.files {
				if !filepath.IsLocal(x.path) {
					t.Errorf("path %q", x.path)
				}
			}
		}
	})
}
