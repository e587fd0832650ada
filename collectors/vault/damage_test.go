package vault_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// damaged is a small vault of every sort of entry, and what its parts are called.
func damaged(t *testing.T) (path string, blob evidence.Digest, o vault.Options) {
	o = vaulttest.Options(t, vaulttest.Tally())
	path = filepath.Join(t.TempDir(), "vault")
	v, err := vault.Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	blob, _, err = v.Keep(ctx, strings.NewReader("simulated photo"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = v.Keep(ctx, strings.NewReader("named by nothing"), 100); err != nil {
		t.Fatal(err)
	}
	put(t, v, vaulttest.Bind("telegram/main"))                             // 1
	put(t, v, posts("telegram/main", 1, "one", "two", "three", "four")...) // 2 account.bound, 3 to 6
	p := evidence.Account("telegram", "channel", "1").Post(1)
	put(t, v, draftOf("telegram/main", p, &evidence.MediaKept{MediaID: "photo 1", Blob: evidence.Object{SHA256: blob, Size: 15}})) // 7
	if _, err := v.Checkpoint(ctx); err != nil {                                                                                   // 8, over 8
		t.Fatal(err)
	}
	put(t, v, posts("telegram/main", 1, "one", "two", "changed")...) // 9, and two ids of unchanged posts
	for i := range 40 {
		put(t, v, posts("telegram/main", 100+i, "x")...)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	return path, blob, o
}

func put(t testing.TB, v *vault.Vault, ds ...evidence.Draft) []evidence.Record {
	t.Helper()
	recs, err := v.Put(t.Context(), evidence.Batch{Drafts: ds})
	if err != nil {
		t.Fatal(err)
	}
	return recs
}

func draftOf(source string, n evidence.Name, b evidence.Body) evidence.Draft {
	return evidence.Draft{ID: evidence.NewID(time.Now()), Actor: evidence.Source(source), Subject: n, Body: b}
}

// posts drafts a page of posts of a channel, numbered from 1.
func posts(source string, channel int, texts ...string) []evidence.Draft {
	acq := evidence.NewAcq(time.Now())
	n := evidence.Account("telegram", "channel", fmt.Sprint(channel))
	var ds []evidence.Draft
	for i, text := range texts {
		ds = append(ds, evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Source(source), Subject: n.Post(int64(i + 1)),
			Body: &evidence.PostSeen{Method: evidence.MethodMTProto, Vantage: "main", Text: text},
		})
	}
	return ds
}

func be(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// change rewrites one value.
func change(bucket string, key []byte, fn func([]byte) []byte) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		v := b.Get(key)
		if v == nil {
			return fmt.Errorf("no key %x in %s", key, bucket)
		}
		if v = fn(bytes.Clone(v)); v == nil {
			return b.Delete(key)
		}
		return b.Put(key, v)
	}
}

func remove([]byte) []byte { return nil }

func flip(at int) func([]byte) []byte {
	return func(v []byte) []byte {
		if at < 0 {
			at += len(v)
		}
		v[at] ^= 1
		return v
	}
}

func swap(from, to string) func([]byte) []byte {
	return func(v []byte) []byte {
		if !bytes.Contains(v, []byte(from)) {
			panic("nothing to swap in " + string(v))
		}
		return bytes.Replace(v, []byte(from), []byte(to), 1)
	}
}

func add(bucket string, key, value []byte) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error { return tx.Bucket([]byte(bucket)).Put(key, value) }
}

func subject(t *testing.T, o evidence.Ordinal, seq ...int64) []byte {
	k, err := o.AppendKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range seq {
		k = append(k, be(s)...)
	}
	return k
}

func copyVault(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "vault")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if ring := filepath.Join(to, "keyring"); os.Chmod(ring, 0o700) == nil {
		guard(t, ring)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
	return to
}

// doTo changes a closed vault behind its back.
func doTo(t *testing.T, path string, fn func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(path, "vault.db"), 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fn), db.Close()); err != nil {
		t.Fatal(err)
	}
}
