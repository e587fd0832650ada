package whatsapp_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// Files of every kind are kept, with the digest that the post gives.
func TestMediaKinds(t *testing.T) {
	l := linked(t)
	ch := l.world.AddChannel(whatsapptest.Profile{Name: "Simulated gazette", Picture: &whatsapptest.Media{Kind: "image", Bytes: noise(900, 99)}})
	want := map[string][]byte{}
	for i, kind := range []string{"image", "video", "round", "gif", "audio", "voice", "document", "sticker"} {
		m := &whatsapptest.Media{Kind: kind, Bytes: noise(50_000+i, byte(i)), MIME: "application/octet-stream", Name: "simulated.bin"}
		if kind == "voice" {
			m.MediaKey = noise(32, 77) // as voice notes come
		}
		id := ch.Post(whatsapptest.Post{Text: "simulated " + kind, Media: m})
		want[fmt.Sprint(id)] = m.Bytes
	}
	r := observe(t, l, target(ch))
	rs := r.until(t, "the files", func(rs []record) bool { return len(of[*evidence.MediaKept](rs)) == len(want)+1 })
	for _, x := range rs {
		k, ok := x.body.(*evidence.MediaKept)
		if !ok {
			continue
		}
		b := want[x.Subject.Part()]
		if x.Subject.Part() == "" {
			b = noise(900, 99)
		}
		if !bytes.Equal(blob(t, r.v, k.Blob.SHA256), b) {
			t.Errorf("%s: other bytes", x.Subject)
		}
	}
	types := map[string]bool{}
	for _, p := range of[*evidence.PostSeen](rs) {
		types[p.Media[0].Type] = true
	}
	for _, typ := range []string{"photo", "video", "round", "animation", "audio", "voice", "document", "sticker"} {
		if !types[typ] {
			t.Errorf("no %s among %v", typ, types)
		}
	}
}

// A file that is not what its post says is not kept, and the reason is.
func TestTamperedMedia(t *testing.T) {
	trap, err := whatsapptest.NewTrap()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := trap.Close(); err != nil {
			t.Error(err)
		}
	})
	l := linked(t)
	l.o.Retries, l.o.FileTimeout = 1, 5*time.Second
	want := map[string]string{}
	ch := l.world.AddChannel(whatsapptest.Profile{Name: "Simulated gazette"})
	add := func(reason string, m *whatsapptest.Media) {
		m.Kind, m.MIME = "image", "image/jpeg"
		if m.Bytes == nil {
			m.Bytes = noise(100_000, byte(len(want)))
		}
		want[fmt.Sprint(ch.Post(whatsapptest.Post{Media: m}))] = reason
	}
	for tamper, reason := range map[whatsapptest.Tamper]string{
		whatsapptest.WrongBytes: "wrong-digest", whatsapptest.Truncated: "wrong-digest", whatsapptest.Padded: "wrong-digest",
		whatsapptest.CutShort: "unreachable", whatsapptest.GzipBomb: "unsafe-encoding", whatsapptest.Endless: "wrong-digest",
		whatsapptest.Stalled: "unreachable", whatsapptest.Expired: "expired", whatsapptest.Missing: "expired", whatsapptest.Forbidden: "unreachable",
		whatsapptest.Overloaded: "unreachable", whatsapptest.Failing: "unreachable",
		whatsapptest.RedirectedAway + whatsapptest.Tamper(trap.URL()): "unsafe-path",
	} {
		add(reason, &whatsapptest.Media{Tamper: tamper})
	}
	add("wrong-digest", &whatsapptest.Media{SHA256: noise(32, 9)})
	add("wrong-digest", &whatsapptest.Media{Length: 100_001})
	add("too-large", &whatsapptest.Media{Length: 1 << 40})
	add("unreachable", &whatsapptest.Media{NoPath: true, URL: trap.URL()})
	add("kept", &whatsapptest.Media{URL: trap.URL()}) // its path is used, its URL never

	r := observe(t, l, target(ch))
	rs := r.until(t, "what became of the files", func(rs []record) bool {
		return len(of[*evidence.MediaMissed](rs))+len(of[*evidence.MediaKept](rs)) >= len(want)
	})
	for _, x := range rs {
		got := ""
		switch b := x.body.(type) {
		case *evidence.MediaMissed:
			got = b.Reason
			if strings.Contains(b.Detail, "http://") || strings.Contains(b.Detail, "oh=") {
				t.Errorf("the detail shows an address: %s", b.Detail)
			}
		case *evidence.MediaKept:
			got = "kept"
		default:
			continue
		}
		if want[x.Subject.Part()] != got {
			t.Errorf("post %s: %s, want %s", x.Subject.Part(), got, want[x.Subject.Part()])
		}
	}
	if h := trap.Hits(); len(h) != 0 {
		t.Errorf("the trap was visited: %v", h)
	}
}

// A host that is not WhatsApp's is not asked, not even when the platform's own list names it.
func TestHostsAreOurs(t *testing.T) {
	trap, err := whatsapptest.NewTrap()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := trap.Close(); err != nil {
			t.Error(err)
		}
	})
	l := newLab(t)
	host := strings.TrimPrefix(strings.TrimSuffix(trap.URL(), "/latest/meta-data?token=1"), "http://")
	srv, err := whatsapptest.Serve(context.Background(), l.world, whatsapptest.Options{PreKeys: 100, MediaHosts: []string{host, "whatsapp.net.example", "mmg.whatsapp.net"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	l.srv = srv
	l.o.Network.Addr, l.o.Network.MediaAddr = srv.Endpoint().Addr, srv.Endpoint().MediaAddr
	l.login(t)
	ch := l.world.AddChannel(whatsapptest.Profile{Name: "Simulated gazette"})
	ch.Post(whatsapptest.Post{Media: &whatsapptest.Media{Kind: "image", Bytes: noise(1000, 1)}})
	observe(t, l, target(ch)).until(t, "the file", func(rs []record) bool { return len(of[*evidence.MediaKept](rs)) == 1 })
	if h := trap.Hits(); len(h) != 0 {
		t.Errorf("the trap was visited: %v", h)
	}
}

// After a crash the files that were wanted still are.
func TestFilesSurviveACrash(t *testing.T) {
	l := linked(t)
	ch := l.world.AddChannel(whatsapptest.Profile{Name: "Simulated gazette"})
	ch.Fill(10, func(i int) whatsapptest.Post {
		return whatsapptest.Post{Media: &whatsapptest.Media{Kind: "image", Bytes: noise(2000, byte(i))}}
	})
	v := newVault(t, target(ch))
	cut := &faulty{Vault: v, fail: func(b evidence.Batch) bool {
		return slices.ContainsFunc(b.Drafts, func(d evidence.Draft) bool { _, ok := d.Body.(*evidence.MediaKept); return ok })
	}}
	if err := start(t, v, cut, l.o, target(ch)).ended(t); err == nil {
		t.Fatal("the cut was not noticed")
	}
	start(t, v, v, l.o, target(ch)).until(t, "the files", func(rs []record) bool { return len(of[*evidence.MediaKept](rs)) == 10 })
}
