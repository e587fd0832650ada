package chatexport

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// all reads every entry of r, as Import would, without a sink.
func all(t testing.TB, r io.Reader) (entries []entry, last page) {
	parse(t.Context(), r, &reader{channel: 1}, func(p page) bool {
		entries = append(entries, p.entries...)
		last = p
		return true
	})
	return entries, last
}

// repeat is n bytes of a pattern.
func repeat(pattern string, n int64) io.Reader {
	return io.LimitReader(&cycle{p: []byte(strings.Repeat(pattern, 64<<10/len(pattern)))}, n/int64(len(pattern))*int64(len(pattern)))
}

type cycle struct {
	p  []byte
	at int
}

func (c *cycle) Read(b []byte) (int, error) {
	n := copy(b, c.p[c.at:])
	c.at = (c.at + n) % len(c.p)
	return n, nil
}

func TestHugeStringsAreNotHeld(t *testing.T) {
	const size = 256 << 20
	for name, pattern := range map[string]string{"plain": "simulated ", "escapes": `\n`, "quotes": `\"`, "unicode": `\u0041`} {
		t.Run(name, func(t *testing.T) {
			in := io.MultiReader(
				strings.NewReader(`{"messages": [{"id": 1, "type": "message", "text": "`), repeat(pattern, size),
				strings.NewReader(`", "author": "A"}, {"id": 2, "type": "message", "text": "simulated"}]}`),
			)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			entries, last := all(t, in)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("%d MiB were allocated", used>>20)
			}
			if len(entries) != 2 || last.err != nil || last.cut {
				t.Fatalf("got %d entries, %v", len(entries), last.err)
			}
			e := entries[0]
			if e.body.Text != "" || e.body.Author == nil || len(e.skipped) != 1 || !strings.Contains(e.skipped[0].Where, "byte 51") || e.body.Raw.Length < size {
				t.Errorf("got %+v, %+v", e.body, e.skipped)
			}
			if entries[1].body.Text != "simulated" {
				t.Errorf("got %+v", entries[1].body)
			}
		})
	}
}

func TestHugeElementsAreNotHeld(t *testing.T) {
	in := io.MultiReader(
		strings.NewReader(`{"messages": [{"id": 1, "text": [`), repeat(`"simulated",`, 128<<20), strings.NewReader(`""]}, {"id": 2, "text": "simulated"}]}`),
	)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	entries, _ := all(t, in)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 128<<20 {
		t.Errorf("%d MiB were allocated", used>>20)
	}
	if len(entries) != 2 || entries[0].reason != ReasonTooLarge || entries[1].number != 2 {
		t.Errorf("got %d entries, the first one %q", len(entries), entries[0].reason)
	}
}

// TestLargeMessagesFitIntoARecord tries what JSON writes much longer than it was read.
func TestLargeMessagesFitIntoARecord(t *testing.T) {
	for name, text := range map[string]string{
		"control":  `"` + strings.Repeat("\x01", maxString-10) + `"`,
		"invalid":  `"` + strings.Repeat("\xff", maxString-10) + `"`,
		"entities": `[` + strings.Repeat(`{"type":"bold","text":"x"},`, 500_000) + `""]`,
		"links":    `[` + strings.Repeat(`{"type":"text_link","text":"x","href":"`+strings.Repeat("\x01", 60<<10)+`"},`, 200) + `""]`,
	} {
		entries, _ := all(t, strings.NewReader(`{"messages": [{"id": 1, "type": "message", "text": `+text+`}]}`))
		if len(entries) != 1 || entries[0].body == nil {
			t.Fatalf("%s: got %+v", name, entries)
		}
		b, err := json.Marshal(entries[0].body)
		if err != nil || len(b) > 30<<20 {
			t.Errorf("%s: a body of %d MiB, %v", name, len(b)>>20, err)
		}
	}
}

func TestReadErrorsAreNotTruncation(t *testing.T) {
	broken := errors.New("the disk is broken")
	in := io.MultiReader(strings.NewReader(`{"messages": [{"id": 1, "type": "message", "text": ""}, {"id"`), iotest.ErrReader(broken))
	entries, last := all(t, in)
	if len(entries) != 1 || !errors.Is(last.err, broken) || last.cut {
		t.Errorf("got %d entries, %v", len(entries), last.err)
	}
}

