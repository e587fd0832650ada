package bundle_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
	"github.com/muhafiz/muhafiz/reporter/bundle"
)

// world is a vault filled with a small fictional channel.
type world struct {
	t       *testing.T
	v       *vault.Vault
	now     time.Time
	channel evidence.Name
	account evidence.Ordinal
	keys    map[string]ssh.Signer // analyst, reviewer, packer
	kase    evidence.Ordinal
	photo   []byte
	replies map[string]evidence.Digest
}

const source = "telegram/main"

func signer(t *testing.T, seed byte) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, v: vaulttest.New(t, anchor.View()), now: time.Date(2031, 3, 4, 9, 0, 0, 0, time.UTC), channel: evidence.Account("telegram", "channel", "1000000777"),
		keys: map[string]ssh.Signer{"analyst": signer(t, 1), "reviewer": signer(t, 2), "packer": signer(t, 3)}, replies: map[string]evidence.Digest{},
	}
	w.people()
	w.target()
	w.posts()
	w.decide()
	return w
}

// put writes drafts and returns their records; an id that is zero is filled in.
func (w *world) put(drafts ...evidence.Draft) []evidence.Record {
	w.t.Helper()
	for i := range drafts {
		if drafts[i].ID.IsZero() {
			drafts[i].ID = evidence.NewID(w.now)
		}
	}
	w.now = w.now.Add(time.Minute)
	rs, err := w.v.Put(context.Background(), evidence.Batch{Drafts: drafts})
	if err != nil {
		w.t.Fatal(err)
	}
	return rs
}

func (w *world) people() {
	for _, id := range []string{"analyst", "reviewer"} {
		key := w.keys[id].PublicKey()
		w.put(evidence.Draft{Actor: evidence.Vault(), Subject: evidence.Person(id), Body: &evidence.PersonSet{
			Key: id, Name: "Simulated " + id, Roles: []string{id}, SSHKey: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), Fingerprint: ssh.FingerprintSHA256(key),
		}})
	}
	w.put(vaulttest.Bind(source))
}

func (w *world) signed(person string, st evidence.Statement) evidence.Signed {
	w.t.Helper()
	st.Vault, st.Person, st.Fingerprint, st.Time = w.v.ID(), person, ssh.FingerprintSHA256(w.keys[person].PublicKey()), evidence.At(w.now)
	payload, err := json.Marshal(st)
	if err != nil {
		w.t.Fatal(err)
	}
	sig, err := sshsig.Sign(bytes.NewReader(payload), w.keys[person], sshsig.HashSHA512, evidence.SignatureNamespace)
	if err != nil {
		w.t.Fatal(err)
	}
	return evidence.Signed{Payload: string(payload), Signature: string(sshsig.Armor(sig))}
}

func ref(r evidence.Record) evidence.RecordRef { return evidence.RecordRef{Seq: r.Seq, Leaf: r.Leaf()} }

func (w *world) target() {
	front := &evidence.TargetSet{
		Key: "sim-front", Platform: "telegram", Address: "https://t.me/simulated_front",
		Organisation: evidence.Organisation{
			ID: "sim", Name: "Simulated Front (fictional)", Aliases: []evidence.Text{{Value: "فرضی محاذ", Lang: "ur"}},
			Designations: []evidence.Designation{{
				Authority: "Fictional List", Reference: "FL-1", Date: "2030-01", Source: "https://example.org/list", Note: "simulated",
				Aliases: []evidence.Text{{Value: "الجبهة الخيالية", Lang: "ar"}},
			}},
		},
		Affiliation: evidence.Affiliation{Basis: "named as its own by a fictional communiqué", Citation: evidence.Citation{Title: "Fictional report 7", URL: "https://example.org/7", Date: "2031-02-01"}},
		LegalBasis:  "simulated basis", ListedBy: "analyst", File: "watchlist.yaml", FileSHA256: evidence.Sum([]byte("file")),
	}
	set := w.put(evidence.Draft{Actor: evidence.Person("analyst"), Subject: evidence.Target("sim-front"), Body: front})[0]
	set2 := ref(set)
	w.put(evidence.Draft{Actor: evidence.Person("reviewer"), Subject: evidence.Target("sim-front"), Body: &evidence.TargetApproved{
		Signed:  w.signed("reviewer", evidence.Statement{Type: evidence.StatementTargetApproval, Confirms: &set2, Agree: true}),
		Listing: w.listing(front),
	}})
	w.page("channels.getFullChannel", func(acq evidence.ID, at evidence.Span) []evidence.Draft {
		return []evidence.Draft{
			{Subject: evidence.Target("sim-front"), Body: &evidence.TargetBound{Account: evidence.Ref{Name: w.channel}, Address: "https://t.me/simulated_front", Acquisition: acq}},
			{Subject: w.channel, Body: &evidence.AccountSeen{
				Method: evidence.MethodMTProto, Vantage: "home", Acquisition: acq, Observed: at, Title: "Simulated channel \u202e محاذ", Usernames: []string{"simulated_front"},
				About: "A fictional channel for tests.", Subscribers: 12,
			}},
		}
	})
	var err error
	if w.account, err = w.v.Ordinal(context.Background(), w.channel); err != nil {
		w.t.Fatal(err)
	}
	w.put(evidence.Draft{Actor: evidence.Source(source), Subject: w.channel, Body: &evidence.Gap{
		Span: evidence.Span{From: evidence.At(w.now), To: evidence.At(w.now.Add(10 * time.Minute))}, Cause: "restart", Source: source, Recovered: true,
	}})
	w.now = w.now.Add(10 * time.Minute)
}

