package daemon

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/reporter/review"
)

const marker = "MARKER-OF-THE-POST"

// hotline returns the keys of whoever gets packets.
func hotline(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// quarantined is a world in which a reported post, with a neighbour and a copy of its file elsewhere, was put out of sight.
func quarantined(t *testing.T, law string, id *age.X25519Identity) (y *years, post, neighbour, file evidence.Record) {
	t.Helper()
	y = newYears(t, law, id.Recipient().String())
	neighbour = y.page(2, 1, "A neighbour, bland (simulated).")
	post = y.page(2, 2, marker+" (simulated).")
	y.decide(post.Subject, marker, true)
	y.must(y.call("POST", "/v1/notices/run", NoticeRequest{Person: "amna"}, nil))
	d, n, err := y.r.Vault.Keep(t.Context(), strings.NewReader("file of "+marker+" (simulated)."), 1<<20)
	y.must(err)
	file = y.put(evidence.Source("test"), channel(1).Post(7), &evidence.MediaKept{MediaID: "photo 7", Blob: evidence.Object{SHA256: d, Size: n}})
	y.must(y.call("POST", "/v1/quarantine", QuarantineRequest{Person: "amna", Post: post.Subject, Reason: "must not be seen"}, nil))
	return y, post, neighbour, file
}

// TestNothingOfAQuarantinedPostIsRead tries every way in which content is read or leaves, from the moment of one person's word on.
func TestNothingOfAQuarantinedPostIsRead(t *testing.T) {
	y, post, neighbour, file := quarantined(t, "keep", hotline(t))
	ctx := t.Context()
	digest := evidence.Sum([]byte("file of " + marker + " (simulated).")).String()
	clean := func(what string, b []byte) {
		t.Helper()
		if bytes.Contains(b, []byte(marker)) || bytes.Contains(b, []byte(digest)) {
			t.Errorf("%s tells what is in quarantine:\n%.2000s", what, b)
		}
	}
	for turn := range 2 { // the second time after the vault was opened anew
		for _, path := range []string{
			"/v1/status", "/v1/targets", "/v1/targets/show?target=two", "/v1/review/queue?person=amna&limit=50", "/v1/review/cases?person=bilal",
			"/v1/review/case?person=sara&case=c1", "/v1/review/show?person=sara&post=" + string(neighbour.Subject), "/v1/notices", "/v1/today?person=amna",
			"/v1/log?person=lubna&limit=1000", "/v1/quarantine", "/v1/holds", "/v1/targets/redress?person=lubna&target=two",
		} {
			var out json.RawMessage
			if err := y.call("GET", path, nil, &out); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			clean(path, out)
		}
		y.refused("show", y.look("sara", post.Subject), review.InQuarantine)
		y.refused("show with a reason", y.call("GET", "/v1/review/show?person=lubna&reason=x&post="+string(post.Subject), nil, nil), review.InQuarantine)
		var ns []json.RawMessage
		y.must(y.call("GET", "/v1/notices", nil, &ns))
		if len(ns) != 1 {
			t.Fatalf("%d notices", len(ns))
		}
		for _, path := range []string{"/v1/notices/show?notice=n1&person=sara", "/v1/notices/show?notice=n1&person=sara&machine=1"} {
			var out json.RawMessage
			if err := y.call("GET", path, nil, &out); err != nil {
				clean(path, []byte(err.Error()))
			}
			clean(path, out)
		}
		for name, req := range map[string]BundleRequest{
			"bundle of the post": {Posts: []evidence.Ordinal{post.Subject}}, "bundle of the case": {Case: "c1"},
		} {
			req.Person, req.Out, req.Purpose = "lubna", y.s.path("no"), "court"
			y.refused(name, y.call("POST", "/v1/bundles", req, nil), review.InQuarantine)
		}
		for name, req := range map[string]BundleRequest{
			"account": {Account: post.Subject.Whole(), Edition: "full"}, "neighbour": {Posts: []evidence.Ordinal{neighbour.Subject}, Edition: "full", Neighbours: 5},
			"another account": {Account: file.Subject.Whole(), Edition: "full"},
		} {
			req.Person, req.Out, req.Purpose, req.Name = "lubna", y.s.path("bags"), "court", fmt.Sprintf("%s-%d", strings.ReplaceAll(name, " ", "-"), turn)
			if err := y.call("POST", "/v1/bundles", req, nil); err != nil && name != "another account" {
				t.Errorf("bundle of %s: %v", name, err)
			}
		}
		y.clean(y.s.path("bags"), clean)
		audit := filepath.Join(y.s.dir, fmt.Sprint("audit-", turn))
		y.must(y.call("POST", "/v1/audits", AuditRequest{Person: "lubna", Out: audit, WithDecisions: true, Complete: true}, nil))
		y.clean(audit, clean)
		in := review.DecisionInput{Posts: []evidence.Ordinal{post.Subject}, Outcome: review.OutcomeNoAction, Comment: "x"}
		y.refused("a decision", y.call("POST", "/v1/review/decision/prepare", DecisionRequest{Person: "bilal", DecisionInput: in}, nil), review.InQuarantine)
		y.must(y.call("POST", "/v1/notices/run", NoticeRequest{Person: "amna"}, nil))

		for _, r := range []evidence.Record{post, file} {
			rec, err := y.r.Vault.Record(ctx, r.Seq)
			if err != nil || rec.Body != nil {
				t.Errorf("record %d: %v, body %s", r.Seq, err, rec.Body)
			}
		}
		y.must(y.r.Vault.Records(ctx, 0, func(r evidence.Record) error { clean(fmt.Sprint("record ", r.Seq), r.Body); return nil }))
		for _, s := range []string{"file of " + marker + " (simulated).", "reply-2-2<<" + marker + " (simulated).>>end"} {
			_, _, err := y.r.Vault.Blob(ctx, evidence.Sum([]byte(s)))
			if !errors.Is(err, evidence.ErrErased) {
				t.Errorf("blob: %v", err)
			}
			y.must(y.r.Vault.SnapshotBlobs(ctx, func(b vault.SnapshotBlob) error { // what a backup may take
				if b.Name == evidence.Sum([]byte(s)) {
					t.Error("a backup would take a file that is in quarantine")
				}
				return nil
			}))
		}
		// What comes in again, as by an import or the next poll, is out of sight at once.
		again := y.page(2, 2, marker+", edited (simulated).")
		if rec, err := y.r.Vault.Record(ctx, again.Seq); err != nil || rec.Body != nil {
			t.Errorf("what came in again is read: %v", err)
		}
		y.close()
		y.open()
	}
	y.fsck()
}

// clean reads every file below a folder.
func (y *years) clean(dir string, clean func(string, []byte)) {
	y.t.Helper()
	n := 0
	y.must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		b, err := os.ReadFile(path)
		clean(path, b)
		return err
	}))
	if n < 3 {
		y.t.Errorf("%d files were written", n)
	}
}

