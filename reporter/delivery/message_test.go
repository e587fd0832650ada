package delivery_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/reporter/delivery"
)

func TestBuildIsDeterministicAndReadable(t *testing.T) {
	a, b := message(t).Bytes, message(t).Bytes
	if !bytes.Equal(a, b) {
		t.Error("equal letters gave different bytes")
	}
	if bytes.Contains(bytes.ReplaceAll(a, []byte("\r\n"), nil), []byte("\n")) || !bytes.HasSuffix(a, []byte("\r\n")) {
		t.Error("a line does not end in CRLF")
	}
	for _, want := range []string{
		"Message-ID: <key@example.org>\r\n", "Date: Sun, 01 Mar 2026 09:00:00 +0000\r\n", "notice.json", "application/json",
		"Auto-Submitted: auto-generated\r\n",
	} {
		if !bytes.Contains(a, []byte(want)) {
			t.Errorf("no %q in\n%s", want, a)
		}
	}
	for line := range strings.SplitSeq(string(a), "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	text, err := delivery.Text(a)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(letter().Text, text); d != "" {
		t.Errorf("text came back different (-want +got)\n%s", d)
	}
}

func TestBuildRefuses(t *testing.T) {
	for name, change := range map[string]func(*delivery.Letter){
		"no sender":       func(l *delivery.Letter) { l.From = "" },
		"no recipient":    func(l *delivery.Letter) { l.To = nil },
		"broken address":  func(l *delivery.Letter) { l.To = []string{"a@b\r\nBcc: c@d"} },
		"message id":      func(l *delivery.Letter) { l.MessageID = "a@b>\r\nX: y" },
		"message id, one": func(l *delivery.Letter) { l.MessageID = "key" },
	} {
		l := letter()
		change(&l)
		if _, err := delivery.Build(l); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	l := letter()
	l.Subject = "one\r\nBcc: two@example.org"
	b, err := delivery.Build(l)
	if err == nil && bytes.Contains(b, []byte("\r\nBcc:")) {
		t.Error("a subject made a header")
	}
}

func FuzzText(f *testing.F) {
	b, err := delivery.Build(letter())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("Content-Type: multipart/mixed\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := delivery.Text(b); err != nil && err.Error() == "" {
			t.Fatal("an error without a word")
		}
	})
}

func TestOutbox(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "outbox")
	o := &delivery.Outbox{Dir: dir}
	m := message(t)
	receipt, err := o.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]byte{
		delivery.MessageFile: m.Bytes, delivery.MachineFile: m.Machine, delivery.TextFile: []byte(letter().Text),
	} {
		got, err := os.ReadFile(filepath.Join(dir, "key", file))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v, or other bytes", file, err)
		}
	}
	again, err := o.Send(t.Context(), m)
	if err != nil || again != receipt {
		t.Errorf("again: %q, %v; first %q", again, err, receipt)
	}
	m.Bytes = append([]byte("X-Other: 1\r\n"), m.Bytes...)
	_, err = o.Send(t.Context(), m)
	notSent(t, err)
	for _, name := range []string{"", "..", "a/b", ".hidden", strings.Repeat("a", 200)} {
		m.Name = name
		_, err = o.Send(t.Context(), m)
		notSent(t, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v: want the one folder and nothing half written", entries, err)
	}
	_, err = (&delivery.Outbox{Dir: filepath.Join(dir, "key", delivery.TextFile)}).Send(t.Context(), message(t))
	notSent(t, err)
}