// listing lets whom a target names in listed_by sign a list of two, of which it is one.
func (w *world) listing(t *evidence.TargetSet) *evidence.ListingProof {
	w.t.Helper()
	line, other := evidence.ListingLine(t.Key, t.Effective()), evidence.ListingLine("other", evidence.Digest{})
	list, _, err := w.v.Keep(context.Background(), strings.NewReader(other+"\n"+line+"\n"), 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	beside := evidence.Digest(tlog.RecordHash([]byte(other)))
	root := evidence.Digest(tlog.NodeHash(tlog.Hash(beside), tlog.RecordHash([]byte(line))))
	listed := w.put(evidence.Draft{Actor: evidence.Person(t.ListedBy), Subject: evidence.Person(t.ListedBy), Body: &evidence.TargetListed{
		Signed: w.signed(t.ListedBy, evidence.Statement{Type: evidence.StatementListing, Agree: true, Lists: &evidence.Lists{Targets: 2, Root: root, Log: 5}}),
		List:   evidence.Object{SHA256: list},
	}})[0]
	return &evidence.ListingProof{Listed: ref(listed), Index: 1, Path: []evidence.Digest{beside}}
}

// page puts one acquisition with what it brought.
func (w *world) page(method string, fn func(evidence.ID, evidence.Span) []evidence.Draft) []evidence.Record {
	w.t.Helper()
	acq := evidence.NewAcq(w.now)
	id := evidence.ID{Acq: acq}
	at := evidence.Span{From: evidence.At(w.now), To: evidence.At(w.now.Add(300 * time.Millisecond))}
	reply := fmt.Sprintf("simulated reply of %s, %s", method, acq)
	d, n, err := w.v.Keep(context.Background(), strings.NewReader(reply), 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	w.replies[acq] = d
	offset := int64(-12)
	drafts := append([]evidence.Draft{{Subject: w.channel, Body: &evidence.Acquisition{
		Method: method, Reply: evidence.Object{SHA256: d, Size: n}, Alias: "watcher-1", Vantage: "home", Observed: at, ServerDate: at.To, ClockOffsetMS: &offset, Build: "test", Layer: 201,
	}}}, fn(id, at)...)
	for i := range drafts {
		drafts[i].ID, drafts[i].Actor = evidence.ID{Acq: acq, N: uint32(i)}, evidence.Source(source)
	}
	return w.put(drafts...)
}

// seen puts one version of a post.
func (w *world) seen(number int64, text string, change func(*evidence.PostSeen)) evidence.Record {
	w.t.Helper()
	rs := w.page("messages.getHistory", func(acq evidence.ID, at evidence.Span) []evidence.Draft {
		p := &evidence.PostSeen{
			Method: evidence.MethodMTProto, Vantage: "home", Acquisition: acq, Observed: at, Text: text,
			ClaimedAt: evidence.At(time.Date(2031, 3, 1, 12, int(number), 0, 0, time.UTC)), RawExact: true, Raw: &evidence.Slice{Offset: 0, Length: 9},
		}
		if change != nil {
			change(p)
		}
		return []evidence.Draft{{Subject: w.channel.Post(number), Body: p}}
	})
	return rs[len(rs)-1]
}

func (w *world) kept(number int64, media string, content []byte, mime string) evidence.Record {
	w.t.Helper()
	d, n, err := w.v.Keep(context.Background(), bytes.NewReader(content), 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	rs := w.page("upload.getFile", func(acq evidence.ID, at evidence.Span) []evidence.Draft {
		return []evidence.Draft{{Subject: w.channel.Post(number), Body: &evidence.MediaKept{MediaID: media, Blob: evidence.Object{SHA256: d, Size: n}, MIME: mime, Acquisition: acq, Observed: at}}}
	})
	return rs[len(rs)-1]
}

func simulatedPhoto(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 32, 16))
	for x := range 32 {
		for y := range 16 {
			m.Set(x, y, color.RGBA{uint8(8 * x), uint8(16 * y), 90, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (w *world) posts() {
	album := func(media string) func(*evidence.PostSeen) {
		return func(p *evidence.PostSeen) {
			p.Group, p.Media = "g1", []evidence.Media{{ID: media, Type: "photo", MIME: "image/png", Width: 32, Height: 16}}
		}
	}
	w.photo = simulatedPhoto(w.t)
	w.seen(1, "Simulated post 1: far from every exhibit.", nil)
	w.seen(2, "Simulated post 2: the market opens at nine.", nil)
	w.seen(3, "Simulated post 3: <b>markup & quotes</b> are \"text\".", nil)
	const a, b = "Simulated post 4: the meeting is on Monday.", "Simulated post 4: the meeting is on Tuesday."
	w.seen(4, a, nil)
	w.seen(4, b, nil)
	w.seen(4, a, nil)
	w.seen(5, "Simulated album, first picture.", album("photo 51"))
	w.seen(6, "", album("photo 52"))
	w.kept(5, "photo 51", w.photo, "image/png")
	w.kept(6, "photo 52", append(bytes.Clone(w.photo), 0), "image/png")
	w.seen(7, "Simulated post 7 names a private person, Someone.", func(p *evidence.PostSeen) {
		p.NamesAPerson = true
		p.Entities = []evidence.Entity{{Type: "mention_name", Offset: 40, Length: 7, Person: &evidence.Ref{Name: evidence.Private("telegram", "user", "42")}}}
	})
	text, invalid := evidence.ValidText("Simulated post 8: not \xff valid.")
	w.seen(8, text, func(p *evidence.PostSeen) { p.InvalidUTF8 = invalid })
	w.seen(9, "یہ ایک فرضی پیغام ہے، صرف آزمائش کے لیے۔ نمبر 9 \u202eabc\u202c اختتام۔\nدا یو فرضي پیغام دی، یوازې د ازموینې لپاره.", func(p *evidence.PostSeen) {
		p.EditedAt = evidence.At(time.Date(2031, 3, 2, 8, 0, 0, 0, time.UTC))
		p.Entities = []evidence.Entity{{Type: "text_link", Offset: 0, Length: 2, URL: "https://example.org/simulated"}}
	})
	w.seen(10, "هذه رسالة خيالية للاختبار فقط.", func(p *evidence.PostSeen) {
		p.Forward = &evidence.Forward{From: &evidence.Ref{Name: evidence.Private("telegram", "user", "43")}, At: evidence.At(time.Date(2031, 2, 1, 0, 0, 0, 0, time.UTC))}
		p.Media = []evidence.Media{{ID: "document 101", Type: "document", MIME: "text/html", Name: "simulated.html", Size: 900}}
	})
	w.kept(10, "document 101", []byte("<!DOCTYPE html><p>simulated"), "text/html")
	w.page("updates.getChannelDifference", func(acq evidence.ID, at evidence.Span) []evidence.Draft {
		return []evidence.Draft{
			{Subject: w.channel.Post(9), Body: &evidence.PostGone{How: evidence.GoneDeletionNotice, Method: evidence.MethodMTProto, Vantage: "home", Acquisition: acq, Observed: at}},
			{Subject: w.channel.Post(11), Body: &evidence.MediaMissed{MediaID: "video 111", Reason: "too-large", Rule: "collect.max_bytes", Detail: "the limit is 50 MiB", Size: 90 << 20, Acquisition: acq}},
			{Subject: w.channel.Post(11), Body: &evidence.MediaMissed{MediaID: "photo 112", Reason: "unreachable", Next: evidence.At(time.Date(2031, 3, 5, 0, 0, 0, 0, time.UTC)), Acquisition: acq}},
		}
	})
	w.seen(11, "ایشی یک فرضی کلوهے، پہ چکاسا انت.", nil) // Balochi
	w.seen(12, "Simulated post 12.", nil)
	w.seen(40, "Simulated post 40: far from every exhibit.", nil)
	w.page("messages.getMessagesViews", func(acq evidence.ID, at evidence.Span) []evidence.Draft {
		return []evidence.Draft{{Subject: w.channel, Body: &evidence.PostCounts{Acquisition: acq, At: at.To, Posts: []evidence.Post{{Post: "4", Views: 10}}}}}
	})
}

// about returns the records of a kind about a post.
func (w *world) about(o evidence.Ordinal, kind evidence.Kind) []evidence.Record {
	w.t.Helper()
	var out []evidence.Record
	err := w.v.About(context.Background(), o, func(r evidence.Record) error {
		if r.Kind == kind {
			out = append(out, r)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) post(n int) evidence.Ordinal { return w.account.With(fmt.Sprint(n)) }

func (w *world) decide() {
	opened := w.put(evidence.Draft{Actor: evidence.Person("analyst"), Subject: evidence.Case("case-1"), Body: &evidence.CaseOpened{
		Key: "case-1", Account: evidence.Ref{Name: w.channel}, Target: "sim-front",
	}})
	w.kase = opened[0].Subject
	four, five, nine := w.about(w.post(4), evidence.KindPostSeen), w.about(w.post(5), evidence.KindPostSeen), w.about(w.post(9), evidence.KindPostSeen)
	t, err := w.v.Ordinal(context.Background(), evidence.Target("sim-front"))
	if err != nil {
		w.t.Fatal(err)
	}
	st := evidence.Statement{
		Type: evidence.StatementDecision, Case: w.kase, CaseVersion: 1, Outcome: "report", Comment: "Simulated decision.",
		Exhibits: []evidence.Exhibit{
			{Number: 1, Post: w.post(4), RecordRef: ref(four[0])},
			{Number: 2, Post: w.post(4), RecordRef: ref(four[1])},
			{Number: 3, Post: w.post(5), RecordRef: ref(five[0])},
			{Number: 4, Post: w.post(9), RecordRef: ref(nine[0])},
		},
		Grounds: &evidence.Ground{
			Designation: ref(w.about(t, evidence.KindTargetSet)[0]), Affiliation: "named as its own by a fictional communiqué", Languages: []string{"en", "ur"},
			Passages: []evidence.Passage{
				{Exhibit: 1, Quote: "the meeting is on Monday", Rule: "Simulated rule 3", Severity: "low", Exclusion: "none"},
				{Exhibit: 4, Quote: "یہ ایک فرضی پیغام ہے", Gloss: "This is a fictional message", GlossBy: "human", Rule: "Simulated rule 4", Severity: "low", Exclusion: "none"},
			},
		},
	}
	decision := ref(w.put(evidence.Draft{Actor: evidence.Person("analyst"), Subject: evidence.Case("case-1"), Body: &evidence.Decision{Signed: w.signed("analyst", st)}})[0])
	w.put(evidence.Draft{Actor: evidence.Person("reviewer"), Subject: evidence.Case("case-1"), Body: &evidence.Approval{Signed: w.signed("reviewer", evidence.Statement{
		Type: evidence.StatementApproval, Case: w.kase, CaseVersion: 2, Confirms: &decision, Agree: true, Exhibits: st.Exhibits,
	})}})
}

const identity = "packer@example.org"

func (w *world) options(out string) bundle.Options {
	return bundle.Options{
		Log: w.v, Case: w.kase, Out: out, Name: "sim-bundle", Signer: w.keys["packer"], Identity: identity, Organisation: "Simulated team",
		Actor: evidence.Person("analyst"), Purpose: "a test", Now: func() time.Time { return w.now.Add(time.Hour) }, Build: "test",
	}
}

func (w *world) build(o bundle.Options) bundle.Result {
	w.t.Helper()
	res, err := bundle.Build(context.Background(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

func (w *world) roots() bundle.VerifyOptions {
	return bundle.VerifyOptions{
		Signers:  []byte(identity + ` namespaces="file@muhafiz" ` + string(ssh.MarshalAuthorizedKey(w.keys["packer"].PublicKey()))),
		Identity: identity, LogKey: w.v.LogKey(),
	}
}
