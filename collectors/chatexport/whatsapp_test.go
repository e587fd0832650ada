package chatexport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"
)

// realChats are five synthetic group chats in five forms of dates, which lie beside the repository where they are at hand.
const realChats = "../../../shared/data/whatsapp/chat-miner/test/whatsapp"

// messages reads every message of a text.
func messages(t testing.TB, r io.Reader, given order) (list []*message, o orders) {
	t.Helper()
	l := newLines(r, given)
	o.possible = given
	for {
		m, err := l.next()
		if errors.Is(err, io.EOF) {
			return list, o
		}
		if err != nil {
			t.Fatal(err)
		}
		o.add(m.header)
		list = append(list, m)
	}
}

const allOrders = orderDMY | orderMDY | orderYMD

func TestRealChatsInFiveForms(t *testing.T) {
	files, _ := filepath.Glob(realChats + "/*.txt")
	if len(files) == 0 {
		fmt.Println("not applicable: there is no", realChats)
		return
	}
	want := []string{"2019-01-01 11:25", "2019-01-20 11:23", "2019-01-30 20:49", "2020-06-10 15:55", "2020-06-20 00:08", "2020-06-30 09:10", "2021-12-10 10:10", "2021-12-20 12:10", "2021-12-30 22:01"}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list, o := messages(t, bytes.NewReader(raw), allOrders)
		order, by, err := o.decide()
		if err != nil || by != "the numbers" {
			t.Errorf("%s: %v, %s, %v", name, order, by, err)
		}
		var got []string
		for _, m := range list {
			got = append(got, m.header.local(order).Format("2006-01-02 15:04"))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if body := string(list[2].body); !strings.HasSuffix(body, "\nconsectetur adipiscing elit. Duis libero.") {
			t.Errorf("%s: %q", name, body)
		}
		// They are groups: refused, by whichever name.
		for _, n := range []string{"John Doe", "Groupname"} {
			if _, err := checkChat(t.Context(), bytes.NewReader(raw), names{n}, allOrders); !errors.Is(err, ErrRefused) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	at := time.Date(2021, 12, 30, 22, 1, 0, 0, time.UTC)
	for _, line := range []string{
		"30/12/21, 22:01 - x", "30.12.21, 22:01 - x", "30-12-2021 22.01 - x", "[30.12.21, 22:01:00] x", "[30/12/21 22:01] x", "2021-12-30, 22:01 - x",
		"12/30/21, 10:01 PM - x", "12/30/2021, 10:01\u202fPM - x", "12/30/21, 10:01\u00a0p.\u00a0m. - x", "\u200e[30/12/21, 10:01:00\u202fPM] x", "\ufeff30/12/21, 10:01 pm - x",
		"٣٠\u200f/١٢\u200f/٢٠٢١، ١٠:٠١ م - x", "[۳۰/۱۲/۲۱, ۲۲:۰۱:۰۰] x", "30/12/21, 22:01 – x",
	} {
		h, ok := readHeader([]byte(line))
		if !ok || !h.local(h.candidates).Equal(at) || line[h.rest:] != "x" {
			t.Errorf("%q: %v, %+v", line, ok, h)
		}
	}
	for _, line := range []string{
		"", "[", "30/12/21", "30/12/21, 22:01", "30/12/21, 22:01 x", "30/12-21, 22:01 - x", "30/13/21, 22:01 - x", "31/02/21, 22:01 - x", "30/12/21, 24:01 - x",
		"30/12/21, 22:61 - x", "30/12/21, 13:01 PM - x", "[30/12/21, 22:01 - x", "1/2/3456789, 22:01 - x", "2021/12/2021, 22:01 - x", "30/12/1899, 22:01 - x", "300/12/21, 22:01 - x",
		"30/12/21, 22:01 -x", "Simulated 30/12/21, 22:01 - x", "30/12/2122:01 - x",
	} {
		if h, ok := readHeader([]byte(line)); ok {
			t.Errorf("%q is a header: %+v", line, h)
		}
	}
	for line, want := range map[string]int{"1/1/21, 12:05 AM - ": 0, "1/1/21, 12:05 PM - ": 12, "1/1/21, 00:05 a. m. - ": 0, "1/1/21, 1:05 PM - ": 13, "1/1/21, 0:05 - ": 0} {
		if h, ok := readHeader([]byte(line)); !ok || h.hour != want {
			t.Errorf("%q: hour %d, %v", line, h.hour, ok)
		}
	}
}

// TestDatesAreReadAsWritten writes a text in any shape and reads it: the same times, in the same order, with the same texts.
func TestDatesAreReadAsWritten(t *testing.T) {
	layouts := []struct {
		layout string
		order  order
	}{
		{"02/01/06, 15:04 - ", orderDMY},
		{"2/1/06, 15:04 - ", orderDMY},
		{"02.01.2006, 15:04 - ", orderDMY},
		{"[02.01.06, 15:04:05] ", orderDMY},
		{"01/02/06, 15:04 - ", orderMDY},
		{"1/2/06, 3:04 PM - ", orderMDY},
		{"[1/2/06, 3:04:05\u202fPM] ", orderMDY},
		{"[01/02/06 15:04] ", orderMDY},
		{"2006/01/02, 15:04 - ", orderYMD},
		{"2006-01-02, 15:04 - ", orderYMD},
	}
	rapid.Check(t, func(rt *rapid.T) {
		l := rapid.SampledFrom(layouts).Draw(rt, "layout")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(rt, "end")
		var text strings.Builder
		var times []time.Time
		var bodies []string
		at := time.Unix(rapid.Int64Range(time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), 3629000000).Draw(rt, "start"), 0).UTC()
		for range rapid.IntRange(1, 40).Draw(rt, "messages") {
			at = at.Add(time.Duration(rapid.Int64Range(0, 86400*40).Draw(rt, "step")) * time.Second)
			body := rapid.StringMatching(`[a-zآ-ی<>@: ]{1,20}(\n[a-z]{0,5}[a-z])?`).Draw(rt, "body")
			text.WriteString(at.Format(l.layout) + body + end)
			step := time.Minute
			if strings.Contains(l.layout, "05") {
				step = time.Second
			}
			times, bodies = append(times, at.Truncate(step)), append(bodies, body)
		}
		list, o := messages(t, strings.NewReader(text.String()), allOrders)
		if len(list) != len(times) {
			rt.Fatalf("%d messages of %d", len(list), len(times))
		}
		if o.possible&l.order == 0 {
			rt.Fatalf("the order %s is excluded", l.order)
		}
		if got, _, err := o.decide(); err == nil && o.differ && got != l.order {
			rt.Fatalf("decided %s, was %s", got, l.order)
		}
		for i, m := range list {
			if got := m.header.local(l.order); !got.Equal(times[i]) {
				rt.Fatalf("message %d is of %s, was of %s", i, got, times[i])
			}
			if got := strings.TrimLeft(bodies[i], " "); strings.TrimLeft(string(m.body), " ") != got {
				rt.Fatalf("message %d is %q, was %q", i, m.body, got)
			}
		}
	})
}

func TestOrderIsUndecidedWithoutEvidence(t *testing.T) {
	_, o := messages(t, strings.NewReader("1/2/24, 10:00 - a\n1/3/24, 10:00 - b\n"), allOrders)
	if got, _, err := o.decide(); !errors.Is(err, errAmbiguous) {
		t.Errorf("got %s, %v", got, err)
	}
	_, o = messages(t, strings.NewReader("1/1/24, 10:00 - a\n2/2/24, 10:00 - b\n"), allOrders)
	if got, _, err := o.decide(); got != orderDMY || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestReadErrorIsNoEnd(t *testing.T) {
	l := newLines(io.MultiReader(strings.NewReader("1/2/24, 10:00 - a\n"), iotest.ErrReader(errStop)), allOrders)
	if _, err := l.next(); !errors.Is(err, errStop) {
		t.Errorf("got %v", err)
	}
}

func TestNames(t *testing.T) {
	n := names{"News: simulated", "نیوز چینل"}
	for body, want := range map[string]who{
		"News: simulated: x": whoChannel, "News:\u00a0simulated: x": whoChannel, "\u200eنیوز\u00a0چینل\u200f: x": whoChannel, "News: x": whoOther, "News simulated: x": whoOther,
		"x": whoPlatform, ": x": whoOther, "News: simulated": whoOther, "x\nNews: simulated: x": whoPlatform,
	} {
		if w, _, at := n.sender([]byte(body)); w != want || w == whoChannel && strings.TrimSpace(body[at:]) != "x" {
			t.Errorf("%q: %v at %d", body, w, at)
		}
	}
}

// FuzzExportText: whatever the bytes are, the text is refused or every message is accounted for, inside of the file and once.
func FuzzExportText(f *testing.F) {
	for _, name := range []string{"testdata/whatsapp/apple/_chat.txt", "testdata/whatsapp/android/WhatsApp Chat with Northhaven Front.txt"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
		f.Add(raw[:len(raw)/2])
	}
	f.Add([]byte("٣٠/١٢/٢٠٢١، ١٠:٠١ م - S: x\r\r\n\n\xff1/1/21, 1:1 - S: <attached: a>"))
	f.Add([]byte("30/12/21, 22:01 - S: POLL:\nx\nOPTION: y (1 vote)\n30/12/21, 22:01 - S: a.vcf (file attached)\n\xe2\x80\x8eimage omitted"))
	known := names{"S", "Northhaven Front (simulated)"}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := checkChat(t.Context(), bytes.NewReader(raw), known, allOrders)
		if err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Fatalf("an error that is none of the file: %v", err)
			}
			return
		}
		rd := &textReader{names: names{s.name}, order: s.order}
		end, seen := int64(0), map[string]bool{}
		list, _ := messages(t, bytes.NewReader(raw), s.order)
		if len(list) != s.messages || s.size != int64(len(raw)) {
			t.Fatalf("%d messages were checked and %d are read", s.messages, len(list))
		}
		for _, m := range list {
			e, err := rd.entry(m)
			if err != nil {
				t.Fatal(err)
			}
			checkMessage(t, raw, m, e, end)
			end = m.offset + m.length
			if e.body != nil && seen[e.part] {
				t.Fatalf("the number %s occurs twice", e.part)
			}
			seen[e.part] = true
		}
	})
}

