package vault_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// plainKV is the contract of evidence.KV in its plainest form, to hold the vault's against: what is written is there at once.
type plainKV struct {
	values   map[string]string // live ones
	versions map[string]int64  // of those that were deleted, too
	now      int64
}

func (k *plainKV) Get(key string) ([]byte, int64) {
	if v, live := k.values[key]; live {
		return []byte(v), k.versions[key]
	}
	return nil, k.versions[key]
}

func (k *plainKV) Put(key string, value []byte) error {
	k.values[key], k.versions[key] = string(value), k.now
	return nil
}

func (k *plainKV) Delete(key string) error {
	delete(k.values, key)
	k.versions[key] = k.now
	return nil
}

func (k *plainKV) Each(prefix string, fn func(key string, value []byte, version int64) bool) {
	for _, key := range slices.Sorted(maps.Keys(k.values)) {
		if strings.HasPrefix(key, prefix) && !fn(key, []byte(k.values[key]), k.versions[key]) {
			return
		}
	}
}

// busy is a view that reads what it wrote for the record before: it counts, deletes, lists, and writes on what it listed.
func busy(r evidence.Record, kv evidence.KV) error {
	n, version := kv.Get("count")
	if err := kv.Put("count", fmt.Appendf(n[:min(len(n), 100):min(len(n), 100)], ".%d", version)); err != nil {
		return err
	}
	if err := kv.Put(fmt.Sprint("post ", r.Subject), r.Envelope.Body[:]); err != nil {
		return err
	}
	if r.Seq%7 == 0 {
		if err := kv.Delete(fmt.Sprint("seq ", r.Seq-7)); err != nil {
			return err
		}
	}
	if err := kv.Put(fmt.Sprint("seq ", r.Seq), nil); err != nil {
		return err
	}
	if r.Seq%50 != 0 {
		return nil
	}
	var err error
	listed := 0
	kv.Each("seq ", func(key string, value []byte, version int64) bool {
		listed++
		err = kv.Put(key, fmt.Appendf(value, "%d", version))
		return err == nil && listed < 400
	})
	return errors.Join(err, kv.Put("listed", fmt.Append(nil, listed)))
}

// A batch that several processors hash and seal is the same log as any other, and views see in it what they wrote.
func TestLargeBatches(t *testing.T) {
	for name, options := range sorts {
		t.Run(name, func(t *testing.T) {
			o := options(t, evidence.View{Name: "busy", Version: 1, Apply: busy}, vaulttest.Tally())
			v, err := vault.Create(filepath.Join(t.TempDir(), "vault"), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { v.Close() })
			put(t, v, vaulttest.Bind("telegram/main"))
			for i, n := range []int{1, 31, 64, 65, 5000} {
				for _, r := range put(t, v, largeBatch(i, n)...) {
					if r.Outcome != evidence.Written || r.Envelope.Body != evidence.Sum(r.Body) {
						t.Fatalf("record %d: %v", r.Seq, r.Outcome)
					}
				}
			}
			want := &plainKV{values: map[string]string{}, versions: map[string]int64{}}
			err = v.Records(t.Context(), 0, func(r evidence.Record) error {
				want.now = r.Seq + 1
				return busy(r, want)
			})
			if err != nil {
				t.Fatal(err)
			}
			got := &plainKV{values: map[string]string{}, versions: map[string]int64{}}
			err = v.Each(t.Context(), "busy", "", func(key string, value []byte, version int64) error {
				got.values[key], got.versions[key] = string(value), version
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want.values, got.values); d != "" {
				t.Error(d[:min(len(d), 2000)])
			}
			for key := range got.values {
				if got.versions[key] != want.versions[key] {
					t.Errorf("%s: version %d, want %d", key, got.versions[key], want.versions[key])
				}
			}
			if _, version, err := v.Get(t.Context(), "busy", "seq 0"); err != nil || version != want.versions["seq 0"] {
				t.Errorf("a deleted key: version %d, want %d (%v)", version, want.versions["seq 0"], err)
			}
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			cleanWith(t, v.Path(), o)
		})
	}
}

// largeBatch drafts n observations of fewer posts: some posts have several versions in it, one of them as it was before.
func largeBatch(round, n int) []evidence.Draft {
	acq := evidence.NewAcq(time.Now())
	channel := evidence.Account("telegram", "channel", fmt.Sprint(1000+round%2))
	out := make([]evidence.Draft, n)
	for i := range out {
		out[i] = evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Source("telegram/main"), Subject: channel.Post(int64(1_000_000*round + i - i%3)),
			Body: &evidence.PostSeen{Method: evidence.MethodMTProto, Vantage: "main", Text: fmt.Sprint("simulated ", i%3%2, strings.Repeat(" text", i%90))},
		}
	}
	return out
}

// A view that refuses one record of a batch refuses the batch, and what it wrote before is forgotten.
func TestViewRefusesBatch(t *testing.T) {
	refuse := errors.New("simulated refusal")
	picky := evidence.View{Name: "picky", Version: 1, Apply: func(r evidence.Record, kv evidence.KV) error {
		if r.Kind != evidence.KindPostSeen {
			return nil
		}
		b, err := evidence.Decode[*evidence.PostSeen](r)
		if err != nil || b.Text == "refuse" {
			return errors.Join(refuse, err)
		}
		return kv.Put(string(r.Subject), []byte(b.Text))
	}}
	v := vaulttest.New(t, picky)
	put(t, v, vaulttest.Bind("telegram/main"))
	ds := largeBatch(0, 90)
	ds[70].Body.(*evidence.PostSeen).Text = "refuse"
	size := v.Size()
	if _, err := v.Put(t.Context(), evidence.Batch{Drafts: ds}); !errors.Is(err, refuse) || v.Size() != size {
		t.Fatalf("%d records more, and %v", v.Size()-size, err)
	}
	put(t, v, largeBatch(0, 5)...)
	keys := 0
	err := v.Each(t.Context(), "picky", "", func(string, []byte, int64) error {
		keys++
		return nil
	})
	if err != nil || keys != 2 {
		t.Errorf("%d keys, want those of 2 posts (%v)", keys, err)
	}
	for _, key := range []string{"", strings.Repeat("k", 40_000)} {
		bad := evidence.View{Name: "bad", Version: 1, Apply: func(r evidence.Record, kv evidence.KV) error {
			if r.Kind != evidence.KindAccess {
				return nil
			}
			return kv.Put(key, nil)
		}}
		v := vaulttest.New(t, bad)
		_, err := v.Put(t.Context(), evidence.Batch{Drafts: []evidence.Draft{{
			ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Vault(), Body: &evidence.Access{What: "simulated"},
		}}})
		if err == nil || errors.Is(err, vault.ErrFailed) {
			t.Errorf("a key of %d bytes: %v", len(key), err)
		}
	}
}
