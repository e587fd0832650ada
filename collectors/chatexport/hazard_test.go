package chatexport_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/chatexport"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

var testTime = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

func TestMediaPathsStayInTheFolder(t *testing.T) {
	paths := map[string]string{ // path in the export: reason
		"/etc/hostname":            chatexport.MissedUnsafe,
		"../outside.txt":           chatexport.MissedUnsafe,
		"a/../../outside.txt":      chatexport.MissedUnsafe,
		`..\outside.txt`:           chatexport.MissedUnsafe,
		"link-out":                 chatexport.MissedUnsafe,
		"dir-out/outside.txt":      chatexport.MissedUnsafe,
		"loop":                     chatexport.MissedUnsafe,
		"a\x00b":                   chatexport.MissedUnsafe,
		"pipe":                     chatexport.MissedNotRegular,
		"folder":                   chatexport.MissedNotRegular,
		"nothing.txt":              chatexport.MissedAbsent,
		"here.txt/below":           chatexport.MissedAbsent,
		"empty.txt":                chatexport.MissedEmpty,
		"big.bin":                  chatexport.MissedTooLarge,
		strings.Repeat("long", 80): chatexport.MissedUnreadable,
		"name.pdf (File not included. Change data exporting settings to download.)": chatexport.MissedNotIncluded,
		"(File exceeds maximum size. Change data exporting settings to download.)":  chatexport.MissedTooLarge,
		"(File unavailable, please try again later)":                                chatexport.MissedUnavailable,
		"here.txt":       "",
		"link-in":        "", // a link that stays in the folder is followed
		"نام \u202e.txt": "",
	}
	var messages []string
	want := map[string]int{}
	kept := 0
	for p, reason := range paths {
		js := strings.NewReplacer(`\`, `\\`, "\x00", `\u0000`).Replace(p)
		messages = append(messages, fmt.Sprintf(`{"id": %d, "type": "message", "file": "%s", "text": ""}`, len(messages)+1, js))
		if reason == "" {
			kept++
		} else {
			want[reason]++
		}
	}
	dir := export(t, messages...)
	hazards(t, dir)
	v := vaulttest.New(t)
	o := options(v, dir)
	o.MaxMediaBytes = 1000
	r := run(t, o)
	if diff := cmp.Diff(want, r.MediaMissed); diff != "" || r.MediaKept != kept {
		t.Errorf("%d kept, want %d; missed:\n%s", r.MediaKept, kept, diff)
	}
	for _, m := range bodies[*evidence.MediaMissed](t, v) {
		if strings.Contains(m.Detail, os.TempDir()) {
			t.Errorf("the detail names a folder of this machine: %q", m.Detail)
		}
	}
}

func hazards(t *testing.T, dir string) {
	t.Helper()
	outside := filepath.Join(filepath.Dir(dir), "outside.txt")
	at := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(
		os.WriteFile(outside, []byte("outside"), 0o600),
		os.Symlink(outside, at("link-out")),
		os.Symlink(filepath.Dir(outside), at("dir-out")),
		os.Symlink("loop", at("loop")),
		os.Symlink("here.txt", at("link-in")),
		syscall.Mkfifo(at("pipe"), 0o600),
		os.Mkdir(at("folder"), 0o700),
		os.WriteFile(at("empty.txt"), nil, 0o600),
		os.WriteFile(at("here.txt"), []byte("simulated"), 0o600),
		os.WriteFile(at("نام \u202e.txt"), []byte("simulated too"), 0o600),
		os.WriteFile(at("big.bin"), make([]byte, 1001), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
}

func TestTruncated(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join(current, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	before := 0
	for cut := 300; cut < len(whole)-6; cut += 97 {
		v := vaulttest.New(t)
		r := run(t, options(v, file(t, string(whole[:cut]))))
		if !r.Truncated || r.TruncatedAt != int64(cut) || r.Complete() {
			t.Errorf("cut at %d: %+v", cut, r)
		}
		if got := r.Posts + r.Service; got < before {
			t.Errorf("cut at %d: %d entries, before %d", cut, got, before)
		} else {
			before = got
		}
		list := skipped(bodies[*evidence.Acquisition](t, v))
		if len(list) == 0 || !strings.Contains(list[len(list)-1].Reason, "the file ends here") {
			t.Errorf("cut at %d: the log lists %v", cut, list)
		}
	}
	if before != 5 {
		t.Errorf("the last cut, within the last entry, left %d", before)
	}
}

func skipped(acqs []*evidence.Acquisition) (out []evidence.Skipped) {
	for _, a := range acqs {
		out = append(out, a.Skipped...)
	}
	return out
}

func TestMalformedEntries(t *testing.T) {
	v := vaulttest.New(t)
	dir := export(t,
		message(1, "simulated"),
		`17`, `"text"`, `null`, `[1, {"id": 2}]`,
		`{"id": 3, "type": "message", "text": }`,
		`{"id": 4 "type": "message"}`,
		`{"id": 0, "text": ""}`, `{"id": -5, "text": ""}`, `{"id": 1.5, "text": ""}`, `{"id": 99999999999999999999, "text": ""}`, `{"text": ""}`,
		`{"id": 5, "type": "message", "text": ""}}`, // a bracket too many
		`{"id": 6, "type": "message", "text": ""} 'junk' {"id": 7}`,
		``, // a comma too many
		message(1, "simulated, another time"),
		`{"id": "8", "type": "message", "date_unixtime": 1709283600, "text": "a number as text"}`,
	)
	r := run(t, options(v, dir))
	want := map[string]int{chatexport.ReasonMalformed: 6, chatexport.ReasonNoNumber: 5, chatexport.ReasonDuplicate: 1}
	if diff := cmp.Diff(want, r.Reasons); diff != "" || r.Posts != 4 {
		t.Errorf("%d posts, want 4; reasons:\n%s%+v", r.Posts, diff, skipped(bodies[*evidence.Acquisition](t, v)))
	}
	list := skipped(bodies[*evidence.Acquisition](t, v))
	if len(list) != r.Skipped+2 { // two stretches of junk
		t.Errorf("the log lists %d: %v", len(list), list)
	}
}

func TestOddContent(t *testing.T) {
	v := vaulttest.New(t)
	long := strings.Repeat("n", 2000)
	dir := export(t,
		`{"id": 1, "type": "message", "date_unixtime": "253402300799", "text": "the year 9999"}`,
		`{"id": 2, "type": "message", "date_unixtime": "253402300800", "date": "10000-01-01T00:00:00", "text": "past it"}`,
		`{"id": 3, "type": "message", "date_unixtime": "-86400", "text": "before 1970"}`,
		`{"id": 4, "type": "message", "date_unixtime": "9223372036854775807", "text": "the end of time"}`,
		`{"id": 5, "type": "message", "text": "nul \u0000, desktop's own \x1F, half a pair \ud83d, a pair \ud83d\ude42"}`,
		"{\"id\": 6, \"type\": \"message\", \"author\": \"bidi \u202e name\", \"text\": \"broken \xff utf-8, bare \x01 control\"}",
		`{"id": 7, "type": "message", "author": "`+long+`", "text": {"not": "text"}}`,
		`{"id": 8, "type": "nonsense", "text": [["nested"]], "reactions": [{"count": "many"}], "poll": 5}`,
		`{"id": 9, "type": "message", "text": "", "text": "the last of two keys", "width": -1, "photo": 5}`,
	)
	r := run(t, options(v, dir))
	if r.Posts != 9 || r.Parts == 0 {
		t.Errorf("got %+v", r)
	}
	posts := bodies[*evidence.PostSeen](t, v)
	if posts[0].ClaimedAt.Year() != 9999 || !posts[1].ClaimedAt.IsZero() || posts[2].ClaimedAt.Year() != 1969 || !posts[3].ClaimedAt.IsZero() {
		t.Errorf("got dates %v %v %v %v", posts[0].ClaimedAt, posts[1].ClaimedAt, posts[2].ClaimedAt, posts[3].ClaimedAt)
	}
	if want := "nul \x00, desktop's own \x1f, half a pair \uFFFD, a pair 🙂"; posts[4].Text != want || !posts[4].InvalidUTF8 {
		t.Errorf("got %q, want %q", posts[4].Text, want)
	}
	if want := "broken \uFFFD utf-8, bare \x01 control"; posts[5].Text != want || !posts[5].InvalidUTF8 || posts[5].Author == nil {
		t.Errorf("got %q, want %q", posts[5].Text, want)
	}
	for _, i := range []int{1, 3, 6, 7} {
		if !cmp.Equal(posts[i].Marks, []string{"incomplete"}) {
			t.Errorf("post %d has the marks %v", i+1, posts[i].Marks)
		}
	}
	if posts[8].Text != "the last of two keys" {
		t.Errorf("got %q", posts[8].Text)
	}
}

func TestLongListsOfSkippedEntriesAreWhole(t *testing.T) {
	const n = 2500
	messages := make([]string, n)
	for i := range messages {
		messages[i] = `"no message"`
	}
	v := vaulttest.New(t)
	dir := export(t, messages...)
	r := run(t, options(v, dir))
	acqs := bodies[*evidence.Acquisition](t, v)
	for _, a := range acqs {
		if len(a.Skipped) > 1000 {
			t.Errorf("a record lists %d", len(a.Skipped))
		}
	}
	if list := skipped(acqs); r.Skipped != n || len(list) != n || acqs[0].Method != chatexport.MethodName {
		t.Errorf("%d skipped, %d in the log: %+v", r.Skipped, len(list), r)
	}
	size := v.Size()
	if run(t, options(v, dir)); v.Size() != size {
		t.Errorf("importing again wrote %d records", v.Size()-size)
	}
}
