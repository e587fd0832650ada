package whatsapptest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"

	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

func postedImage(t testing.TB, d *desk, ch *whatsapptest.Channel, m *whatsapptest.Media) (int, *waE2E.ImageMessage) {
	t.Helper()
	m.Kind, m.MIME = "image", "image/jpeg"
	if m.Bytes == nil {
		m.Bytes = noise(4096)
	}
	id := ch.Post(whatsapptest.Post{Media: m})
	list, err := d.GetNewsletterMessages(d.ctx, ch.JID(), &whatsmeow.GetNewsletterMessagesParams{Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	return id, list[0].Message.GetImageMessage()
}

func TestTamperedMedia(t *testing.T) {
	_, ch, d := followed(t)
	id, img := postedImage(t, d, ch, &whatsapptest.Media{})
	for tamper, size := range map[whatsapptest.Tamper]int{
		whatsapptest.TamperNone: 4096, whatsapptest.WrongBytes: 4096, whatsapptest.Truncated: 2048, whatsapptest.Padded: 4110,
	} {
		ch.Tamper(id, tamper)
		b, err := d.Download(d.ctx, img)
		if err != nil || len(b) != size {
			t.Errorf("%s: got %d bytes, %v", tamper, len(b), err)
		}
		if same := bytes.Equal(b, noise(4096)); same != (tamper == whatsapptest.TamperNone) {
			t.Errorf("%s: the bytes are the announced ones: %v", tamper, same)
		}
	}
	for tamper, want := range map[whatsapptest.Tamper]error{
		whatsapptest.Expired: whatsmeow.ErrMediaDownloadFailedWith410, whatsapptest.Missing: whatsmeow.ErrMediaDownloadFailedWith404,
		whatsapptest.Forbidden: whatsmeow.ErrMediaDownloadFailedWith403,
	} {
		ch.Tamper(id, tamper)
		if _, err := d.Download(d.ctx, img); !errors.Is(err, want) {
			t.Errorf("%s: got %v", tamper, err)
		}
	}
}

func TestBodiesThatDoNotEndInTime(t *testing.T) {
	s, ch, d := followed(t)
	id, img := postedImage(t, d, ch, &whatsapptest.Media{})
	tr := whatsapp.Network(s.Endpoint()).Transport()
	defer tr.CloseIdleConnections()
	get := func(ctx context.Context) (int64, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://mmg.whatsapp.net"+img.GetDirectPath(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := (&http.Client{Transport: tr}).Do(req)
		if err != nil {
			return 0, err
		}
		defer r.Body.Close()
		return io.Copy(io.Discard, io.LimitReader(r.Body, 64<<20))
	}
	for _, tamper := range []whatsapptest.Tamper{whatsapptest.GzipBomb, whatsapptest.Endless} {
		ch.Tamper(id, tamper)
		if n, err := get(d.ctx); n != 64<<20 {
			t.Errorf("%s: got %d bytes, %v", tamper, n, err)
		}
	}
	ch.Tamper(id, whatsapptest.CutShort)
	if n, err := get(d.ctx); n != 2048 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %d bytes, %v", n, err)
	}
	ch.Tamper(id, whatsapptest.Stalled)
	ctx, cancel := context.WithTimeout(d.ctx, 50*time.Millisecond)
	defer cancel()
	if n, err := get(ctx); n != 2048 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %d bytes, %v", n, err)
	}
}

func TestTheTrapCatchesWhoeverFollowsAURL(t *testing.T) {
	_, ch, d := followed(t)
	trap, err := whatsapptest.NewTrap()
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	_, img := postedImage(t, d, ch, &whatsapptest.Media{URL: trap.URL()})
	if b, err := d.Download(d.ctx, img); err != nil || string(b) != "trapped" {
		t.Errorf("got %q, %v", b, err)
	}
	id, img := postedImage(t, d, ch, &whatsapptest.Media{})
	ch.Tamper(id, whatsapptest.RedirectedAway+whatsapptest.Tamper(trap.URL()))
	if b, err := d.Download(d.ctx, img); err != nil || string(b) != "trapped" {
		t.Errorf("got %q, %v", b, err)
	}
	if n := len(trap.Hits()); n != 2 {
		t.Errorf("got %d hits, want the library to fall into it twice", n)
	}
}

func TestAVoiceNoteWithAKey(t *testing.T) {
	_, ch, d := followed(t)
	_, img := postedImage(t, d, ch, &whatsapptest.Media{MediaKey: noise(32)})
	if _, err := d.Download(d.ctx, img); !errors.Is(err, whatsmeow.ErrInvalidMediaHMAC) {
		t.Errorf("got %v", err)
	}
	img.MediaKey = nil
	if b, err := d.Download(d.ctx, img); err != nil || len(b) != 4096 {
		t.Errorf("got %d bytes, %v", len(b), err)
	}
}

func TestADirectPathNeedsItsQuery(t *testing.T) {
	_, ch, d := followed(t)
	_, img := postedImage(t, d, ch, &whatsapptest.Media{})
	path, _, _ := bytes.Cut([]byte(img.GetDirectPath()), []byte("?"))
	bare := string(path) + "?"
	img.DirectPath = &bare
	if _, err := d.Download(d.ctx, img); !errors.Is(err, whatsmeow.ErrMediaDownloadFailedWith403) {
		t.Errorf("got %v", err)
	}
}
