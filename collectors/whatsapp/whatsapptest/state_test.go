package whatsapptest_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

func TestAWorldSurvivesItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "world.json")
	w := whatsapptest.NewWorld(at)
	if err := w.Autosave(path); err != nil {
		t.Fatal(err)
	}
	ch := gazette(w)
	first := ch.Post(whatsapptest.Post{Text: "one", Media: &whatsapptest.Media{Kind: "image", Bytes: noise(500)}})
	ch.Post(whatsapptest.Post{
		Text: "two", Raw: []byte{0xff}, Reactions: map[string]int{"👍": 2}, Forward: &whatsapptest.Forward{Name: "elsewhere"},
		Poll: &whatsapptest.Poll{Question: "Which berth?", Options: []string{"North", "South"}},
	})
	ch.Delete(whatsapptest.DeleteBare, ch.Post(whatsapptest.Post{Text: "three"}))
	ch.Tamper(first, whatsapptest.Expired)
	w.Follow("12025550100", ch, true)
	ch.SetInvite("0029VaANOTHER")
	ch.SetState(whatsapptest.Suspended)

	got, err := whatsapptest.Load(path, at)
	if err != nil {
		t.Fatal(err)
	}
	again := got.Channel("0029VaANOTHER")
	if again == nil {
		t.Fatal("the invite code is forgotten")
	}
	if diff := cmp.Diff(ch.Profile(), again.Profile()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(ch.Posts(), again.Posts()); diff != "" {
		t.Error(diff)
	}
	if !got.Follows("12025550100", again) {
		t.Error("following is forgotten")
	}
	if again.Post(whatsapptest.Post{Text: "four"}) != ch.Post(whatsapptest.Post{Text: "four"}) {
		t.Error("server ids go on differently")
	}
}

func TestStateFilesThatNoWorldWrote(t *testing.T) {
	dir := t.TempDir()
	if _, err := whatsapptest.Load(filepath.Join(dir, "none"), at); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	for _, s := range []string{
		"", "{}", `{"Format":9}`,
		`{"Format":1,"Channels":[{"Profile":{"ID":"1","Invite":"x"},"Next":1,"Posts":[{"ServerID":2}]}]}`,
		`{"Format":1,"Channels":[{"Profile":{"ID":"1","Invite":"x"}},{"Profile":{"ID":"1","Invite":"y"}}]}`,
		`{"Format":1,"Channels":[{"Profile":{"ID":"1","Invite":"x","Picture":{"ID":7}}}]}`,
		`{"Format":1,"Devices":[null]}`,
	} {
		path := filepath.Join(dir, "world.json")
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := whatsapptest.Load(path, at); err == nil {
			t.Errorf("%q was read", s)
		}
	}
}

func TestARootIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root.hex")
	a, err := whatsapptest.LoadRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := whatsapptest.LoadRoot(path)
	if err != nil || a.Public() != b.Public() || len(a.PublicHex()) != 65 {
		t.Errorf("got %x and %x, %v", a.Public(), b.Public(), err)
	}
	if err := os.WriteFile(path, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := whatsapptest.LoadRoot(path); err == nil {
		t.Error("nonsense is a root")
	}
}
