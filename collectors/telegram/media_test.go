package telegram_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

func photo(n int) *telegramtest.Photo {
	return &telegramtest.Photo{Bytes: append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("simulated "), n/10)...), Width: 10, Height: 10}
}

// Trap 6: file references that run out are renewed, waits in downloads are bounded, and what is not kept says why.
func TestTrap6Files(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 0)
	big := photo(3 << 20)
	ch.Post(telegramtest.Post{Text: "Simulated photo", Photo: big})
	ch.Post(telegramtest.Post{Text: "Simulated film", Document: &telegramtest.Document{Bytes: []byte("film"), Kind: "video", MIME: "video/mp4"}})
	ch.Post(telegramtest.Post{Text: "Simulated archive", Document: &telegramtest.Document{Bytes: []byte("x"), Size: 1 << 30, Name: "archive.zip"}})
	ch.Post(telegramtest.Post{Text: "Simulated paper", Document: &telegramtest.Document{Bytes: []byte("%PDF-1.7 simulated"), Name: "paper.pdf", MIME: "text/plain"}})
	l.srv.Flood("upload.getFile", 1, 1)
	r := observe(t, l, target(ch))
	r.until(t, "the wait", func(rs []record) bool { return hasState(rs, "flood-waiting") })
	l.srv.ExpireFileReferences()
	rs := r.until(t, "all files", func(rs []record) bool {
		return len(of[*evidence.MediaKept](rs)) == 2 && len(of[*evidence.MediaMissed](rs)) == 2
	})
	for _, x := range rs {
		switch b := x.body.(type) {
		case *evidence.MediaKept:
			want, mime := big.Bytes, "image/png"
			if x.Subject.Part() == "4" {
				want, mime = []byte("%PDF-1.7 simulated"), "application/pdf"
			}
			if !bytes.Equal(blob(t, r.v, b.Blob.SHA256), want) || b.MIME != mime {
				t.Errorf("post %s: %d bytes, %s", x.Subject.Part(), b.Blob.Size, b.MIME)
			}
		case *evidence.MediaMissed:
			want := map[string]string{"2": "not-collected", "3": "too-large"}[x.Subject.Part()]
			if b.Reason != want {
				t.Errorf("post %s: %s, want %s", x.Subject.Part(), b.Reason, want)
			}
		}
	}
	if l.srv.CallCount("channels.getMessages") == 0 {
		t.Error("the message was not asked for again")
	}
}

func TestTrap6AWaitInADownloadIsBounded(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 0)
	ch.Post(telegramtest.Post{Text: "Simulated photo", Photo: photo(1000)})
	l.srv.Flood("upload.getFile", 3600, 1)
	v := newVault(t, target(ch))
	o := l.options(t)
	o.FileTimeout = 5 * time.Second
	rs := start(t, v, v, o, target(ch)).until(t, "the missed file", func(rs []record) bool { return len(of[*evidence.MediaMissed](rs)) == 1 })
	if m := of[*evidence.MediaMissed](rs)[0]; m.Reason != "unreachable" || !strings.Contains(m.Detail, "wait") {
		t.Errorf("got %+v", m)
	}
}

func TestTrap6AFileInAnotherDataCentre(t *testing.T) {
	l, err := newLab(telegramtest.Options{FileDC: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer l.srv.Close()
	ch := l.channel(t, 0)
	ch.Post(telegramtest.Post{Text: "Simulated photo", Photo: photo(700_000)})
	r := observe(t, l, target(ch))
	r.until(t, "the file", func(rs []record) bool { return len(of[*evidence.MediaKept](rs)) == 1 })
	r.stop(t)
	checkMethods(t, l)
}

// A crash between a post and its file loses neither: the file stands in the cursor.
func TestACrashBetweenPostAndFileLosesNothing(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 0)
	ch.Post(telegramtest.Post{Text: "Simulated photo", Photo: photo(1000)})
	v := newVault(t, target(ch))
	cut := &faulty{Vault: v, fail: func(b evidence.Batch) bool {
		return slices.ContainsFunc(b.Drafts, func(d evidence.Draft) bool { return d.Body.Kind() == evidence.KindMediaKept })
	}}
	if err := start(t, v, cut, l.options(t), target(ch)).ended(t); !errors.Is(err, errCut) {
		t.Fatalf("the run ended with %v", err)
	}
	if rs := records(t, v); len(texts(rs)) != 1 || len(of[*evidence.MediaKept](rs)) != 0 {
		t.Fatal("the crash is not where it should be")
	}
	start(t, v, v, l.options(t), target(ch)).until(t, "the file", func(rs []record) bool { return len(of[*evidence.MediaKept](rs)) == 1 })
}
