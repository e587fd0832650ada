package backup_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
)

// rot flips a bit in every blob's file and returns their names.
func (w *world) rot() (all []evidence.Digest) {
	w.Helper()
	err := w.v.SnapshotBlobs(context.Background(), func(b vault.SnapshotBlob) error {
		f, err := os.ReadFile(b.Path)
		if err != nil {
			return err
		}
		f[len(f)/2] ^= 1
		all = append(all, b.Name)
		return os.WriteFile(b.Path, f, 0o600)
	})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// Single blobs come back from a backup: plain, sealed, encrypted; from a folder and from S3; an earlier backup helps where a later one
// is damaged.
func TestFetchBringsDamagedBlobsBack(t *testing.T) {
	for name, world := range map[string]func(*testing.T) *world{"plain": newWorld, "sealed": sealedWorld} {
		t.Run(name, func(t *testing.T) {
			places(t, func(t *testing.T, place backup.Store) {
				to, ids, _ := key(t)
				w := world(t)
				w.page(1, 3)
				w.page(2, 3)
				w.backup(place, func(o *backup.Options) { o.Recipients = to })
				w.page(3, 3)
				w.backup(place, func(o *backup.Options) { o.Recipients = to })
				damaged := w.rot()
				want := append(damaged, evidence.Sum([]byte("never kept")))
				o := backup.FetchOptions{
					From: place, Identities: ids, Vault: w.v.ID(), Want: want,
					Keep: func(ctx context.Context, d evidence.Digest, sealed bool, r io.Reader) error {
						return w.v.Mend(ctx, d, r, sealed)
					},
				}
				got, err := backup.Fetch(context.Background(), o)
				if err != nil || len(got.Had) != 3 || len(got.Lacked) != 1 {
					t.Fatalf("%+v, %v", got, err)
				}
				for _, d := range damaged {
					if wrong, err := w.v.CheckBlob(context.Background(), d); wrong != "" || err != nil {
						t.Errorf("%s: %s %v", d, wrong, err)
					}
				}
				o.Vault = "another"
				if _, err := backup.Fetch(context.Background(), o); !errors.Is(err, backup.ErrOtherVault) {
					t.Errorf("of another vault: %v", err)
				}
				o.Vault, o.Identities, o.Want = w.v.ID(), nil, damaged
				if _, err := backup.Fetch(context.Background(), o); !errors.Is(err, backup.ErrNoIdentity) {
					t.Errorf("without an identity: %v", err)
				}
			})
		})
	}
}

// What a backup holds in a blob's place and is not the blob is never placed.
func TestFetchTakesNothingElse(t *testing.T) {
	w := newWorld(t)
	w.page(1, 3)
	dir := t.TempDir()
	place, err := backup.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.backup(place)
	damaged := w.rot()
	got, err := backup.Fetch(context.Background(), backup.FetchOptions{
		From: place, Vault: w.v.ID(), Want: damaged,
		Keep: func(ctx context.Context, d evidence.Digest, sealed bool, r io.Reader) error {
			b, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			return w.v.Mend(ctx, d, bytes.NewReader(append(b, 'x')), sealed)
		},
	})
	if err != nil || len(got.Had) > 0 || !strings.Contains(got.Lacked[damaged[0]], vault.ErrOtherBytes.Error()) {
		t.Errorf("%+v, %v", got, err)
	}
}

// places runs a test with every kind of place.
func places(t *testing.T, test func(*testing.T, backup.Store)) {
	t.Run("folder", func(t *testing.T) { test(t, folder(t)) })
	t.Run("s3", func(t *testing.T) {
		s, err := backup.OpenS3(context.Background(), gateway(t))
		if err != nil {
			t.Fatal(err)
		}
		test(t, s)
	})
}
