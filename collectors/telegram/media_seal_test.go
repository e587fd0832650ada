package telegram_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// The parts of an unfinished file show nothing of it where the vault is sealed, and are gone on with all the same. Those that were changed
// are fetched again, those of another key or in the clear all of them.
func TestPartsOfASealedVault(t *testing.T) {
	for _, tc := range []struct {
		name        string
		first, next func(v *vault.Vault) telegram.PartKeys
		damage      bool
		least, most int // parts that the second run need not fetch
	}{
		{"resumed", ownKeys, ownKeys, false, 4, 5},
		{"damaged", ownKeys, ownKeys, true, 3, 4},
		{"another key", ownKeys, func(*vault.Vault) telegram.PartKeys { return vaulttest.Sealed(t) }, false, 0, 0},
		{"in the clear before", func(*vault.Vault) telegram.PartKeys { return nil }, ownKeys, false, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := theLab(t)
			ch := l.channel(t, 0)
			d := film(9*partSize + 1000)
			ch.Post(telegramtest.Post{Text: "Simulated film", Document: d})
			v := vaulttest.Sealed(t)
			know(t, v, films(ch).ID)
			o := l.options(t)
			o.Partial, o.Threads, o.PartKeys = t.TempDir(), 2, tc.first(v)
			cutAtTheSixthPart(t, l, v, o, films(ch))
			if shows := showsAny(t, o.Partial, d.Bytes); shows != (o.PartKeys == nil) {
				t.Errorf("the folder shows bytes of the file: %t", shows)
			}
			if tc.damage {
				flip(t, o.Partial, partSize+1000) // within the second part
			}
			o.PartKeys = tc.next(v)
			k := of[*evidence.MediaKept](start(t, v, v, o, films(ch)).until(t, "the film", keptOne))[0]
			if !bytes.Equal(blob(t, v, k.Blob.SHA256), d.Bytes) {
				t.Error("the bytes are others")
			}
			if fetched, reused := partsOf(t, v, k.Acquisition); fetched+reused != 10 || reused < tc.least || reused > tc.most {
				t.Errorf("%d parts were fetched and %d were there", fetched, reused)
			}
			if left, _ := os.ReadDir(o.Partial); len(left) != 0 {
				t.Errorf("%d files are left behind", len(left))
			}
		})
	}
}

func ownKeys(v *vault.Vault) telegram.PartKeys { return v }

// showsAny reports whether any file of a folder holds 32 bytes of another that begin at a multiple of 64 KiB, or names what it is of.
func showsAny(t *testing.T, dir string, of []byte) bool {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d files of parts, %v", len(list), err)
	}
	for _, e := range list {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(`"media"`)) {
			return true
		}
		for at := 0; at+32 <= len(of); at += 64 << 10 {
			if bytes.Contains(b, of[at:at+32]) {
				return true
			}
		}
	}
	return false
}

// flip changes one byte of the parts.
func flip(t *testing.T, dir string, at int64) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if !strings.HasSuffix(e.Name(), ".part") {
			continue
		}
		f, err := os.OpenFile(filepath.Join(dir, e.Name()), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1)
		if _, err := f.ReadAt(b, at); err != nil {
			t.Fatal(err)
		}
		b[0]++
		if _, err := f.WriteAt(b, at); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