func (y *years) order(person, what, recipient string, post evidence.Ordinal, out any) error {
	ask := QuarantineRequest{Person: person, Post: post, What: what, Recipient: recipient, Reason: "as the law demands"}
	return y.sign(person, "/v1/quarantine/order/prepare", "/v1/quarantine/order", ask, string(post), out)
}

// TestAPacketForTheHotline: two people, one recipient of the configuration, and nobody else opens it.
func TestAPacketForTheHotline(t *testing.T) {
	id := hotline(t)
	y, post, _, _ := quarantined(t, "keep", id)
	to := id.Recipient().String()
	take := QuarantineRequest{Person: "bilal", Post: post.Subject, Recipient: to, Out: y.s.path("packet.age")}
	y.refused("before anybody signed", y.call("POST", "/v1/quarantine/take", take, nil), review.Incomplete)
	y.refused("to a stranger", y.order("bilal", evidence.OrderHandOver, nobody, post.Subject, nil), review.Law)
	y.refused("against the law", y.order("bilal", evidence.OrderDestroy, "", post.Subject, nil), review.Law)
	y.refused("by an analyst", y.order("amna", evidence.OrderHandOver, to, post.Subject, nil), review.Role)
	y.must(y.order("bilal", evidence.OrderHandOver, to, post.Subject, nil))
	y.refused("one person alone", y.call("POST", "/v1/quarantine/take", take, nil), review.Incomplete)
	y.refused("the same person twice", y.order("bilal", evidence.OrderHandOver, to, post.Subject, nil), review.SamePerson)
	y.must(y.order("sara", evidence.OrderHandOver, to, post.Subject, nil))
	other := take
	other.Person = "lubna"
	y.refused("by a third", y.call("POST", "/v1/quarantine/take", other, nil), review.Incomplete)
	var p Packet
	y.must(y.call("POST", "/v1/quarantine/take", take, &p))
	sealed, err := os.ReadFile(p.Out)
	y.must(err)
	if evidence.Sum(sealed) != p.SHA256 || bytes.Contains(sealed, []byte(marker)) {
		t.Error("the packet is not what was said, or not sealed")
	}
	opened, err := age.Decrypt(bytes.NewReader(sealed), id)
	y.must(err)
	plain, err := io.ReadAll(opened)
	y.must(err)
	z, err := zip.NewReader(bytes.NewReader(plain), int64(len(plain)))
	y.must(err)
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		y.must(err)
		b, err := io.ReadAll(r)
		y.must(err)
		files[f.Name] = string(b)
	}
	var facts Facts
	y.must(json.Unmarshal([]byte(files["facts.json"]), &facts))
	if len(facts.Files) != 1 || len(facts.Versions) != 1 || facts.Platform != "telegram channel 2" || facts.Post != "2" || facts.Link != "https://t.me/northhaven_two/2" {
		t.Errorf("facts: %+v", facts)
	}
	if got := files[facts.Files[0].Name]; got != "file of "+marker+" (simulated)." {
		t.Errorf("file: %q", got)
	}
	for _, name := range []string{"amna", "bilal", "sara"} {
		if strings.Contains(files["facts.json"], name) {
			t.Errorf("the facts name %s", name)
		}
	}
	if err := y.call("POST", "/v1/quarantine/take", take, nil); err == nil {
		t.Error("a packet was overwritten")
	}
	if s := y.status().Retention; s.Quarantined != 1 || s.Undone != 0 {
		t.Errorf("status: %+v", s)
	}
	y.days(250) // far beyond the term
	if !y.has(post) {
		t.Error("the law says keep, and retention erased it")
	}
	// Two people find that it was put out of sight by mistake.
	y.must(y.order("bilal", evidence.OrderRelease, "", post.Subject, nil))
	y.refused("one word", y.look("sara", post.Subject), review.InQuarantine)
	y.must(y.order("lubna", evidence.OrderRelease, "", post.Subject, nil))
	y.must(y.look("sara", post.Subject))
	y.fsck()
}

