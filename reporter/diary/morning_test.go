package diary_test

import (
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/diary"
)

func seen(title string, limits ...evidence.Restriction) *evidence.AccountSeen {
	return &evidence.AccountSeen{Method: evidence.MethodMTProto, Vantage: "main", Title: title, Usernames: []string{strings.ToLower(title)}, Restriction: limits}
}

func (w *world) morning(in diary.Inputs) diary.Today {
	w.t.Helper()
	in.Now = w.now
	m, err := diary.Morning(w.t.Context(), w.v, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func TestTheMorningTellsWhatHappenedSince(t *testing.T) {
	w := newWorld(t)
	front := w.target("front").Subject
	w.put(source, evidence.Target("front"), &evidence.TargetBound{Account: evidence.Ref{Name: channel}, Address: "https://t.me/front"})
	w.put(source, channel, seen("Front"))
	w.after(30 * time.Hour)
	since := w.now
	limit := evidence.Restriction{Where: "all", Reason: "terms"}
	down := w.after(time.Hour).put(source, channel, seen("Front", limit))
	renamed := w.put(source, channel, seen("Front\u202e2", limit))
	back := w.after(24*time.Hour).put(source, channel, seen("Front\u202e2"))
	for i := range 3 {
		w.put(source, channel.Post(int64(i+1)), &evidence.PostGone{How: evidence.GoneMissing, Method: evidence.MethodMTProto, Vantage: "main"})
	}
	w.after(time.Hour).put(source, channel.Post(9), &evidence.PostGone{How: evidence.GoneErased, Method: evidence.MethodMTProto, Vantage: "main"})

	in := diary.Inputs{
		Since:   since,
		Targets: []diary.Target{{Ordinal: front, ID: "front", Platform: "telegram", State: diary.TargetApproved, Account: "a1"}},
		Sources: []diary.Source{{Name: "telegram/main", State: "healthy"}},
	}
	m := w.morning(in)
	for what, got := range map[string][]diary.Event{"down": m.Down, "renamed": m.Renamed, "back": m.Back} {
		want := map[string]evidence.Record{"down": down, "renamed": renamed, "back": back}[what]
		if len(got) != 1 || got[0].Seq != want.Seq || len(got[0].Targets) != 1 || got[0].Targets[0] != "front" {
			t.Errorf("%s: got %+v, want record %d", what, got, want.Seq)
		}
	}
	if s := m.Renamed[0].What; !strings.Contains(s, "“Front” became “Front<U+202E>2”") || strings.Contains(s, "\u202e") {
		t.Errorf("the new name is told as %q", s)
	}
	if len(m.Gone) != 1 || m.Gone[0].How[evidence.GoneMissing] != 3 || m.Gone[0].How[evidence.GoneErased] != 1 {
		t.Errorf("posts gone: %+v", m.Gone)
	}
	in.Since = w.now.Add(time.Minute)
	if m = w.morning(in); len(m.Down)+len(m.Renamed)+len(m.Back)+len(m.Gone) != 0 {
		t.Errorf("what happened before was told again: %+v", m)
	}
}

func TestATargetIsBlindUntilSomethingOfItIsRecorded(t *testing.T) {
	w := newWorld(t)
	front := w.target("front").Subject
	w.put(source, evidence.Target("front"), &evidence.TargetBound{Account: evidence.Ref{Name: channel}, Address: "https://t.me/front"})
	in := diary.Inputs{
		Since:   w.now,
		Targets: []diary.Target{{Ordinal: front, ID: "front", Platform: "telegram", State: diary.TargetApproved, Account: "a1"}},
		Sources: []diary.Source{{Name: "telegram/main", State: "healthy"}},
	}
	blind := func() []diary.Blind { return w.morning(in).Blind }
	if b := blind(); len(b) != 0 {
		t.Errorf("blind from the start: %+v", b)
	}
	lost := w.after(time.Hour).now
	w.put(source, evidence.Target("front"), &evidence.Gap{Span: evidence.Span{From: evidence.At(w.now.Add(-time.Hour)), To: evidence.At(w.now)}, Cause: "unreachable"})
	w.after(time.Hour).put(source, evidence.Target("front"), &evidence.Gap{Cause: "unreachable"})
	if b := blind(); len(b) != 1 || !b[0].Since.Equal(lost) || !strings.Contains(b[0].Why, "unreachable") {
		t.Errorf("got %+v, want blind since %v", b, lost)
	}
	if m := w.morning(in); len(m.Down) != 1 || !m.Down[0].At.Equal(lost) || m.Down[0].Targets[0] != "front" {
		t.Errorf("a target that cannot be reached is not told as down once: %+v", m.Down)
	}
	w.put(source, channel, &evidence.Acquisition{Method: "messages.getHistory"})
	if m := w.morning(in); len(m.Back) != 1 || m.Back[0].Subject != front {
		t.Errorf("it is not told as back: %+v", m.Back)
	}
	if b := blind(); len(b) != 0 {
		t.Errorf("still blind after something was read: %+v", b)
	}
	w.put(source, evidence.Target("front"), &evidence.Gap{Cause: "outage"})
	w.put(source, evidence.Target("front"), &evidence.Gap{Cause: "outage", Recovered: true})
	if m := w.morning(in); len(m.Blind) != 0 || len(m.Gaps) != 1 {
		t.Errorf("after a gap that is over: blind %+v, gaps %+v", m.Blind, m.Gaps)
	}
	in.Sources[0].State, in.Sources[0].Detail = "logged-out", "log in again"
	if b := blind(); len(b) != 2 || b[0].Source != "telegram/main" || b[1].Target != "front" {
		t.Errorf("with our account lost: %+v", b)
	}
	in.Targets[0].State = diary.TargetListed
	if b := blind(); len(b) != 1 {
		t.Errorf("a target that is not to be collected is blind: %+v", b)
	}
}

func TestTheMorningOrdersWhatWaits(t *testing.T) {
	w := newWorld(t)
	now := w.now
	ago := func(h int) time.Time { return now.Add(-time.Duration(h) * time.Hour) }
	m := w.morning(diary.Inputs{
		Since: now,
		Cases: []diary.Case{
			{Ordinal: "c1", Severity: "low", Since: ago(90)},
			{Ordinal: "c2", Severity: "high", Since: ago(1)},
			{Ordinal: "c3", Severity: "threat-to-life", Since: ago(2)},
			{Ordinal: "c4", Severity: "high", Since: ago(5)},
			{Ordinal: "c5", Since: ago(900)},
		},
		Targets: []diary.Target{
			{ID: "wrong", State: "innocent", Account: "a1", Stopped: ago(3), Reason: "a newspaper"},
			{ID: "soon", State: diary.TargetApproved, Account: "a2", Until: now.Add(3 * 24 * time.Hour)},
			{ID: "later", State: diary.TargetApproved, Account: "a3", Until: now.Add(30 * 24 * time.Hour)},
			{ID: "ended", State: diary.TargetApproved, Account: "a4", Until: ago(1)},
			{ID: "alone", State: diary.TargetApproved, Account: "a5", Until: now.Add(5 * time.Hour), Emergency: true},
			{ID: "alone-ended", State: diary.TargetApproved, Account: "a6", Until: ago(2), Emergency: true},
			{ID: "new", State: diary.TargetListed},
		},
		Notices: []diary.Notice{
			{Ordinal: "n1", State: "sent", Left: true, Accounts: []evidence.Ordinal{"a1"}},
			{Ordinal: "n2", State: "corrected", Left: true, Settled: true, Accounts: []evidence.Ordinal{"a1"}},
			{Ordinal: "n3", State: "uncertain", Left: true, Accounts: []evidence.Ordinal{"a2"}},
			{Ordinal: "n4", State: "drafted", Accounts: []evidence.Ordinal{"a1"}},
		},
	})
	var cases, approvals []string
	for _, k := range m.Cases {
		cases = append(cases, string(k.Case))
	}
	for _, a := range m.Approvals {
		approvals = append(approvals, a.Target)
	}
	if got := strings.Join(cases, " "); got != "c3 c4 c2 c1 c5" {
		t.Errorf("cases in the order %s", got)
	}
	if got := strings.Join(approvals, " "); got != "new alone-ended ended soon" {
		t.Errorf("approvals: %s", got)
	}
	if len(m.Emergencies) != 1 || m.Emergencies[0].Target != "alone" {
		t.Errorf("emergencies: %+v", m.Emergencies)
	}
	if len(m.Corrections) != 1 || m.Corrections[0].Notice != "n1" || m.Corrections[0].Hours != 3 {
		t.Errorf("corrections: %+v", m.Corrections)
	}
	if len(m.Suspended) != 1 || m.Suspended[0].Hours != 3 || len(m.Notices) != 1 || m.Notices[0].Notice != "n3" {
		t.Errorf("suspended %+v, notices %+v", m.Suspended, m.Notices)
	}
}
