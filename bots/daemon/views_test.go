package daemon

import (
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// TestEveryViewTakesAnErasedBody replays what a channel, a daemon and two people leave in a log, with each body removed in turn.
func TestEveryViewTakesAnErasedBody(t *testing.T) {
	s := newSite(t)
	d := s.start()
	c := s.client(nil)
	if err := s.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	span := evidence.Span{From: evidence.At(d.rooms.Now()), To: evidence.At(d.rooms.Now())}
	source, target, account := evidence.Source("test"), evidence.Target("one"), evidence.Account("telegram", "channel", "1")
	for i, x := range []struct {
		about evidence.Name
		body  evidence.Body
	}{
		{source, &evidence.Collector{Key: "test", State: "healthy"}},
		{target, &evidence.TargetBound{Account: evidence.Ref{Name: account}}},
		{account, &evidence.AccountSeen{Method: evidence.MethodMTProto, Vantage: "v", Observed: span, Title: "Simulated"}},
		{account, &evidence.AccountSeen{Method: evidence.MethodMTProto, Vantage: "v", Observed: span, Title: "Renamed (simulated)", Usernames: []string{"simulated"}}},
		{account, &evidence.AccountSeen{Method: evidence.MethodMTProto, Vantage: "v", Observed: span, Title: "Renamed (simulated)", Restriction: []evidence.Restriction{{Reason: "terms"}}}},
		{account.Post(1), &evidence.PostSeen{Method: evidence.MethodMTProto, Vantage: "v", Observed: span, Text: "A bland text (simulated)."}},
		{account.Post(1), &evidence.PostGone{Method: evidence.MethodMTProto, Vantage: "v", Observed: span, How: "deletion notice"}},
		{target, &evidence.Gap{Span: span, Cause: "unreachable"}},
		{target, &evidence.Gap{Span: span, Cause: "unreachable", Recovered: true}},
		{target, &evidence.HoldPlaced{What: evidence.HoldTarget, Reason: "simulated", Person: "bilal"}},
		{account, &evidence.HoldPlaced{What: evidence.HoldQuery, Query: &span, Reason: "simulated", Person: "bilal"}},
		{account, &evidence.HoldReleased{Hold: 12, Reason: "simulated", Person: "bilal"}},
		{account.Post(1), &evidence.Quarantined{Reason: "simulated", Person: "bilal"}},
		{account.Post(1), &evidence.QuarantineOrdered{Signed: evidence.Signed{Payload: `{"type":"order","person":"bilal","orders":{"what":"destroy","post":"a1/1"}}`}}},
		{account.Post(1), &evidence.QuarantineCarried{What: evidence.OrderDestroy, Person: "bilal"}},
		{target, &evidence.TargetErasure{Signed: evidence.Signed{Payload: `{"type":"erasure","person":"bilal","lifts":{"seq":1,"leaf":"` + evidence.Digest{1}.String() + `"}}`}}},
		{evidence.Vault(), &evidence.RetentionRun{Erased: 1, Lingering: 1, Warn: 30, Terms: map[evidence.Ordinal]int{"a1": 180}}},
		{evidence.Vault(), &evidence.RetentionRun{Erased: 1, Lingering: 1, Warn: 30, Terms: map[evidence.Ordinal]int{"a1": 90}}},
		{evidence.Vault(), &evidence.DamageFound{Part: evidence.DamagedBlob, Blob: evidence.Digest{1}, What: "simulated"}},
		{evidence.Vault(), &evidence.DamageFound{Part: evidence.DamagedRecord, Records: &evidence.SeqRun{First: 3, Last: 3}, What: "simulated"}},
		{evidence.Vault(), &evidence.DamageEnded{Part: evidence.DamagedBlob, Blob: evidence.Digest{1}, How: evidence.MendWhole}},
		{evidence.Vault(), &evidence.BundleBuilt{Name: "simulated", Posts: []evidence.Ordinal{"a1/1"}}},
	} {
		if _, err := d.rooms.Vault.Put(t.Context(), evidence.Batch{Drafts: []evidence.Draft{{
			ID: evidence.NewID(d.rooms.Now()), Actor: source, Subject: x.about, Body: x.body,
		}}}); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	for path, req := range map[string]any{
		"/v1/targets/suspend": TargetRequest{Person: "amna", Target: "one", Reason: "simulated"},
		"/v1/targets/mark":    MarkRequest{Person: "bilal", Target: "one", Mark: evidence.MarkInnocent, Category: "journalist", Reason: "simulated"},
	} {
		_ = c.Call(t.Context(), "POST", path, req, nil) // whichever comes second may be refused, which is a record as well
	}
	var all []evidence.Record
	if err := d.rooms.Vault.Records(t.Context(), 0, func(r evidence.Record) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	vaulttest.Erased(t, all, Views(), nil)
}
