package telegramtest_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

func TestAutosave(t *testing.T) {
	now := func() time.Time { return time.Unix(1_700_000_000, 0) }
	path := filepath.Join(t.TempDir(), "world.json")
	if _, err := telegramtest.Load(path, now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	w := telegramtest.NewWorld(now)
	if err := w.Autosave(path); err != nil {
		t.Fatal(err)
	}
	ch := w.AddChannel(telegramtest.Profile{Username: "example_saved", Title: "Saved", Photo: &telegramtest.Photo{Bytes: picture(4, 4)}})
	w.AddUser(telegramtest.User{Username: "example_person", FirstName: "Person"})
	ch.Post(telegramtest.Post{Text: "not UTF-8: \xff", Reactions: map[string]int{"👍": 1}})
	pic := ch.Post(telegramtest.Post{Photo: &telegramtest.Photo{Bytes: picture(8, 8), Thumb: picture(2, 2)}})
	ch.Post(telegramtest.Post{Document: &telegramtest.Document{Bytes: noise(1000), Name: "a.bin"}})
	ch.Edit(pic, func(p *telegramtest.Post) { p.Text = "edited" })
	ch.Delete(ch.Post(telegramtest.Post{Text: "gone"}))
	w.ExpireFileReferences()

	again, err := telegramtest.Load(path, now)
	if err != nil {
		t.Fatal(err)
	}
	back := again.Channel("Example_Saved")
	if back == nil || back.ID() != ch.ID() || back.Pts() != ch.Pts() {
		t.Fatalf("got %v", back)
	}
	if diff := cmp.Diff(ch.Posts(), back.Posts()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(ch.Profile(), back.Profile()); diff != "" {
		t.Error(diff)
	}
	if a, b := ch.Post(telegramtest.Post{}), back.Post(telegramtest.Post{}); a != b || a != 5 {
		t.Errorf("the next number is %d and %d after loading, want 5: a deleted one is not given again", a, b)
	}
	if a, b := w.NewGroup(), again.NewGroup(); a != b {
		t.Errorf("the next id is %d and %d after loading", a, b)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Save(path); err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(first, second) {
		t.Error("a world that was loaded is saved differently")
	}
}

func TestLoadRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "world.json")
	for name, content := range map[string]string{
		"a later format": `{"Format":2}`,
		"no JSON":        `{`,
		"absent media":   `{"Format":1,"Channels":[{"Profile":{"ID":1},"Pts":1,"Next":1,"Posts":[{"ID":1,"Photo":{"ID":2}}]}]}`,
		"an id twice":    `{"Format":1,"Channels":[{"Profile":{"ID":1},"Pts":1},{"Profile":{"ID":1},"Pts":1}]}`,
		"disorder":       `{"Format":1,"Channels":[{"Profile":{"ID":1},"Pts":1,"Next":2,"Posts":[{"ID":2},{"ID":1}]}]}`,
		"an empty event": `{"Format":1,"Channels":[{"Profile":{"ID":1},"Pts":1,"Events":[{"Pts":1}]}]}`,
		"a name twice":   `{"Format":1,"Channels":[{"Profile":{"ID":1,"Username":"a"},"Pts":1},{"Profile":{"ID":2,"Username":"A"},"Pts":1}]}`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := telegramtest.Load(path, nil); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"Format":1,"Users":[{"ID":3,"Username":"u"}],"Channels":[{"Profile":{"ID":1,"Username":"a"},"Pts":3,"Next":1,"Events":[{"Pts":2,"Count":1,"IDs":[1]}],"Posts":[{"ID":1,"Text":"x"}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "world.json")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := telegramtest.Load(path, nil)
		if err != nil {
			return
		}
		for _, ch := range w.Channels() {
			ch.Post(telegramtest.Post{Text: "a simulated post"})
		}
		if err := w.Save(path); err != nil {
			t.Error(err)
		}
		if _, err := telegramtest.Load(path, nil); err != nil {
			t.Errorf("what was saved does not load: %v", err)
		}
	})
}
