package chatexport

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func zipped(f *testing.F, files ...string) []byte {
	f.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = io.WriteString(w, files[i+1])
		}
		if err != nil {
			f.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	return b.Bytes()
}

// FuzzArchive: whatever a file holds, it is opened as an export or refused, nothing is unpacked, and the text that is chosen is one text of
// the archive's own top folder.
func FuzzArchive(f *testing.F) {
	const chat = "30/12/21, 22:01 - S: simulated\n"
	f.Add(zipped(f, "_chat.txt", chat, "a.jpg", "x"))
	f.Add(zipped(f, "a.txt", chat, "b.txt", chat))
	f.Add(zipped(f, "_chat.txt", chat, "_chat.txt", chat))
	f.Add(zipped(f, "../_chat.txt", chat, "x/y.txt", chat, `x\y.txt`, chat))
	f.Add([]byte("PK\x03\x04 and no directory"))
	f.Add([]byte(chat))
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "export.zip")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := openChat(path)
		if list, _ := os.ReadDir(dir); len(list) != 1 {
			t.Fatalf("%d files where one was", len(list))
		}
		if err != nil {
			return
		}
		defer x.close()
		if x.zip != nil && (x.twice[x.name] || strings.ContainsAny(x.name, `/\`)) {
			t.Errorf("the text is %q", x.name)
		}
		in, err := x.text()
		if err != nil {
			return
		}
		defer in.Close()
		text, err := io.ReadAll(io.LimitReader(in, 1<<20))
		if err != nil {
			return // a damaged entry is an error, and no shorter text
		}
		if _, err := checkChat(t.Context(), bytes.NewReader(text), names{"S"}, allOrders); err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("an error that is none of the file: %v", err)
		}
	})
}
