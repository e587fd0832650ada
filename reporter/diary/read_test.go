package diary_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/diary"
)

func (w *world) read(q diary.Query) []diary.Entry {
	w.t.Helper()
	es, err := diary.Read(w.t.Context(), w.v, q)
	if err != nil {
		w.t.Fatal(err)
	}
	return es
}

func seqs(es []diary.Entry) []int64 {
	out := []int64{}
	for _, e := range es {
		out = append(out, e.Seq)
	}
	return out
}

// want reads the whole log and keeps what a query asks for, the slow way.
func (w *world) want(keep func(evidence.Record) bool, limit int) []int64 {
	w.t.Helper()
	out := []int64{}
	err := w.v.Records(w.t.Context(), 0, func(r evidence.Record) error {
		if keep(r) {
			out = append(out, r.Seq)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if limit > 0 && len(out) > limit {
		out = out[len(out)-limit:]
	}
	return out
}

func TestReadReturnsExactlyWhatWasAskedFor(t *testing.T) {
	w := newWorld(t)
	begin := w.now
	for i := range 600 {
		w.after(time.Duration(i%3) * time.Minute) // several records share a moment
		switch i % 7 {
		case 0:
			w.target("front" + strconv.Itoa(i%2) + strconv.Itoa(i))
		case 1:
			w.put(evidence.Person("amna"), evidence.Vault(), &evidence.Access{What: "queue", Note: strconv.Itoa(i)})
		case 2:
			w.put(evidence.Person("bilal"), evidence.Vault(), &evidence.Access{What: "show", Note: strconv.Itoa(i)})
		default:
			w.put(source, channel.Post(int64(i%5)), post(i, "simulated "+strconv.Itoa(i)))
		}
	}
	end := w.now
	moment := func(t *rapid.T, name string) time.Time {
		if rapid.Bool().Draw(t, name+" given") {
			return begin.Add(time.Duration(rapid.Int64Range(-60, int64(end.Sub(begin)/time.Second)+60).Draw(t, name)) * time.Second)
		}
		return time.Time{}
	}
	actors := map[string]evidence.Ordinal{"amna": "u1", "bilal": "u2"}
	rapid.Check(t, func(rt *rapid.T) {
		q := diary.Query{
			Since: moment(rt, "since"), Until: moment(rt, "until"), Limit: rapid.SampledFrom([]int{0, 1, 3, 50, 600}).Draw(rt, "limit"),
			Person:  rapid.SampledFrom([]string{"", "", "amna", "bilal"}).Draw(rt, "person"),
			Kind:    rapid.SampledFrom([]evidence.Kind{"", "", evidence.KindAccess, evidence.KindPostSeen, evidence.KindTargetSet}).Draw(rt, "kind"),
			Subject: rapid.SampledFrom([]evidence.Ordinal{"", "", "v0", "a1/3", "t9"}).Draw(rt, "subject"),
		}
		got := seqs(w.read(q))
		want := w.want(func(r evidence.Record) bool {
			return (q.Since.IsZero() || !r.At.Before(q.Since)) && (q.Until.IsZero() || r.At.Before(q.Until)) && (q.Kind == "" || r.Kind == q.Kind) &&
				(q.Subject == "" || r.Subject == q.Subject) && (q.Person == "" || r.Actor == actors[q.Person])
		}, q.Limit)
		if !slices.Equal(got, want) {
			rt.Fatalf("%+v\n got %v\nwant %v", q, got, want)
		}
	})
}

func TestTheTrailOfATargetNamesWhoDidWhat(t *testing.T) {
	w := newWorld(t)
	set := w.target("front")
	w.put(evidence.Person("bilal"), evidence.Target("front"), &evidence.TargetApproved{Signed: signed(w, evidence.Statement{
		Person: "bilal", Fingerprint: "SHA256:bilal", Confirms: &evidence.RecordRef{Seq: set.Seq},
	})})
	w.put(evidence.Person("amna"), evidence.Target("front"), &evidence.TargetSuspended{Reason: "a newspaper"})
	got := w.read(diary.Query{Subject: set.Subject})
	want := []string{"listed the target front", "bilal approved the target front as record " + strconv.FormatInt(set.Seq, 10) + " set it, with key SHA256:bilal", "amna suspended the target front"}
	for i, s := range want {
		if i >= len(got) || !strings.Contains(got[i].String(), s) {
			t.Errorf("entry %d: want %q in %v", i, s, got)
		}
	}
}

func TestSinceIsReadAsPeopleTypeIt(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 15, 0, 0, time.UTC)
	for in, want := range map[string]string{
		"today": "2026-11-23T00:00:00Z", "yesterday": "2026-11-22T00:00:00Z", "2026-11-01": "2026-11-01T00:00:00Z",
		"2026-11-01T07:00:00+05:00": "2026-11-01T02:00:00Z", "36h": "2026-11-21T20:15:00Z", "7d": "2026-11-16T08:15:00Z", "90m": "2026-11-23T06:45:00Z",
	} {
		got, err := diary.ParseSince(in, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: got %v, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "tomorrow", "-3d", "-2h", "23.11.2026", "\u202e7d", "99999999999999999d"} {
		if got, err := diary.ParseSince(in, now); err == nil || strings.Contains(err.Error(), "\u202e") {
			t.Errorf("%q: got %v, %v", in, got, err)
		}
	}
}

func FuzzParseSince(f *testing.F) {
	f.Add("7d")
	f.Add("2026-11-23")
	f.Fuzz(func(t *testing.T, s string) {
		now := time.Date(2026, 11, 23, 8, 15, 0, 0, time.UTC)
		if got, err := diary.ParseSince(s, now); err == nil && got.Location() != time.UTC {
			t.Errorf("%q gave %v", s, got)
		}
	})
}
