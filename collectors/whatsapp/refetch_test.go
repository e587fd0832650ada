package whatsapp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// rotten flips a bit in the file of a blob, which is then set aside.
func rotten(t *testing.T, v *vault.Vault, d evidence.Digest) {
	t.Helper()
	err := v.SnapshotBlobs(t.Context(), func(b vault.SnapshotBlob) error {
		if b.Name != d {
			return nil
		}
		f, err := os.ReadFile(b.Path)
		if err != nil {
			return err
		}
		f[len(f)/2] ^= 1
		return os.WriteFile(b.Path, f, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	if aside, err := v.SetAside(t.Context(), d); aside == "" || err != nil {
		t.Fatalf("%q, %v", aside, err)
	}
}

func mendWith(v *vault.Vault, d evidence.Digest) collectors.Keep {
	return func(ctx context.Context, r io.Reader, _ int64) (evidence.Digest, int64, error) {
		b, err := io.ReadAll(r)
		if err != nil {
			return d, 0, err
		}
		return d, int64(len(b)), v.Mend(ctx, d, bytes.NewReader(b), false)
	}
}

// A file that rotted on our disk is asked for once more, and only the same bytes take its place.
func TestADamagedFileIsRefetched(t *testing.T) {
	l := linked(t)
	ch := l.world.AddChannel(whatsapptest.Profile{Name: "Simulated gazette"})
	pic := noise(50_000, 3)
	ch.Post(whatsapptest.Post{Text: "simulated", Media: &whatsapptest.Media{Kind: "image", Bytes: pic}})
	r := observe(t, l, target(ch))
	rs := r.until(t, "the file", func(rs []record) bool { return len(of[*evidence.MediaKept](rs)) == 1 })
	k := of[*evidence.MediaKept](rs)[0]
	d := k.Blob.SHA256
	rotten(t, r.v, d)
	want := collectors.Refetch{MediaID: k.MediaID}
	for _, x := range rs {
		if x.Kind == evidence.KindMediaKept {
			name, err := r.v.Name(t.Context(), x.Subject)
			if err != nil {
				t.Fatal(err)
			}
			want.Post = name
		}
	}
	if err := r.src.Refetch(t.Context(), want, mendWith(r.v, evidence.Sum([]byte("another")))); !errors.Is(err, vault.ErrOtherBytes) {
		t.Errorf("other bytes than wanted: %v", err)
	}
	if err := r.src.Refetch(t.Context(), want, mendWith(r.v, d)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(blob(t, r.v, d), pic) {
		t.Error("other bytes lie there")
	}
	want.Post = evidence.Account("whatsapp", "channel", "1@newsletter").Post(1)
	if err := r.src.Refetch(t.Context(), want, mendWith(r.v, d)); !errors.Is(err, collectors.ErrNotOurs) {
		t.Errorf("another channel's: %v", err)
	}
}
