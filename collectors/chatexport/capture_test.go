package chatexport_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/chatexport"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

const png = "\x89PNG\r\n\x1a\n simulated"

// captured is a folder with a capture.json and, where it names them, shot.png and photo.jpg.
func captured(t *testing.T, js string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"capture.json": js, "shot.png": png, "photo.jpg": "\xff\xd8\xff simulated"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const capturedHead = `{"platform": "x", "account": "https://x.com/Northhaven_Sim", "captured_at": "2026-01-31T12:00:00Z", "captured_by": "amna", "tool": "Simulated Browser 1",`

func posts(list ...string) string {
	return capturedHead + ` "posts": [` + strings.Join(list, ",\n") + "]}"
}

func tweet(n int, text string) string {
	return fmt.Sprintf(`{"url": "https://x.com/northhaven_sim/status/%d", "text": %q}`, n, text)
}

func captureOptions(v *vault.Vault, path string) chatexport.CaptureOptions {
	return chatexport.CaptureOptions{
		Sink: v, Target: "sim", Platform: "x", Address: "https://x.com/northhaven_sim", Path: path, Operator: "bilal", Build: "test",
		Canonical: func(s string) (string, error) {
			if !strings.Contains(s, "://") {
				return "", errors.New("no address")
			}
			return strings.ToLower(s), nil
		},
		Now: func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) },
	}
}

