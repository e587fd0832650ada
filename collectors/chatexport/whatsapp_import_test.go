package chatexport_test

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/chatexport"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

const (
	apple       = "testdata/whatsapp/apple"
	android     = "testdata/whatsapp/android"
	androidText = android + "/WhatsApp Chat with Northhaven Front.txt"
	channelName = "Northhaven Front (simulated)"
	channelID   = "120363000000000000@newsletter"
)

func chatOptions(v *vault.Vault, path string) chatexport.WhatsAppOptions {
	return chatexport.WhatsAppOptions{
		Sink: v, Target: "simulated", Path: path, BoundAccount: channelID, Names: []string{"Northhaven", channelName},
		Media: chatexport.AllMedia(), Operator: "olga", Build: "test",
	}
}

func runChat(t *testing.T, o chatexport.WhatsAppOptions) chatexport.Report {
	t.Helper()
	r, err := chatexport.ImportWhatsApp(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Messages != r.Posts+r.Service+r.Unchanged+r.Skipped {
		t.Errorf("not every message is accounted for: %+v", r)
	}
	return r
}

// chat writes a _chat.txt and returns its folder.
func chat(t *testing.T, lines ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "_chat.txt"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func says(at, text string) string { return at + " - " + channelName + ": " + text }

func TestImportWhatsAppOfAnIPhone(t *testing.T) {
	v := vaulttest.New(t)
	r := runChat(t, chatOptions(v, apple))
	if r.Messages != 9 || r.Posts != 8 || r.Service != 1 || r.MediaKept != 1 || !r.TimesAreLocal || r.DateOrder != chatexport.DayFirst || r.Name != channelName || r.File != "_chat.txt" {
		t.Errorf("got %+v", r)
	}
	if want := map[string]int{chatexport.MissedAbsent: 1, chatexport.MissedNotIncluded: 1}; !cmp.Equal(want, r.MediaMissed) {
		t.Errorf("missed %v", r.MediaMissed)
	}
	posts := bodies[*evidence.PostSeen](t, v)
	var got []string
	for _, p := range posts {
		got = append(got, p.ClaimedLocal+" "+p.Text)
		if !p.ClaimedAt.IsZero() || p.Author != nil || p.Method != evidence.MethodExport {
			t.Errorf("got %+v", p)
		}
	}
	want := []string{
		"2023-12-31T09:58:01 This channel has added privacy for your profile and phone number.",
		"2023-12-31T09:59:00 This post is simulated.\nIts second line is, too.\n\nAnd its fourth: the last.",
		"2023-12-31T12:00:07 A picture, simulated",
		"2023-12-31T12:00:09 ",
		"2024-01-01T00:15:00 Simulated, put right",
		"2024-01-01T13:00:00 ",
		"2024-01-01T13:00:30 ",
		"2024-01-01T13:01:00 ",
		"2024-01-01T13:02:00 Call +00 000 0000000 (simulated)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if m := posts[2].Media; len(m) != 1 || m[0].Type != "photo" || m[0].Name != "00000003-PHOTO-2023-12-31-12-00-07.jpg" {
		t.Errorf("picture: %+v", m)
	}
	if p := posts[4]; !slices.Contains(p.Marks, "edited") || posts[5].Service.Action != "message_deleted" || posts[6].Media[0].Type != "photo" {
		t.Errorf("marks %v, service %+v, media %+v", p.Marks, posts[5].Service, posts[6].Media)
	}
	if posts[7].Media[0].Detail != "Is this simulated? | Yes | Certainly" || !posts[8].NamesAPerson || posts[1].NamesAPerson {
		t.Errorf("poll %+v, a telephone number %v", posts[7].Media, posts[8].NamesAPerson)
	}
	raw, err := os.ReadFile(filepath.Join(apple, "_chat.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range posts {
		s := string(raw[p.Raw.Offset:][:p.Raw.Length])
		if !strings.Contains(s[:8], "[") || strings.Count(s, "] "+channelName) != 1 || !strings.Contains(s, p.Text) {
			t.Errorf("raw of post %d: %q", i, s)
		}
	}
	a := bodies[*evidence.Acquisition](t, v)[0]
	if a.Method != chatexport.MethodWhatsApp || !a.TimesAreLocal || a.Operator != "olga" || a.Reply.Size != int64(len(raw)) || !strings.Contains(string(a.Request), `"date_order_by":"the numbers"`) {
		t.Errorf("acquisition %+v", a)
	}
	if _, err := v.Ordinal(t.Context(), evidence.Account("whatsapp", "channel", channelID)); err != nil {
		t.Error(err)
	}
}

func TestImportWhatsAppAgainAndFromAnotherPhone(t *testing.T) {
	v := vaulttest.New(t)
	first := runChat(t, chatOptions(v, apple))
	size := v.Size()
	if again := runChat(t, chatOptions(v, apple)); v.Size() != size || again.Records != 0 || again.Unchanged != first.Messages {
		t.Errorf("again: %+v", again)
	}
	// The other phone has the same posts to the minute; what is new is its own remark and what it alone kept.
	other := runChat(t, chatOptions(v, android))
	if other.Messages != 10 || other.Unchanged != 4 || other.Posts != 5 || other.Service != 1 || other.DateOrder != chatexport.MonthFirst {
		t.Errorf("of the other phone: %+v", other)
	}
	if other.MediaKept != 1 || other.MediaUnchanged != 1 || other.MediaMissed[chatexport.MissedPrivate] != 1 {
		t.Errorf("files of the other phone: %+v", other)
	}
	size = v.Size()
	if again := runChat(t, chatOptions(v, android)); v.Size() != size || again.Records != 0 {
		t.Errorf("the other one again: %+v", again)
	}
	for _, r := range ordinals(t, v) {
		if n, err := strconv.ParseUint(r.Part(), 10, 64); err != nil || n < 1<<63 {
			t.Errorf("%s could be a number of the platform's", r)
		}
	}
}

func ordinals(t *testing.T, v *vault.Vault) (out []evidence.Ordinal) {
	t.Helper()
	err := v.Records(t.Context(), 0, func(r evidence.Record) error {
		if r.Kind == evidence.KindPostSeen {
			out = append(out, r.Subject)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLaterExportAddsWhatIsNew(t *testing.T) {
	const n = 2500
	var list []string
	for i := range n + 3 {
		list = append(list, says(fmt.Sprintf("%d/1/24, %02d:%02d", 13+i/1440, i/60%24, i%60), fmt.Sprintf("simulated %d", i/2)))
	}
	v := vaulttest.New(t)
	if r := runChat(t, chatOptions(v, chat(t, list[:n]...))); r.Posts != n {
		t.Fatalf("first: %+v", r)
	}
	// The later one is longer and begins later, as a phone that keeps the newest messages only gives it.
	if r := runChat(t, chatOptions(v, chat(t, list[100:]...))); r.Posts != 3 || r.Unchanged != n-100 || r.Records != 4 {
		t.Errorf("later: %+v", r)
	}
	posts := ordinals(t, v)
	if !slices.IsSortedFunc(posts, func(a, b evidence.Ordinal) int { return strings.Compare(a.Part(), b.Part()) }) {
		t.Error("numbers do not follow time")
	}
}

// TestFileIncludedLater: an export without files, then one with them: the same post, with one file more.
func TestFileIncludedLater(t *testing.T) {
	v := vaulttest.New(t)
	without := says("13/1/24, 10:00", "<Media omitted>")
	if r := runChat(t, chatOptions(v, chat(t, without))); r.Posts != 1 || r.MediaMissed[chatexport.MissedNotIncluded] != 1 {
		t.Fatalf("without: %+v", r)
	}
	dir := chat(t, says("13/1/24, 10:00", "IMG-20240113-WA0001.jpg (file attached)"))
	if err := os.WriteFile(filepath.Join(dir, "IMG-20240113-WA0001.jpg"), []byte("\xff\xd8\xff simulated"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := runChat(t, chatOptions(v, dir)); r.Posts != 0 || r.MediaKept != 1 || r.Records != 2 {
		t.Errorf("with: %+v", r)
	}
}

func TestWhatsAppExportsThatAreRefused(t *testing.T) {
	ok := says("31/12/23, 10:00", "simulated")
	for name, c := range map[string]struct {
		lines []string
		says  string
	}{
		"encrypted":          {[]string{"31/12/23, 09:00 - Messages and calls are end-to-end encrypted.", ok}, "only groups and conversations"},
		"encrypted, iPhone":  {[]string{says("31/12/23, 09:00", "\u200eMessages and calls are end-to-end encrypted."), ok}, "only groups and conversations"},
		"group created":      {[]string{`31/12/23, 09:00 - A created group "Channel"`, ok}, "only groups and conversations"},
		"number created":     {[]string{`31/12/23, 09:00 - +12 345 578 90 created channel`, ok}, "telephone number"},
		"unknown remark":     {[]string{"31/12/23, 09:00 - You were added", ok}, "no remark of WhatsApp that is known"},
		"second sender":      {[]string{ok, "31/12/23, 10:01 - Somebody: simulated"}, "line 2 has a sender other than the channel"},
		"a number":           {[]string{"31/12/23, 10:01 - +12 345 578 90: simulated", ok}, "line 1 has a telephone number"},
		"only another":       {[]string{"31/12/23, 10:01 - Somebody: simulated"}, "line 1 has a sender other"},
		"two names":          {[]string{ok, "31/12/23, 10:01 - Northhaven: simulated"}, "another sender than the lines before"},
		"you":                {[]string{ok, "31/12/23, 10:01 - You: simulated"}, "sender other than"},
		"ambiguous":          {[]string{says("1/2/24, 10:00", "simulated"), says("1/3/24, 10:00", "simulated")}, "--date-order dmy or mdy"},
		"contradictory":      {[]string{says("13/2/24, 10:00", "simulated"), says("2/13/24, 10:00", "simulated")}, "not one export"},
		"nothing":            {[]string{""}, "no text"},
		"no message of ours": {[]string{"31/12/23, 09:00 - Channel created"}, "no message of the channel"},
	} {
		t.Run(name, func(t *testing.T) {
			v := vaulttest.New(t)
			size := v.Size()
			_, err := chatexport.ImportWhatsApp(t.Context(), chatOptions(v, chat(t, c.lines...)))
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "Somebody") {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if name != "nothing" && !errors.Is(err, chatexport.ErrRefused) {
				t.Errorf("got %v, want ErrRefused", err)
			}
			if v.Size() != size {
				t.Error("something was written")
			}
		})
	}
	v := vaulttest.New(t)
	for _, change := range []func(*chatexport.WhatsAppOptions){
		func(o *chatexport.WhatsAppOptions) { o.Names = nil },
		func(o *chatexport.WhatsAppOptions) { o.Names = []string{"\u200e "} },
		func(o *chatexport.WhatsAppOptions) { o.BoundAccount = "" },
		func(o *chatexport.WhatsAppOptions) { o.DateOrder = chatexport.MonthFirst },
		func(o *chatexport.WhatsAppOptions) { o.MaxFileBytes = 20 },
	} {
		o := chatOptions(v, chat(t, ok))
		change(&o)
		if _, err := chatexport.ImportWhatsApp(t.Context(), o); err == nil || !errors.Is(err, chatexport.ErrRefused) {
			t.Errorf("got %v", err)
		}
	}
}

func TestDateOrderIsTold(t *testing.T) {
	v := vaulttest.New(t)
	dir := chat(t, says("1/2/24, 10:00", "simulated"), says("1/3/24, 10:00", "simulated"))
	for order, want := range map[string]string{chatexport.DayFirst: "2024-02-01T10:00", chatexport.MonthFirst: "2024-01-02T10:00"} {
		v := vaulttest.New(t)
		o := chatOptions(v, dir)
		o.DateOrder = order
		runChat(t, o)
		if got := bodies[*evidence.PostSeen](t, v)[0].ClaimedLocal; got != want {
			t.Errorf("%s: got %s, want %s", order, got, want)
		}
	}
	sequence := chat(t, says("1/2/24, 10:00", "a"), says("2/2/24, 10:00", "b"), says("1/3/24, 10:00", "c"))
	if r := runChat(t, chatOptions(v, sequence)); r.DateOrder != chatexport.DayFirst {
		t.Errorf("by sequence: %+v", r)
	}
	o := chatOptions(v, dir)
	o.DateOrder = "american"
	if _, err := chatexport.ImportWhatsApp(t.Context(), o); err == nil || !strings.Contains(err.Error(), "dmy, mdy or ymd") {
		t.Errorf("got %v", err)
	}
}

// TestLinesOfAnotherOrderAreTold: what is not read as it may be meant is listed, and most of a file is never read so.
func TestLinesOfAnotherOrderAreTold(t *testing.T) {
	v := vaulttest.New(t)
	o := chatOptions(v, chat(t, "preamble", says("13/1/24, 10:00", "simulated"), says("14/1/24, 10:00", "a quote:"), says("1/15/24, 10:00", "simulated")))
	o.Path = filepath.Join(o.Path, "_chat.txt")
	if _, err := chatexport.ImportWhatsApp(t.Context(), o); !errors.Is(err, chatexport.ErrRefused) {
		t.Errorf("got %v", err)
	}
	o.DateOrder = chatexport.MonthFirst
	if _, err := chatexport.ImportWhatsApp(t.Context(), o); err == nil || !strings.Contains(err.Error(), "2 of its dates, that of line 2 first, cannot be read as mdy") {
		t.Errorf("got %v", err)
	}
	o.DateOrder = chatexport.DayFirst
	if r := runChat(t, o); r.Posts != 2 || r.Parts != 2 || r.Complete() {
		t.Errorf("got %+v", r)
	}
	var told []string
	for _, a := range bodies[*evidence.Acquisition](t, v) {
		for _, s := range a.Skipped {
			told = append(told, s.Where+": "+s.Reason)
		}
	}
	want := []string{"byte 0: 8 bytes before the first message", "line 4: lines that begin as messages do, with a date that is none in the order dmy: 1, read as text"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	if again := runChat(t, o); again.Records != 0 || again.Parts != 2 {
		t.Errorf("again: %+v", again)
	}
}

func TestPathsThatAreNoFiles(t *testing.T) {
	v := vaulttest.New(t)
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "_chat.txt"), filepath.Join(dir, "link")
	real, err := filepath.Abs(androidText)
	if err = errors.Join(err, syscall.Mkfifo(pipe, 0o600), os.Symlink(real, link)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, dir, filepath.Join(dir, "nothing")} {
		if _, err := chatexport.ImportWhatsApp(t.Context(), chatOptions(v, path)); err == nil {
			t.Errorf("%s was read", path)
		}
	}
	if r := runChat(t, chatOptions(v, link)); r.Posts == 0 {
		t.Errorf("a link that was given: %+v", r)
	}
}

// archive writes a zip file of the entries, whose names come as they are.
func archive(t *testing.T, entries ...[2]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "WhatsApp Chat.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for _, e := range entries {
		w, err := z.Create(e[0])
		if err == nil {
			_, err = w.Write([]byte(e[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestArchive(t *testing.T) {
	v := vaulttest.New(t)
	jpg := "\xff\xd8\xff simulated"
	names := []string{"IMG-20240113-WA0001.jpg", "a file of any name.pdf", "../outside.pdf", "/etc/passwd.pdf", "twice.pdf", "bomb.pdf", "gone.pdf", "_chat.txt"}
	var lines []string
	for i, n := range names {
		lines = append(lines, says(fmt.Sprintf("13/1/24, 10:%02d", i), n+" (file attached)"))
	}
	o := chatOptions(v, archive(t, [2]string{names[0], jpg}, [2]string{"_chat.txt", strings.Join(lines, "\n")}, [2]string{names[1], "%PDF-1.4"},
		[2]string{names[2], "x"}, [2]string{names[3], "x"}, [2]string{names[4], "x"}, [2]string{names[4], "y"}, [2]string{names[5], strings.Repeat("0", 10<<20)}))
	o.MaxMediaBytes = 1 << 20
	r := runChat(t, o)
	want := map[string]int{chatexport.MissedUnsafe: 4, chatexport.MissedTooLarge: 1, chatexport.MissedAbsent: 1}
	if r.Posts != len(names) || r.MediaKept != 2 || !cmp.Equal(want, r.MediaMissed) {
		t.Errorf("got %+v, want %v", r, want)
	}
	if again := runChat(t, o); again.Records != 0 {
		t.Errorf("again: %+v", again)
	}
	bomb := chatOptions(v, archive(t, [2]string{"_chat.txt", lines[0] + strings.Repeat("\n", 20<<20)}))
	bomb.MaxFileBytes = 1 << 20
	if _, err := chatexport.ImportWhatsApp(t.Context(), bomb); !errors.Is(err, chatexport.ErrRefused) {
		t.Errorf("a text that swells: %v", err)
	}
	broken := filepath.Join(t.TempDir(), "x.zip")
	if err := os.WriteFile(broken, []byte("PK\x03\x04 simulated"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := chatexport.ImportWhatsApp(t.Context(), chatOptions(v, broken)); err == nil {
		t.Error("a broken archive")
	}
}

// TestTextAloneKeepsOnlyFilesOfThePhone: whoever writes a post can name any file that lies beside the text.
func TestTextAloneKeepsOnlyFilesOfThePhone(t *testing.T) {
	v := vaulttest.New(t)
	r := runChat(t, chatOptions(v, androidText))
	if r.MediaKept != 1 || r.MediaMissed[chatexport.MissedUnsafe] != 1 {
		t.Errorf("got %+v", r)
	}
	dir := chat(t, says("13/1/24, 10:00", "link.pdf (file attached)"), says("13/1/24, 10:01", "../out.pdf (file attached)"), says("13/1/24, 10:02", ".secret (file attached)"))
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "link.pdf")); err != nil {
		t.Fatal(err)
	}
	if r := runChat(t, chatOptions(v, dir)); r.MediaKept != 0 || r.MediaMissed[chatexport.MissedUnsafe] != 3 {
		t.Errorf("got %+v", r)
	}
}

func TestIsWhatsApp(t *testing.T) {
	for path, want := range map[string]bool{
		apple: true, android: true, androidText: true, current: false, form2021: false, "testdata": false, "testdata/none": false,
		archive(t, [2]string{"_chat.txt", says("13/1/24, 10:00", "simulated")}): true, archive(t, [2]string{"a.txt", "simulated"}): false,
		current + "/result.json": false,
	} {
		if got := chatexport.IsWhatsApp(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestTooLongAMessage(t *testing.T) {
	v := vaulttest.New(t)
	dir := chat(t, says("13/1/24, 10:00", strings.Repeat("simulated\r", 200_000)), says("13/1/24, 10:01", strings.Repeat("x", 900_000)), says("13/1/24, 10:02", "bad \xff"), "before")
	r := runChat(t, chatOptions(v, dir))
	if r.Posts != 2 || r.Reasons[chatexport.ReasonTooLarge] != 1 || r.Complete() {
		t.Errorf("got %+v", r)
	}
	posts := bodies[*evidence.PostSeen](t, v)
	if len(posts[0].Text) != 900_000 || !posts[1].InvalidUTF8 || posts[1].Text != "bad \uFFFD\nbefore" {
		t.Errorf("got %d bytes, %q", len(posts[0].Text), posts[1].Text)
	}
	if again := runChat(t, chatOptions(v, dir)); again.Records != 0 || again.Skipped != 1 {
		t.Errorf("again: %+v", again)
	}
}

func BenchmarkImportWhatsApp(b *testing.B) {
	const n = 200_000
	var text strings.Builder
	text.WriteString(says("12/31/23, 23:59", "simulated\n"))
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n - 1 {
		text.WriteString(says(at.Format("1/2/06, 15:04"), fmt.Sprintf("Simulated post %d\n%s\n", i, strings.Repeat("with bland words ", 20))))
		at = at.Add(time.Minute)
	}
	path := filepath.Join(b.TempDir(), "_chat.txt")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		v, err := vault.Create(filepath.Join(b.TempDir(), "vault"), vaulttest.Options(b))
		if err != nil {
			b.Fatal(err)
		}
		r, err := chatexport.ImportWhatsApp(b.Context(), chatOptions(v, path))
		if err = errors.Join(err, v.Close()); err != nil || r.Posts != n {
			b.Fatalf("%+v, %v", r, err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "posts/s")
	b.SetBytes(int64(text.Len()))
}
