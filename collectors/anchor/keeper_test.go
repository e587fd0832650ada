package anchor_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/anchor/anchortest"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

func act(t *testing.T, v *vault.Vault) {
	t.Helper()
	if _, err := v.Put(t.Context(), evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Vault(), Body: &evidence.RunStopped{Command: "run"},
	}}}); err != nil {
		t.Fatal(err)
	}
}

func TestKeeper(t *testing.T) {
	already := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, already) }) // after the cleanups of what is started below
	v := vaulttest.New(t, anchor.View())
	one, two := anchortest.New(t, "one"), anchortest.New(t, "two")
	two.Answer(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusServiceUnavailable) })
	a, b := authority(t, one), authority(t, two)
	a.Name, b.Name = "one", "two"
	transport := &http.Transport{DisableKeepAlives: true}
	a.Client, b.Client = &http.Client{Transport: transport}, &http.Client{Transport: transport}

	type told struct {
		name string
		err  error
	}
	outcomes := make(chan told, 16)
	every, retry := make(chan time.Time), make(chan time.Time)
	k := &anchor.Keeper{
		Log: v, Authorities: []anchor.Authority{a, b}, Every: time.Hour, Records: 5, RetryMin: time.Minute, RetryMax: time.Minute,
		Now: time.Now, Logger: zerolog.Nop(), Told: func(n string, err error) { outcomes <- told{n, err} },
		After: func(d time.Duration) <-chan time.Time {
			if d == time.Hour {
				return every
			}
			return retry
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()

	act(t, v)
	every <- time.Time{}
	for range 2 {
		switch o := <-outcomes; {
		case o.name == "one" && o.err != nil, o.name == "two" && o.err == nil:
			t.Fatalf("%s: %v", o.name, o.err)
		}
	}
	signed, by, err := anchor.Newest(ctx, v)
	if err != nil || len(by) != 1 || by[0].By != "one" || by[0].Size != 2 || signed.Size != 2 || signed.Own != 2 {
		t.Fatalf("%+v %+v %v", signed, by, err)
	}
	size := v.Size()
	every <- time.Time{} // nothing but checkpoints came: none is due
	for range 5 {        // and now five records
		act(t, v)
	}
	if o := <-outcomes; o.name != "one" || o.err != nil {
		t.Fatalf("%+v", o)
	}
	two.Answer(nil)
	retry <- time.Time{}
	if o := <-outcomes; o.name != "two" || o.err != nil {
		t.Fatalf("%+v", o)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	_, by, err = anchor.Newest(t.Context(), v)
	if err != nil || len(by) != 2 || by[0].Size < size || by[1].Size < size {
		t.Errorf("%+v %v", by, err)
	}
	first, ok, err := anchor.First(t.Context(), v, 1)
	if err != nil || !ok || first.By != "one" || first.Size != 2 {
		t.Errorf("first anchor of record 1: %+v %v", first, err)
	}
	if _, ok, _ := anchor.First(t.Context(), v, v.Size()-1); ok {
		t.Error("the last record is anchored before anybody saw it")
	}
	rec, err := v.Record(t.Context(), by[0].Seq)
	if err != nil {
		t.Fatal(err)
	}
	c, err := evidence.Decode[*evidence.Checkpoint](rec)
	if err != nil {
		t.Fatal(err)
	}
	roots := map[string]anchor.Authority{"one": a, "two": b}[c.Anchor.By].Roots
	if _, err := anchor.Verify(c.Anchor.Token, []byte(c.Note), roots); err != nil {
		t.Error(err)
	}
}

func TestCompareAndAccept(t *testing.T) {
	v, other := vaulttest.New(t, anchor.View()), vaulttest.New(t, anchor.View())
	for range 3 {
		act(t, v)
		act(t, other)
	}
	cp, err := v.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	msg := []byte(cp.Note)
	if h, err := anchor.Compare(t.Context(), v, msg, v.LogKey()); err != nil || h.Size != 4 {
		t.Errorf("%+v %v", h, err)
	}
	if _, err := anchor.Compare(t.Context(), other, msg, ""); !errors.Is(err, anchor.ErrNote) {
		t.Errorf("another log's key: %v", err)
	}
	if _, err := anchor.Compare(t.Context(), other, msg, v.LogKey()); !errors.Is(err, anchor.ErrOtherLog) {
		t.Errorf("another log's records: %v", err)
	}
	short := vaulttest.New(t, anchor.View())
	if _, err := anchor.Compare(t.Context(), short, msg, v.LogKey()); !errors.Is(err, anchor.ErrOtherLog) {
		t.Errorf("a rolled-back log: %v", err)
	}
	skey, vkey := keys(t, "witness.example/one")
	_, stranger := keys(t, "witness.example/two")
	cosigned := cosign(t, msg, skey)
	if _, err := anchor.Accept(t.Context(), v, time.Now(), cosigned, []string{stranger}); !errors.Is(err, anchor.ErrNote) {
		t.Errorf("a stranger's cosignature: %v", err)
	}
	for want := 1; want >= 0; want-- {
		got, err := anchor.Accept(t.Context(), v, time.Now(), cosigned, []string{stranger, vkey})
		if err != nil || len(got) != want {
			t.Errorf("%+v %v, want %d", got, err, want)
		}
	}
	if _, by, err := anchor.Newest(t.Context(), v); err != nil || len(by) != 1 || by[0].Type != evidence.AnchorCosignature {
		t.Errorf("%+v %v", by, err)
	}
}