func checkMessage(t *testing.T, raw []byte, m *message, e entry, end int64) {
	t.Helper()
	if m.offset < end || m.length <= 0 || m.offset+m.length > int64(len(raw)) {
		t.Fatalf("message at %d with %d bytes, behind %d, of %d", m.offset, m.length, end, len(raw))
	}
	if e.body == nil {
		if e.reason == "" || len(e.skipped) == 0 {
			t.Fatal("a message is lost without a reason")
		}
		return
	}
	if n, err := strconv.ParseUint(e.part, 10, 64); err != nil || n < textBit {
		t.Fatalf("number %q", e.part)
	}
	if _, err := time.Parse(localFormat, (e.body.ClaimedLocal + ":00")[:len(localFormat)]); err != nil {
		t.Fatalf("time %q", e.body.ClaimedLocal)
	}
	for _, s := range []string{e.body.Text, fmt.Sprint(e.body.Media), fmt.Sprint(e.body.Service)} {
		if strings.ToValidUTF8(s, "") != s {
			t.Fatalf("not Unicode: %q", s)
		}
	}
	for _, f := range e.files {
		x := &chatText{name: "_chat.txt"}
		if f.withheld == "" && f.note == "" && strings.ContainsAny(f.path, "/\\\x00") {
			if _, _, why := x.medium(f.path); why == nil || why.reason != MissedUnsafe {
				t.Fatalf("%q is looked for", f.path)
			}
		}
	}
}
