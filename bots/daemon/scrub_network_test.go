package daemon

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// From the wire to the mended disk: a daemon collects a photo, it rots, a pass finds that, and Telegram is asked for it once more.
func TestADaemonMendsWhatRotsFromThePlatform(t *testing.T) {
	n := newNetwork(t, "main")
	pic := append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("simulated "), 3000)...)
	n.ch.Post(telegramtest.Post{Text: "Simulated photo", Photo: &telegramtest.Photo{Bytes: pic, Width: 10, Height: 10}})
	d := n.start()
	c := n.client(nil)
	if err := n.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	n.until(c, "the photo", func(st Status) bool { return st.Kinds[evidence.KindMediaKept] == 1 })
	blob := evidence.Sum(pic)
	rot(t, d.rooms, blob)
	out := scrubOnce(t, c, ScrubRequest{})
	if out.Found != 1 || len(out.Open) != 0 {
		t.Errorf("%+v", out)
	}
	if got := fmt.Sprint(damages(t, d.rooms)); got != "[found blob ended refetched telegram/main]" {
		t.Errorf("the log says %s", got)
	}
	in, _, err := d.rooms.Vault.Blob(t.Context(), blob)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if b, err := io.ReadAll(in); err != nil || !bytes.Equal(b, pic) {
		t.Errorf("%d bytes lie there, %v", len(b), err)
	}
}