// TestTheLawDemandsDestruction: two people, a hold beats them, every copy goes, and what comes again goes with the next run.
func TestTheLawDemandsDestruction(t *testing.T) {
	y, post, neighbour, file := quarantined(t, "destroy", hotline(t))
	y.must(y.order("bilal", evidence.OrderDestroy, "", post.Subject, nil))
	if !y.has(post) {
		t.Fatal("one person alone destroyed it")
	}
	var h review.Hold
	y.must(y.call("POST", "/v1/holds", HoldRequest{Person: "lubna", HoldInput: review.HoldInput{Post: post.Subject, Reason: "the authority asks for it"}}, &h))
	y.refused("a held one", y.order("sara", evidence.OrderDestroy, "", post.Subject, nil), review.Held)
	if !y.has(post) {
		t.Fatal("a hold did not stop it")
	}
	y.must(y.call("POST", "/v1/holds/release", ReleaseRequest{Person: "lubna", Hold: h.Seq, Reason: "they have it"}, nil))
	y.must(y.retainNow()) // two words stand: the next run carries it out
	if y.has(post) || y.has(file) || !y.has(neighbour) {
		t.Error("the wrong things went")
	}
	for _, s := range []string{"file of " + marker + " (simulated).", "reply-2-2<<" + marker + " (simulated).>>end"} {
		if _, _, err := y.r.Vault.Vault.Blob(t.Context(), evidence.Sum([]byte(s))); !errors.Is(err, evidence.ErrNotFound) {
			t.Errorf("a copy is there: %v", err)
		}
	}
	again := y.page(2, 2, marker+", again (simulated).")
	y.must(y.retainNow())
	if y.has(again) {
		t.Error("what came again stayed")
	}
	if s := y.status().Retention; s.Quarantined != 1 || s.Undone != 0 {
		t.Errorf("status: %+v", s)
	}
	y.fsck()
}

// TestWhatCannotBeReadIsShut: where what hangs on a post cannot be read, everything that might is withheld.
func TestWhatCannotBeReadIsShut(t *testing.T) {
	y := newYears(t, "keep", nobody)
	post, other := y.page(2, 1, "Bland (simulated)."), y.page(1, 1, "Another, bland (simulated).")
	y.r.Vault.shut([]evidence.Record{{Envelope: evidence.Envelope{Kind: evidence.KindQuarantined, Subject: post.Subject}}})
	if _, _, err := y.r.Vault.Blob(t.Context(), evidence.Sum([]byte("file of Another, bland (simulated)."))); !errors.Is(err, evidence.ErrErased) {
		t.Errorf("a blob is read: %v", err)
	}
	if r, err := y.r.Vault.Record(t.Context(), post.Seq); err != nil || r.Body != nil {
		t.Errorf("the post is read: %v", err)
	}
	if r, err := y.r.Vault.Record(t.Context(), other.Seq); err != nil || r.Body == nil {
		t.Errorf("another post is not: %v", err)
	}
}
