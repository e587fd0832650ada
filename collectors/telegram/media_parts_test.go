package telegram_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

const partSize = 512 << 10

// film is a video with bytes that repeat nowhere.
func film(n int) *telegramtest.Document {
	b := make([]byte, n)
	c := rand.NewChaCha8([32]byte{byte(n)})
	_, _ = c.Read(b)
	return &telegramtest.Document{Bytes: b, Kind: "video", MIME: "video/mp4", Name: "simulated.mp4"}
}

func films(ch *telegramtest.Channel) collectors.Target {
	x := target(ch)
	x.Media, x.MaxBytes = []string{"photo", "video", "document"}, 32<<20
	return x
}

func keptOne(rs []record) bool { return len(of[*evidence.MediaKept](rs)) == 1 }

func missedOne(rs []record) bool { return len(of[*evidence.MediaMissed](rs)) == 1 }

// served counts by index how often each part was served, from the nth request on.
func served(l *lab, since int) map[int64]int {
	out := map[int64]int{}
	for _, c := range l.srv.Parts()[since:] {
		out[c.Offset/partSize]++
	}
	return out
}

// A source that ends in the middle of a file leaves what it has; the next one fetches the missing parts and no other. Missing are those
// that were not asked for and those that were under way at the end, as many as the account has threads: which ones is the network's choice.
func TestAFileIsResumedPartByPart(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 0)
	const last = 9
	d := film(last*partSize + 1000)
	ch.Post(telegramtest.Post{Text: "Simulated film", Document: d})
	v := newVault(t, films(ch))
	o := l.options(t)
	o.Partial, o.Threads = t.TempDir(), 2
	since := len(l.srv.Parts())
	cutAtTheSixthPart(t, l, v, o, films(ch))
	if len(of[*evidence.MediaKept](records(t, v))) != 0 {
		t.Fatal("the first run kept the file")
	}
	// Whatever else is in the folder or cut off at its end does no harm.
	tear(t, o.Partial)
	rs := start(t, v, v, o, films(ch)).until(t, "the film", keptOne)
	k := of[*evidence.MediaKept](rs)[0]
	if !bytes.Equal(blob(t, v, k.Blob.SHA256), d.Bytes) {
		t.Error("the bytes are others")
	}
	all, twice := served(l, since), 0
	for _, n := range all {
		if n > 1 {
			twice++
		}
	}
	if len(all) != last+1 || twice > o.Threads {
		t.Errorf("the parts were served so often: %v", all)
	}
	fetched, reused := partsOf(t, v, k.Acquisition)
	// The sixth part is asked for when at most one of the five before it is still under way.
	if fetched+reused != last+1 || reused < 4 || reused > 5 {
		t.Errorf("%d parts were fetched and %d were there", fetched, reused)
	}
	if left, _ := os.ReadDir(o.Partial); len(left) != 0 {
		t.Errorf("%d files are left behind", len(left))
	}
}

// cutAtTheSixthPart runs a source with two threads and ends it while its sixth part is under way.
func cutAtTheSixthPart(t *testing.T, l *lab, v *vault.Vault, o telegram.Options, x collectors.Target) {
	t.Helper()
	release, reached := make(chan struct{}), make(chan struct{})
	var once sync.Once
	l.srv.BendParts(func(c telegramtest.PartCall, b []byte) []byte {
		if c.Offset >= 5*partSize {
			once.Do(func() { close(reached) })
			<-release
		}
		return b
	})
	defer l.srv.BendParts(nil)
	defer close(release)
	r := start(t, v, v, o, x)
	select {
	case <-reached:
	case <-time.After(20 * time.Second):
		t.Fatal("the sixth part was never asked for")
	}
	r.stop(t)
}

