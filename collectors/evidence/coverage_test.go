package evidence

import (
	"encoding/json"
	"testing"
	"time"
)

func coverageRecord(t *testing.T, seq int64, at time.Time, b Body) Record {
	t.Helper()
	js, err := EncodeBody(b, [16]byte{})
	if err != nil {
		t.Fatal(err)
	}
	return Record{Envelope: Envelope{Seq: seq, Kind: b.Kind(), At: At(at), Subject: "t1"}, Body: js}
}

// A hand-made log: approved at hour 0, first request at hour 1, suspended from hour 10 to hour 20 (two people lift it), and gaps that
// overlap one another, the suspension and the end.
func TestCoverageOfAHandMadeLog(t *testing.T) {
	t0 := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	h := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Hour) }
	approve := func(person string) Body {
		js, err := json.Marshal(Statement{Person: person})
		if err != nil {
			t.Fatal(err)
		}
		return &TargetApproved{Signed: Signed{Payload: string(js)}}
	}
	gap := func(from, to int, recovered bool) Body {
		g := &Gap{Span: Span{From: At(h(from))}, Cause: "outage", Recovered: recovered}
		if to > 0 {
			g.To = At(h(to))
		}
		return g
	}
	var c Coverage
	for i, x := range []struct {
		at   int
		body Body
	}{
		{0, approve("bilal")},
		{1, &Acquisition{Method: "messages.getHistory", Observed: Span{From: At(h(1)), To: At(h(1))}}},
		{1, &Acquisition{Method: "import telegram-desktop", Observed: Span{From: At(h(-50)), To: At(h(-50))}}},
		{4, gap(2, 4, true)},
		{5, gap(3, 5, false)},
		{10, &TargetSuspended{Reason: "simulated"}},
		{12, gap(8, 12, false)},
		{15, approve("bilal")},
		{20, approve("chanda")},
		{25, gap(19, 21, true)},
		{29, gap(28, 0, false)},
	} {
		c.See(coverageRecord(t, int64(i), h(x.at), x.body))
	}
	got := c.Shares(time.Time{}, h(30))
	// To be observed: 1 to 10 and 20 to 30. Not observed: 2 to 5, 8 to 10, 20 to 21, 28 to 30; read again of it: 2 to 3 and 20 to 21.
	want := Shares{Expected: 19 * time.Hour, Observed: 11 * time.Hour, Read: 13 * time.Hour}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := c.Shares(h(20), h(30)); got != (Shares{10 * time.Hour, 7 * time.Hour, 8 * time.Hour}) {
		t.Errorf("since hour 20: got %+v", got)
	}
	if got := c.Shares(h(20), h(30), Missing{From: At(h(22)), To: At(h(29))}); got.Observed != time.Hour {
		t.Errorf("with a concluded gap: got %+v", got)
	}
	if got := (&Coverage{}).Shares(time.Time{}, h(30)); got != (Shares{}) {
		t.Errorf("of nothing: got %+v", got)
	}
}