func importCapture(t *testing.T, o chatexport.CaptureOptions) chatexport.CaptureReport {
	t.Helper()
	r, err := chatexport.ImportCapture(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Messages != r.Posts+r.Unchanged {
		t.Errorf("not every post is accounted for: %+v", r)
	}
	return r
}

func TestImportCapture(t *testing.T) {
	v := vaulttest.New(t)
	first := `{"url": "https://twitter.com/Northhaven_Sim/status/18446744073709551615?s=20", "text": "Simulated \ud83d\ude00 text.", "lang": "en", "claimed_at": "2026-01-30T10:00:00+05:00", "claimed_local": "10:00",
	  "files": [{"path": "shot.png", "what": "screenshot"}, {"path": "photo.jpg", "what": "media"}, {"path": "gone.png", "what": "media"}]}`
	js := posts(first, tweet(7, "Second, simulated."))
	o := captureOptions(v, captured(t, js))
	r := importCapture(t, o)
	if r.Posts != 2 || r.MediaKept != 2 || r.MediaMissed["missing"] != 1 || r.Account != "northhaven_sim" || r.CapturedBy != "amna" {
		t.Errorf("report: %+v", r)
	}
	seen := bodies[*evidence.PostSeen](t, v)
	if len(seen) != 2 || seen[0].Text != "Simulated 😀 text." || seen[0].Vantage != "amna" || seen[0].Method != evidence.MethodCapture || len(seen[0].Media) != 2 {
		t.Fatalf("posts: %+v", seen)
	}
	if got := js[seen[0].Raw.Offset:][:seen[0].Raw.Length]; got != first || seen[0].RawExact {
		t.Errorf("raw: %s", got)
	}
	if _, err := v.Ordinal(t.Context(), evidence.Name{Space: evidence.SpaceAccount, Key: "x account northhaven_sim"}); err != nil {
		t.Error(err)
	}
	a := bodies[*evidence.Acquisition](t, v)[0]
	if a.Method != chatexport.MethodManual || a.Operator != "bilal" || a.Reply.Size != int64(len(js)) || !strings.Contains(string(a.Request), "Simulated Browser 1") {
		t.Errorf("acquisition: %+v", a)
	}
	if again := importCapture(t, o); again.Records != 0 || again.Unchanged != 2 || again.MediaMissed["missing"] != 1 {
		t.Errorf("again: %+v", again)
	}

	// The missing file turns up, and another capture shows the same post with another screenshot: no new version of the post.
	if err := os.WriteFile(filepath.Join(o.Path, "gone.png"), []byte(png), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := importCapture(t, o); r.MediaKept != 1 || r.Posts != 0 {
		t.Errorf("with the file: %+v", r)
	}
	o.Path = captured(t, strings.Replace(posts(`{"url": "https://x.com/i/web/status/7", "id": "7", "text": "Second, simulated.", "files": [{"path": "shot.png", "what": "screenshot"}]}`), "12:00", "13:00", 1))
	if r := importCapture(t, o); r.Posts != 0 || r.MediaKept != 1 {
		t.Errorf("another screenshot: %+v", r)
	}
}

func TestCapturesThatAreRefused(t *testing.T) {
	file := func(path string) string {
		return posts(fmt.Sprintf(`{"url": "https://x.com/northhaven_sim/status/1", "files": [{"path": %q, "what": "media"}]}`, path))
	}
	for name, c := range map[string]struct{ js, says string }{
		"path escape":     {file("../shot.png"), "does not stay in the capture's folder"},
		"absolute path":   {file("/etc/hostname"), "does not stay in the capture's folder"},
		"symbolic link":   {file("link.png"), "symbolic link"},
		"linked folder":   {file("dir/shot.png"), "symbolic link"},
		"unknown key":     {posts(`{"url": "https://x.com/northhaven_sim/status/1", "txt": "a"}`), `the key "txt"`},
		"a key twice":     {posts(`{"url": "https://x.com/northhaven_sim/status/1", "text": "a", "text": "b"}`), "twice"},
		"a key lacks":     {`{"platform": "x", "posts": []}`, "lacks the key"},
		"another case":    {posts(`{"URL": "https://x.com/northhaven_sim/status/1"}`), `the key "URL"`},
		"other account":   {strings.Replace(posts(tweet(1, "a")), "Northhaven_Sim", "other_sim", 1), "is another account than target sim"},
		"other's post":    {posts(`{"url": "https://x.com/other_sim/status/1", "text": "a"}`), "is another account than target sim"},
		"other platform":  {strings.Replace(posts(tweet(1, "a")), `"x"`, `"instagram"`, 1), "target sim is on x"},
		"huge text":       {posts(tweet(1, strings.Repeat("a", 300<<10))), "at most 262144 are taken"},
		"huge file":       {strings.Repeat(" ", 17<<20), "larger than 16 MiB"},
		"invalid UTF-8":   {posts(`{"url": "https://x.com/northhaven_sim/status/1", "text": "` + "\xff" + `"}`), "is not UTF-8 (byte"},
		"duplicate ids":   {posts(tweet(1, "a"), tweet(1, "b")), "are the same post 1"},
		"two numbers":     {posts(`{"url": "https://x.com/northhaven_sim/status/1", "id": "2", "text": "a"}`), "id says 2"},
		"no number":       {posts(`{"url": "https://x.com/northhaven_sim/status/soon", "text": "a"}`), "is not the link of a post"},
		"over 64 bits":    {posts(`{"url": "https://x.com/northhaven_sim/status/18446744073709551616", "text": "a"}`), "is not the link of a post"},
		"nothing seen":    {posts(`{"url": "https://x.com/northhaven_sim/status/1"}`), "neither text nor a file"},
		"no post":         {posts(), "holds no post"},
		"the future":      {strings.Replace(posts(tweet(1, "a")), "2026-01-31", "2026-02-03", 1), "lies in the future"},
		"not a time":      {strings.Replace(posts(tweet(1, "a")), "2026-01-31T", "yesterday ", 1), "captured_at is"},
		"not JSON":        {capturedHead, "is not JSON at byte"},
		"empty":           {"", "is not JSON at byte"},
		"a list":          {"[]", "is not an object"},
		"a number's text": {posts(`{"url": "https://x.com/northhaven_sim/status/1", "text": 5}`), "is not a text"},
		"posts no list":   {capturedHead + ` "posts": 1}`, "posts"},
		"half a pair":     {posts(`{"url": "https://x.com/northhaven_sim/status/1", "text": "a", "claimed_local": "\ud800"}`), "half a surrogate pair"},
	} {
		t.Run(name, func(t *testing.T) {
			v := vaulttest.New(t)
			dir := captured(t, c.js)
			for link, to := range map[string]string{"link.png": "shot.png", "dir": "."} {
				if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			size := v.Size()
			_, err := chatexport.ImportCapture(t.Context(), captureOptions(v, dir))
			if !errors.Is(err, chatexport.ErrRefused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want a refusal that says %q", err, c.says)
			}
			if v.Size() != size {
				t.Error("something was written")
			}
		})
	}
}

// TestCaptureIsAFileItself refuses a capture.json that is a link to another file.
func TestCaptureIsAFileItself(t *testing.T) {
	dir := captured(t, posts(tweet(1, "a")))
	if err := os.Rename(filepath.Join(dir, "capture.json"), filepath.Join(dir, "real.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.json", filepath.Join(dir, "capture.json")); err != nil {
		t.Fatal(err)
	}
	_, err := chatexport.ImportCapture(t.Context(), captureOptions(vaulttest.New(t), dir))
	if !errors.Is(err, chatexport.ErrRefused) || !chatexport.IsCapture(dir) {
		t.Errorf("got %v", err)
	}
}

// TestCaptureLinks reads the forms of post links, and writes them again.
func TestCaptureLinks(t *testing.T) {
	for _, c := range []struct{ platform, address, url, id, part, link string }{
		{"instagram", "https://www.instagram.com/sim.sim", "https://www.instagram.com/p/B_sim-00000/?hl=en", "", "2300365722059230516", "https://www.instagram.com/p/B_sim-00000/"},
		{"instagram", "https://www.instagram.com/sim.sim", "https://instagram.com/sim.sim/reel/BA/", "", "64", "https://www.instagram.com/p/BA/"},
		{"instagram", "https://www.instagram.com/sim.sim", "https://instagram.com/stories/sim.sim/77/", "", "s77", "https://www.instagram.com/stories/sim.sim/77"},
		{"instagram", "https://www.instagram.com/sim.sim", "https://instagram.com/p/B_sim-00000B_sim-00000B_sim/", "", "", "no number of a public post"},
		{"facebook", "https://www.facebook.com/sim.sim", "https://m.facebook.com/sim.sim/posts/some-words/55", "", "55", "https://www.facebook.com/sim.sim/posts/55"},
		{"facebook", "https://www.facebook.com/sim.sim", "https://www.facebook.com/sim.sim/posts/pfbid0Sim", "56", "56", "https://www.facebook.com/sim.sim/posts/56"},
		{"facebook", "https://www.facebook.com/sim.sim", "https://www.facebook.com/sim.sim/posts/pfbid0Sim", "", "", "makes anew from time to time"},
		{"facebook", "https://www.facebook.com/sim.sim", "https://www.facebook.com/permalink.php?story_fbid=pfbid0Sim&id=12345", "56", "", "give account_id"},
		{"facebook", "https://www.facebook.com/profile.php?id=12345", "https://www.facebook.com/permalink.php?story_fbid=pfbid0Sim&id=12345", "56", "56", "https://www.facebook.com/permalink.php?story_fbid=56&id=12345"},
		{"facebook", "https://www.facebook.com/profile.php?id=12345", "https://www.facebook.com/permalink.php?story_fbid=pfbid0Sim&id=pfbid0Acc", "56", "", "names its account by a pfbid"},
		{"facebook", "https://www.facebook.com/sim.sim", "https://www.facebook.com/sim.sim/posts/soon", "", "", "give it as id"},
		{"facebook", "https://www.facebook.com/sim.sim", "https://www.facebook.com/groups/sim/posts/5", "", "", "in a group"},
		{"facebook", "https://www.facebook.com/sim.sim", "https://www.facebook.com/permalink.php?story_fbid=5&id=12345", "", "", "give account_id"},
		{"facebook", "https://www.facebook.com/profile.php?id=12345", "https://www.facebook.com/permalink.php?story_fbid=5&id=12345", "", "5", "https://www.facebook.com/permalink.php?story_fbid=5&id=12345"},
		{"facebook", "https://www.facebook.com/profile.php?id=12345", "https://www.facebook.com/permalink.php?story_fbid=5&id=54321", "", "", "of account 54321"},
	} {
		v := vaulttest.New(t)
		o := captureOptions(v, captured(t, fmt.Sprintf(`{"platform": %q, "account": %q, "captured_at": "2026-01-31T12:00:00Z", "captured_by": "amna", "tool": "Simulated Browser 1", "posts": [{"url": %q, "id": %q, "text": "Simulated."}]}`,
			c.platform, c.address, c.url, c.id)))
		o.Platform, o.Address = c.platform, c.address
		_, err := chatexport.ImportCapture(t.Context(), o)
		if c.part == "" {
			if err == nil || !strings.Contains(err.Error(), c.link) {
				t.Errorf("%s: %v, want %q", c.url, err, c.link)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		post := evidence.Ordinal("a1/" + c.part)
		if n := 0; v.About(t.Context(), post, func(evidence.Record) error { n++; return nil }) != nil || n != 1 {
			t.Errorf("%s: %d records of %s", c.url, n, post)
		}
		if got := evidence.PostLink(c.platform, c.address, post); got != c.link {
			t.Errorf("%s: link %s, want %s", c.url, got, c.link)
		}
	}
}

// TestCaptureIdentity keeps one account one, however captures name it.
func TestCaptureIdentity(t *testing.T) {
	withID := strings.Replace(posts(tweet(1, "a")), `"captured_by"`, `"account_id": "123", "captured_by"`, 1)
	v := vaulttest.New(t)
	o := captureOptions(v, captured(t, withID))
	if r := importCapture(t, o); r.Account != "123" {
		t.Errorf("account %s", r.Account)
	}
	o.BoundAccount = "123"
	o.Path = captured(t, posts(tweet(2, "b")))
	if r := importCapture(t, o); r.Account != "123" {
		t.Errorf("account %s", r.Account)
	}
	o.BoundAccount = "124"
	o.Path = captured(t, withID)
	if _, err := chatexport.ImportCapture(t.Context(), o); !errors.Is(err, chatexport.ErrRefused) || !strings.Contains(err.Error(), "the log knows target sim as 124") {
		t.Errorf("got %v", err)
	}
}

// TestCapturesTellOfTheirAccount makes a record of what the account's page showed, once as long as it shows the same.
func TestCapturesTellOfTheirAccount(t *testing.T) {
	with := func(shows string, n int) string {
		return strings.Replace(posts(tweet(n, "Simulated.")), `"posts"`, `"account_shows": `+shows+`, "posts"`, 1)
	}
	v := vaulttest.New(t)
	for i, shows := range []string{
		`{"name": "Northhaven (simulated)", "description": "Bland.", "followers": 12500, "verified": true, "created_at": "2020-02-01T00:00:00Z"}`,
		`{"name": "Northhaven (simulated)", "description": "Bland.", "followers": 12600, "verified": true, "created_at": "2020-02-01T00:00:00Z"}`,
		`{"name": "Northhaven, renamed (simulated)"}`,
	} {
		importCapture(t, captureOptions(v, captured(t, with(shows, i+1))))
	}
	seen := bodies[*evidence.AccountSeen](t, v)
	if len(seen) != 2 {
		t.Fatalf("%d records, want 2: the number of followers alone makes none", len(seen))
	}
	if a := seen[0]; a.Method != evidence.MethodCapture || a.Vantage != "amna" || a.Title != "Northhaven (simulated)" || a.About != "Bland." ||
		a.Subscribers != 12500 || !a.Verified || a.CreatedAt.Year() != 2020 || strings.Join(a.Usernames, " ") != "northhaven_sim" || a.Observed.From.IsZero() {
		t.Errorf("got %+v", a)
	}
	for shows, says := range map[string]string{
		`{}`: "lacks the key", `{"name": " "}`: "name is empty", `[]`: "is not an object", `{"name": "a", "followers": "12K"}`: "in digits",
		`{"name": "a", "followers": -1}`: "in digits", `{"name": "a", "verified": 1}`: "true or false", `{"name": "a", "created_at": "May 2020"}`: "no time such as",
		`{"name": "a", "email": "b"}`: `the key "email"`,
	} {
		_, err := chatexport.ImportCapture(t.Context(), captureOptions(v, captured(t, with(shows, 9))))
		if !errors.Is(err, chatexport.ErrRefused) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want a refusal that says %q", shows, err, says)
		}
	}
}
