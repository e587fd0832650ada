package chatexport_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/chatexport"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

const (
	current  = "testdata/current"
	form2021 = "testdata/form2021"
)

func options(v *vault.Vault, path string) chatexport.Options {
	return chatexport.Options{
		Sink: v, Target: "simulated", Address: "https://t.me/simulated", Path: path, Media: chatexport.AllMedia(),
		Operator: "olga", Build: "test",
	}
}

func run(t *testing.T, o chatexport.Options) chatexport.Report {
	t.Helper()
	r, err := chatexport.Import(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Messages != r.Posts+r.Service+r.Unchanged+r.Skipped {
		t.Errorf("not every message is accounted for: %+v", r)
	}
	return r
}

// export writes a result.json with the given elements of `messages` and returns its folder.
func export(t *testing.T, messages ...string) string {
	t.Helper()
	return file(t, `{"name": "Simulated", "type": "public_channel", "id": 4400112233, "messages": [`+strings.Join(messages, ",\n")+"]}")
}

func file(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "result.json"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func message(id int, text string) string {
	return fmt.Sprintf(`{"id": %d, "type": "message", "date": "2024-03-01T10:00:00", "date_unixtime": "1709283600", "text": %q, "text_entities": []}`, id, text)
}

// bodies returns the bodies of type B in the log, in order.
func bodies[B evidence.Body](t *testing.T, v *vault.Vault) []B {
	t.Helper()
	var out []B
	err := v.Records(t.Context(), 0, func(r evidence.Record) error {
		b, err := evidence.DecodeBody(r)
		if b, ok := b.(B); ok {
			out = append(out, b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestImportCurrentForm(t *testing.T) {
	v := vaulttest.New(t)
	r := run(t, options(v, current))
	if r.Posts != 5 || r.Service != 1 || r.MediaKept != 1 || !r.Complete() || r.TimesAreLocal || r.Account != "4400112233" {
		t.Errorf("got %+v", r)
	}
	if want := (map[string]int{chatexport.MissedNotIncluded: 1}); !cmp.Equal(r.MediaMissed, want) {
		t.Errorf("missed %v, want %v", r.MediaMissed, want)
	}
	posts := bodies[*evidence.PostSeen](t, v)
	second := posts[1]
	if want := "This post is simulated 🙂 بولڈ link"; second.Text != want {
		t.Errorf("got %q, want %q", second.Text, want)
	}
	entities := []evidence.Entity{
		{Type: "bold", Offset: 26, Length: 4},
		{Type: "text_link", Offset: 31, Length: 4, URL: "https://example.org/simulated"},
	}
	if diff := cmp.Diff(entities, second.Entities); diff != "" {
		t.Error(diff)
	}
	if second.EditedAt.Unix() != 1709283960 || second.ClaimedAt.Unix() != 1709283900 || second.Author == nil || second.Author.Ordinal.Space() != evidence.SpacePrivate {
		t.Errorf("got %+v", second)
	}
	if f := posts[2].Forward; f == nil || f.From.Ordinal.Space() != evidence.SpaceAccount || posts[2].ReplyTo != "2" {
		t.Errorf("got forward %+v, reply to %q", f, posts[2].ReplyTo)
	}
	if m := posts[3].Media; len(m) != 1 || m[0].Detail != "Is this simulated? | Yes | Certainly" {
		t.Errorf("got poll %+v", m)
	}
	if p := posts[4]; !p.NamesAPerson || p.Entities[0].Person.Ordinal.Space() != evidence.SpacePrivate || p.Forward.From.Ordinal.Space() != evidence.SpacePrivate || len(p.Media) != 1 {
		t.Errorf("got %+v", p)
	}
	if p := posts[5]; p.Media[0].Type != "unsupported" {
		t.Errorf("got %+v", p)
	}
	kept := bodies[*evidence.MediaKept](t, v)
	if len(kept) != 1 || kept[0].MIME != "image/png" || kept[0].Blob.Size != 70 || kept[0].MediaID != second.Media[0].ID {
		t.Errorf("got %+v", kept)
	}
	counts := bodies[*evidence.PostCounts](t, v)
	if want := (map[string]int64{"👍": 3, "custom 5368324170671202286": 1}); len(counts) != 1 || !cmp.Equal(counts[0].Posts[0].Reactions, want) {
		t.Errorf("got %+v", counts)
	}
	checkRaw(t, v, posts)
}

// checkRaw looks at the acquisition, and at what its reply holds where the posts say that they stand.
func checkRaw(t *testing.T, v *vault.Vault, posts []*evidence.PostSeen) {
	t.Helper()
	acqs := bodies[*evidence.Acquisition](t, v)
	if len(acqs) != 1 || acqs[0].Method != chatexport.MethodName || acqs[0].File != "result.json" || acqs[0].Operator != "olga" {
		t.Fatalf("got %+v", acqs)
	}
	blob, size, err := v.Blob(t.Context(), acqs[0].Reply.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	raw := make([]byte, size)
	if _, err := blob.Read(raw); err != nil {
		t.Fatal(err)
	}
	for _, p := range posts {
		s := string(raw[p.Raw.Offset : p.Raw.Offset+p.Raw.Length])
		if !p.RawExact || !strings.HasPrefix(s, "{\n   \"id\": ") || !strings.HasSuffix(s, "}") {
			t.Errorf("the slice of a post holds %q", s)
		}
	}
}

func TestImportForm2021(t *testing.T) {
	v := vaulttest.New(t)
	r := run(t, options(v, form2021))
	if r.Posts != 2 || !r.TimesAreLocal || r.Account != "1400065519" || r.MediaMissed[chatexport.MissedAbsent] != 1 {
		t.Errorf("got %+v", r)
	}
	posts := bodies[*evidence.PostSeen](t, v)
	if p := posts[0]; p.ClaimedLocal != "2021-02-03T09:00:00" || !p.ClaimedAt.IsZero() || p.EditedLocal != "" || p.Author != nil {
		t.Errorf("got %+v", p)
	}
	if p := posts[1]; p.EditedLocal != "2021-02-03T09:30:00" || p.Entities[0].Type != "url" || p.Forward.From.Ordinal.Space() != evidence.SpacePrivate {
		t.Errorf("got %+v", p)
	}
	if a := bodies[*evidence.Acquisition](t, v); !a[0].TimesAreLocal {
		t.Errorf("got %+v", a[0])
	}
}

func TestImportAgainWritesNothing(t *testing.T) {
	broken := export(t, message(1, "simulated"), `{"id": "?"}`, message(1, "another"), `{"id": 2, "type": "message", "date_unixtime": "x", "text": ""}`)
	for _, path := range []string{current, form2021, broken} {
		v := vaulttest.New(t)
		first := run(t, options(v, path))
		size := v.Size()
		again := run(t, options(v, path))
		if v.Size() != size || again.Records != 0 || again.Posts != 0 || again.Unchanged != first.Posts+first.Service || again.Skipped != first.Skipped || again.MediaKept != 0 {
			t.Errorf("%s: the vault grew from %d to %d, %+v", path, size, v.Size(), again)
		}
	}
}

func TestNewerExportAddsVersionsWhereContentDiffers(t *testing.T) {
	const n = 2500 // three pages; only the last one has news
	older, newer := make([]string, n), make([]string, n, n+1)
	for i := range n {
		older[i] = message(i+1, "simulated")
		newer[i] = older[i]
	}
	newer[n-2] = message(n-1, "simulated, edited")
	newer = append(newer, message(n+1, "simulated, new"))
	v := vaulttest.New(t)
	run(t, options(v, export(t, older...)))
	r := run(t, options(v, export(t, newer...)))
	if r.Posts != 2 || r.Unchanged != n-1 || r.Records != 3 {
		t.Errorf("got %+v, want 2 posts and an acquisition", r)
	}
	if a := bodies[*evidence.Acquisition](t, v); len(a) != 2 || a[1].Reply.SHA256 != r.SHA256 {
		t.Errorf("got %+v", a)
	}
	posts := bodies[*evidence.PostSeen](t, v)
	if p := posts[len(posts)-1]; p.Acquisition != r.ID {
		t.Errorf("got acquisition %s, want %s", p.Acquisition, r.ID)
	}
}

func TestLaterExportWithTheFileIsTheSamePost(t *testing.T) {
	const with = `{"id": 1, "type": "message", "date_unixtime": "1709283600", "file": %q, "mime_type": "text/plain", "text": ""}`
	v := vaulttest.New(t)
	run(t, options(v, export(t, fmt.Sprintf(with, "(File not included. Change data exporting settings to download.)"))))
	dir := export(t, fmt.Sprintf(with, "files/note.txt"))
	if err := os.Mkdir(filepath.Join(dir, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "files", "note.txt"), []byte("simulated"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, options(v, dir))
	if r.Posts != 0 || r.Unchanged != 1 || r.MediaKept != 1 {
		t.Errorf("got %+v, want one file more and no version", r)
	}
	o := options(v, dir)
	o.Media = []string{"photo"}
	if r := run(t, o); r.MediaMissed[chatexport.MissedNotCollected] != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestRefused(t *testing.T) {
	chat := func(typ, id string) string {
		return fmt.Sprintf(`{"name": "S", "type": %q, "id": %s, "messages": [%s]}`, typ, id, message(1, "simulated"))
	}
	for name, c := range map[string]struct{ content, bound, want string }{
		"group":     {chat("private_group", "1"), "", `type "private_group"`},
		"private":   {chat("private_channel", "1"), "", "only public channels"},
		"person":    {chat("personal_chat", "1"), "", "only public channels"},
		"group2":    {chat("public_supergroup", "1"), "", "only public channels"},
		"unbound":   {chat("public_channel", "77"), "78", "this export is of channel 77, the target is channel 78"},
		"id":        {chat("public_channel", `"zero"`), "", "is not a channel's"},
		"full":      {`{"chats": {"list": [` + chat("personal_chat", "1") + "," + chat("bot_chat", "2") + "]}}", "", "none of the 2 chats"},
		"two":       {`{"chats": {"list": [` + chat("public_channel", "1") + "," + chat("public_channel", "2") + "]}}", "", "2 public channels"},
		"empty":     {"", "", "file is empty"},
		"not json":  {"<html></html>", "", "not a Telegram Desktop export"},
		"other":     {`{"hello": 1}`, "", "holds no chat"},
		"no list":   {`{"type": "public_channel", "id": 5}`, "", "holds no messages"},
		"no type":   {`{"id": 5, "messages": []}`, "", "does not say"},
		"truncated": {`{"type": "public_channel", "id": 5, "mess`, "", "holds no messages"},
	} {
		t.Run(name, func(t *testing.T) {
			v := vaulttest.New(t)
			size := v.Size()
			o := options(v, file(t, c.content))
			o.BoundAccount = c.bound
			_, err := chatexport.Import(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if v.Size() != size {
				t.Errorf("%d records were written", v.Size()-size)
			}
		})
	}
}

func TestFullExportKeepsOnlyTheChannel(t *testing.T) {
	const secret = "a private conversation"
	person := `{"name": "P", "type": "personal_chat", "id": 9, "messages": [` + message(1, secret) + `]}`
	channel := func(id int) string {
		return fmt.Sprintf(`{"name": "S", "type": "public_channel", "id": %d, "messages": [%s]}`, id, message(1, "simulated"))
	}
	content := `{"about": "x", "contacts": {"list": []}, "chats": {"about": "", "list": [` + person + "," + channel(77) + "]}, \"left_chats\": {\"list\": [" + channel(78) + "]}}"
	v := vaulttest.New(t)
	o := options(v, file(t, content))
	o.BoundAccount = "77"
	r := run(t, o)
	if r.Posts != 1 || r.Account != "77" || r.Bytes != int64(len(channel(77))) {
		t.Errorf("got %+v", r)
	}
	a := bodies[*evidence.Acquisition](t, v)[0]
	blob, size, err := v.Blob(t.Context(), a.Reply.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	raw := make([]byte, size)
	if _, err := blob.Read(raw); err != nil || string(raw) != channel(77) {
		t.Errorf("kept %q, %v", raw, err)
	}
	if !strings.Contains(string(a.Request), `"file_sha256"`) {
		t.Errorf("got request %s", a.Request)
	}
}

func TestBindWritesTheTargetsAccount(t *testing.T) {
	v := vaulttest.New(t)
	target := evidence.Target("simulated")
	_, err := v.Put(t.Context(), evidence.Batch{Drafts: []evidence.Draft{vaulttest.Bind("test"), {
		ID: evidence.NewID(testTime), Actor: evidence.Source("test"), Subject: target,
		Body: &evidence.TargetSet{Key: "simulated", Platform: "telegram", Address: "https://t.me/simulated"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	o := options(v, current)
	o.Bind = true
	run(t, o)
	b := bodies[*evidence.TargetBound](t, v)
	if len(b) != 1 || b[0].Account.Ordinal == "" || b[0].Address != o.Address {
		t.Fatalf("got %+v", b)
	}
	name, err := v.Name(t.Context(), b[0].Account.Ordinal)
	if err != nil || name != evidence.Account("telegram", "channel", "4400112233") {
		t.Errorf("got %v, %v", name, err)
	}
	size := v.Size()
	if run(t, o); v.Size() != size {
		t.Error("importing again wrote something")
	}
}

func TestCancelled(t *testing.T) {
	v := vaulttest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	o := options(v, current)
	o.Progress = func(chatexport.Progress) { cancel() }
	if _, err := chatexport.Import(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if r := run(t, options(v, current)); r.Messages != 6 {
		t.Errorf("got %+v", r)
	}
}