// partsOf is what a record of a download says of its parts: those that it fetched, and those that an earlier run had.
func partsOf(t *testing.T, v *vault.Vault, id evidence.ID) (fetched, reused int) {
	t.Helper()
	rec, err := v.ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	a, err := evidence.Decode[*evidence.Acquisition](rec)
	if err != nil {
		t.Fatal(err)
	}
	var q struct {
		Fetched int `json:"parts"`
		Reused  int `json:"parts_of_earlier_runs"`
	}
	if err := json.Unmarshal(a.Request, &q); err != nil {
		t.Fatal(err)
	}
	return q.Fetched, q.Reused
}

// tear appends the beginning of a line to every journal, as a power cut leaves it.
func tear(t *testing.T, dir string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d files of parts, %v", len(list), err)
	}
	for _, e := range list {
		if !strings.HasSuffix(e.Name(), ".parts") {
			continue
		}
		f, err := os.OpenFile(dir+"/"+e.Name(), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("torn"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// What the platform sends may be shorter or longer than it promised.
func TestPartsThatAreNotAsPromised(t *testing.T) {
	l := theLab(t)
	once := func(f func([]byte) []byte) func() func(telegramtest.PartCall, []byte) []byte {
		return func() func(telegramtest.PartCall, []byte) []byte {
			var o sync.Once
			return func(c telegramtest.PartCall, b []byte) []byte {
				if c.Offset == partSize {
					o.Do(func() { b = f(b) })
				}
				return b
			}
		}
	}
	always := func(f func(telegramtest.PartCall, []byte) []byte) func() func(telegramtest.PartCall, []byte) []byte {
		return func() func(telegramtest.PartCall, []byte) []byte { return f }
	}
	for _, tc := range []struct {
		name      string
		size      int
		announced int64
		bend      func() func(telegramtest.PartCall, []byte) []byte
		missed    string
	}{
		{"short once", 3*partSize + 5, 0, once(func(b []byte) []byte { return b[:100] }), ""},
		{"empty once", 3*partSize + 5, 0, once(func([]byte) []byte { return nil }), ""},
		{"short for good", 3*partSize + 5, 0, always(func(c telegramtest.PartCall, b []byte) []byte { return b[:min(len(b), 1000)] }), "unreachable"},
		{"longer than asked", 2 * partSize, 0, always(func(c telegramtest.PartCall, b []byte) []byte { return append(bytes.Clone(b), 'x') }), "unreachable"},
		{"longer than announced", 3*partSize + 5, partSize + 7, nil, ""},
		{"longer than announced, at a part's end", 2 * partSize, partSize - 7, nil, ""},
		{"shorter than announced", 2 * partSize, 20 << 20, nil, "unreachable"},
		{"exactly one part", partSize, 0, nil, ""},
		{"empty", 0, 0, nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			defer l.srv.Calm()
			ch := l.channel(t, 0)
			d := film(tc.size)
			d.Size = tc.announced
			ch.Post(telegramtest.Post{Text: "Simulated film", Document: d})
			if tc.bend != nil {
				l.srv.BendParts(tc.bend())
			}
			v := newVault(t, films(ch))
			o := l.options(t)
			o.Partial = t.TempDir()
			r := start(t, v, v, o, films(ch))
			if tc.missed != "" {
				m := of[*evidence.MediaMissed](r.until(t, "a missed file", missedOne))[0]
				if m.Reason != tc.missed || m.Next.IsZero() {
					t.Errorf("got %+v", m)
				}
				return
			}
			k := of[*evidence.MediaKept](r.until(t, "a file", keptOne))[0]
			if !bytes.Equal(blob(t, v, k.Blob.SHA256), d.Bytes) || k.Announced != tc.announced {
				t.Errorf("%d bytes, announced %d", k.Blob.Size, k.Announced)
			}
		})
	}
}

// What the platform will never serve is gone, and is not asked for again.
func TestRefusedFiles(t *testing.T) {
	l := theLab(t)
	for _, typ := range []string{"FILE_ID_INVALID", "LOCATION_INVALID", "LIMIT_INVALID", "OFFSET_INVALID"} {
		ch := l.channel(t, 0)
		ch.Post(telegramtest.Post{Text: "Simulated film", Document: film(2 * partSize)})
		l.srv.Fail("upload.getFile", 400, typ, 8)
		r := observe(t, l, films(ch))
		m := of[*evidence.MediaMissed](r.until(t, "a missed file", missedOne))[0]
		if m.Reason != "gone" || !strings.Contains(m.Detail, typ) || !m.Next.IsZero() {
			t.Errorf("%s: %+v", typ, m)
		}
		r.stop(t)
		l.srv.Calm()
	}
}

// A file over the limit is missed by a rule that is named, and what is under the limit stands for it.
func TestAThumbnailStandsForWhatIsTooLarge(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 0)
	d := film(1000)
	d.Size, d.Thumb = 1<<32, photo(900).Bytes
	p := photo(40_000)
	p.Thumb, p.Width, p.Height = photo(500).Bytes, 2000, 2000
	ch.Post(telegramtest.Post{Text: "Simulated film", Document: d})
	ch.Post(telegramtest.Post{Text: "Simulated photo", Photo: p})
	ch.Post(telegramtest.Post{Text: "Simulated program", Document: &telegramtest.Document{Bytes: []byte("MZ"), MIME: "application/x-msdownload"}})
	x := films(ch)
	x.Policy = collectors.MediaPolicy{MaxBytesOf: map[string]int64{"photo": 30_000}, DenyMIME: []string{"application/*"}}
	rs := observe(t, l, x).until(t, "all of them", func(rs []record) bool {
		return len(of[*evidence.MediaKept](rs)) == 2 && len(of[*evidence.MediaMissed](rs)) == 3
	})
	var got []string
	for _, r := range rs {
		switch b := r.body.(type) {
		case *evidence.MediaMissed:
			got = append(got, fmt.Sprintf("%s %s %s", r.Subject.Part(), b.Reason, b.Rule))
		case *evidence.MediaKept:
			got = append(got, fmt.Sprintf("%s thumbnail %t for %s of %d", r.Subject.Part(), b.Thumbnail, b.StandsFor, b.Blob.Size))
		}
	}
	slices.Sort(got)
	want := []string{
		"1 thumbnail true for collect.max_bytes of " + fmt.Sprint(len(d.Thumb)), "1 too-large collect.max_bytes",
		"2 thumbnail true for collect.max_bytes_of.photo of " + fmt.Sprint(len(p.Thumb)), "2 too-large collect.max_bytes_of.photo",
		"3 not-collected collect.mime.deny",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// The delivery network is followed, its bytes are opened and checked, and one that lies is not believed.
func TestTheDeliveryNetwork(t *testing.T) {
	l, err := newLab(telegramtest.Options{CDN: 203})
	if err != nil {
		t.Fatal(err)
	}
	defer l.srv.Close()
	for _, lies := range []bool{false, true} {
		l.srv.ServeFromCDN(true)
		ch := l.channel(t, 0)
		d := film(4*partSize + 77)
		ch.Post(telegramtest.Post{Text: "Simulated film", Document: d})
		if lies {
			l.srv.BendParts(func(_ telegramtest.PartCall, b []byte) []byte {
				b = bytes.Clone(b)
				b[len(b)-1]++
				return b
			})
		}
		r := observe(t, l, films(ch))
		if lies {
			m := of[*evidence.MediaMissed](r.until(t, "the missed film", missedOne))[0]
			if !strings.Contains(m.Detail, "hash") {
				t.Errorf("%+v", m)
			}
		} else {
			k := of[*evidence.MediaKept](r.until(t, "the film", keptOne))[0]
			if !bytes.Equal(blob(t, r.v, k.Blob.SHA256), d.Bytes) {
				t.Error("the bytes are others")
			}
			if n := l.srv.CallCount("upload.reuploadCdnFile"); n == 0 {
				t.Error("the network was not given the file")
			}
		}
		r.stop(t)
	}
	checkMethods(t, l)
}
