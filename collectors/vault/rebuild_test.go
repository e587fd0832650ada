package vault_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// counting is Tally in another version, which also counts how often it is shown a record.
func counting(version int, calls *int) evidence.View {
	view := vaulttest.Tally()
	apply := view.Apply
	view.Version = version
	view.Apply = func(r evidence.Record, kv evidence.KV) error {
		*calls++
		return apply(r, kv)
	}
	return view
}

func content(t *testing.T, v *vault.Vault) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := v.Each(t.Context(), "tally", "", func(key string, value []byte, version int64) error {
		out[key] = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestViewsAreBuiltWhenTheyHaveTo(t *testing.T) {
	calls := 0
	o := vaulttest.Options(t, counting(1, &calls))
	v, err := vault.Create(filepath.Join(t.TempDir(), "vault"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { v.Close() }()
	put(t, v, vaulttest.Bind("telegram/main"))
	for i := range 30 {
		put(t, v, posts("telegram/main", i, "one", "two")...)
	}
	want := content(t, v)

	calls = 0
	v = reopen(t, v, o)
	if d := cmp.Diff(want, content(t, v)); d != "" || calls != 0 {
		t.Errorf("the same view, built with %d calls: %s", calls, d)
	}
	o.Views = []evidence.View{counting(2, &calls)}
	v = reopen(t, v, o)
	if d := cmp.Diff(want, content(t, v)); d != "" || int64(calls) != v.Size() {
		t.Errorf("a new version, built with %d calls over %d records: %s", calls, v.Size(), d)
	}

	// Without the view for a while: what it misses is made up for, and no more.
	o.Views = nil
	v = reopen(t, v, o)
	size := v.Size()
	put(t, v, posts("telegram/main", 77, "one")...)
	clean(t, copyVault(t, closeIt(t, v)), counting(2, &calls))
	calls = 0
	o.Views = []evidence.View{counting(2, &calls)}
	v = reopen(t, v, o)
	if int64(calls) != v.Size()-size {
		t.Errorf("made up for with %d calls, want %d", calls, v.Size()-size)
	}
	if want, got := "last a31/1", content(t, v); got[want] == "" {
		t.Errorf("no %q in %v", want, got)
	}
	clean(t, closeIt(t, v), o.Views...)
}

func TestABatchThatAViewRefusesIsNotWritten(t *testing.T) {
	broken := errors.New("simulated")
	refuse := evidence.View{Name: "refuse", Version: 1, Apply: func(r evidence.Record, kv evidence.KV) error {
		if r.Kind == evidence.KindAccess {
			return broken
		}
		return kv.Put("last", r.EnvelopeBytes)
	}}
	v := vaulttest.New(t, refuse)
	act := func() evidence.Draft {
		return draftOf("telegram/main", evidence.Account("telegram", "channel", "5"), &evidence.Access{})
	}
	put(t, v, vaulttest.Bind("telegram/main"))
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := v.Put(t.Context(), evidence.Batch{Drafts: []evidence.Draft{act()}})
			done <- err
		}()
		go func() {
			_, err := v.Put(t.Context(), evidence.Batch{Drafts: posts("telegram/main", 1, "one", "two")})
			done <- err
		}()
	}
	refused := 0
	for range 16 {
		if err := <-done; errors.Is(err, broken) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if refused != 8 || v.Size() != 2+1+2 {
		t.Errorf("%d refused, %d records", refused, v.Size())
	}
	if _, err := v.Ordinal(t.Context(), evidence.Account("telegram", "channel", "5")); !errors.Is(err, evidence.ErrUnbound) {
		t.Errorf("a refused batch bound its account: %v", err)
	}
	clean(t, closeIt(t, v), refuse)
	for name, bad := range map[string]evidence.View{"no name": {Apply: refuse.Apply}, "no function": {Name: "x"}, "capitals": {Name: "X", Apply: refuse.Apply}} {
		if v, err := vault.Open(v.Path(), vaulttest.Options(t, bad)); err == nil {
			v.Close()
			t.Errorf("opened with a view with %s", name)
		}
	}
}