func TestBytesOneByOne(t *testing.T) {
	raw, err := os.ReadFile("testdata/current/result.json")
	if err != nil {
		t.Fatal(err)
	}
	want, _ := all(t, bytes.NewReader(raw))
	got, _ := all(t, iotest.OneByteReader(bytes.NewReader(raw)))
	if len(got) != len(want) || len(got) != 6 {
		t.Fatalf("got %d entries, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i].body.Text != want[i].body.Text || *got[i].body.Raw != *want[i].body.Raw {
			t.Errorf("entry %d: got %+v, want %+v", i, got[i].body, want[i].body)
		}
	}
}

func TestChannelID(t *testing.T) {
	for _, c := range []struct {
		raw   string
		local bool
		want  int64
	}{
		{"1878264527", false, 1878264527},
		{`"1878264527"`, false, 1878264527},
		{"-1001878264527", false, 1878264527},
		{`"-1001878264527"`, false, 1878264527},
		{"1001878264527", false, 1878264527},
		{`"channel1878264527"`, false, 1878264527},
		{"10468199119", true, 1878264527},     // 2<<32 | id
		{"9990000111", false, 9990000111},     // a bare id may grow as long as that
		{"562951831685839", true, 1878264527}, // 2<<48 | id
		{"0", false, 0},
		{"-5", false, 0},
		{"", false, 0},
		{"null", false, 0},
		{"1e9", false, 0},
		{"99999999999999999999", false, 0},
	} {
		got, err := channelID([]byte(c.raw), c.local)
		if got != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%s: got %d, %v, want %d", c.raw, got, err, c.want)
		}
	}
}

func TestPeer(t *testing.T) {
	for raw, want := range map[string]struct {
		typ string
		id  int64
	}{
		`"channel12"`: {"channel", 12}, `"user12"`: {"user", 12}, `"chat12"`: {"chat", 12}, "12": {"user", 12},
		"4294967308": {"chat", 12}, "8589934604": {"channel", 12}, "562949953421324": {"channel", 12},
		`"user"`: {}, "-1": {}, `"x"`: {}, "": {},
	} {
		typ, id, err := peer([]byte(raw))
		if typ != want.typ || id != want.id || (err == nil) != (want.id > 0) {
			t.Errorf("%s: got %s %d, %v", raw, typ, id, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/current/result.json", "testdata/form2021/result.json"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
		f.Add(raw[:len(raw)/2])
	}
	f.Add([]byte(`{"messages": [{"id": 1, "text": "\x1F\ud83d"}, 5} x, {"id": 1}, ]}`))
	f.Add([]byte(`{"chats": {"list": [{"type": "public_channel", "id": -1001, "messages": [{"id": 1, "reactions": [{"count": 1}], "poll": {"answers": [{"text": []}]}}]}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if list, err := survey(bytes.NewReader(raw)); err == nil {
			_, _, _ = choose(list, "")
		}
		entries, last := all(t, bytes.NewReader(raw))
		if last.err != nil {
			t.Fatalf("an error that is none of the file: %v", last.err)
		}
		for _, e := range entries {
			check(t, raw, e)
		}
	})
}

// check insists on what every entry must be, whatever its bytes were.
func check(t *testing.T, raw []byte, e entry) {
	if e.body == nil {
		if e.reason == "" || len(e.skipped) == 0 {
			t.Fatal("an entry is lost without a reason")
		}
		return
	}
	if s := e.body.Raw; s.Offset < 0 || s.Length <= 0 || s.Offset+s.Length > int64(len(raw)) || raw[s.Offset] != '{' {
		t.Fatalf("slice %+v of %d bytes", s, len(raw))
	}
	units := len(utf16.Encode([]rune(e.body.Text)))
	for _, x := range e.body.Entities {
		if x.Offset < 0 || x.Length < 0 || x.Offset+x.Length > units {
			t.Fatalf("entity %+v of a text of %d", x, units)
		}
	}
	for i, r := range e.body.Refs() {
		r.Ordinal = evidence.NewOrdinal(evidence.SpacePrivate, uint64(i+1))
		if len(r.Name.Key) > 512 || strings.ToValidUTF8(r.Name.Key, "") != r.Name.Key {
			t.Fatalf("a name of %d bytes: %q", len(r.Name.Key), r.Name.Key)
		}
	}
	if _, err := evidence.EncodeBody(e.body, [evidence.SaltLen]byte{}); err != nil {
		t.Fatal(err)
	}
}
