package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/chatexport"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/reporter/diary"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// exportPosts is how many posts an export holds beside the one with a photo.
const exportPosts = 5

// observer stands outside of the daemon. What he was told he holds it to; what he asked for and was not told may be there or not.
type observer struct {
	s *site

	mu      sync.Mutex
	tried   map[string]bool           // posts and reasons, by their unique words
	acked   map[string]bool           // of those, what was acknowledged
	photos  map[string][]byte         // by the words of their post
	entries map[int64]diary.Entry     // lines of the log that were shown
	signed  map[int64]evidence.Digest // signed heads by size
	before  [][]byte                  // envelopes, as they were after the last kill
	live    map[string]int            // posts of the loopback channel, with the pts that each has
	exports map[string][]string       // words by path
	n       int
}

func newObserver(s *site) *observer {
	return &observer{
		s: s, tried: map[string]bool{}, acked: map[string]bool{}, photos: map[string][]byte{}, entries: map[int64]diary.Entry{},
		signed: map[int64]evidence.Digest{}, live: map[string]int{}, exports: map[string][]string{},
	}
}

func (o *observer) number() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n++
	return o.n
}

func (o *observer) note(words []string, acked bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, w := range words {
		o.tried[w] = true
		o.acked[w] = o.acked[w] || acked
	}
}

// export writes a new export of size posts and a photo of so many bytes, and returns its path and its posts' words.
func (o *observer) export(photo int) (path string, words []string) {
	n := o.number()
	name := fmt.Sprintf("exports/%d", n)
	picture := append([]byte(fmt.Sprintf("simulated picture %d ", n)), bytes.Repeat([]byte{byte(n)}, photo)...)
	o.s.write(name+"/photos/p.jpg", string(picture))
	var messages []string
	for i := range exportPosts + 1 {
		text, file := fmt.Sprintf("Simulated post %d of export %d.", i, n), ""
		if i == 0 {
			file = `"photo":"photos/p.jpg","width":1,"height":1,`
			o.mu.Lock()
			o.photos[text] = picture
			o.mu.Unlock()
		}
		words = append(words, text)
		messages = append(messages, o.message(n*10+i, file, text))
	}
	return o.written(name, messages, words), words
}

// long writes an export of some 20 MB of text.
func (o *observer) long() (path string, words []string) {
	n := o.number()
	var messages []string
	for i := range 450 {
		text := fmt.Sprintf("Simulated long post %d of export %d. %s", i, n, strings.Repeat("Simulated. ", 4000))
		words = append(words, text)
		messages = append(messages, o.message(n*100_000+i, "", text))
	}
	return o.written(fmt.Sprintf("exports/%d", n), messages, words), words
}

func (o *observer) message(id int, file, text string) string {
	return fmt.Sprintf(`{"id":%d,"type":"message","date":"2026-01-02T03:04:05","date_unixtime":"1767323045","from":"Northhaven Archive (simulated)","from_id":"channel%d",%s"text":%q,"text_entities":[{"type":"plain","text":%[4]q}]}`,
		id, o.s.archive, file, text)
}

func (o *observer) written(name string, messages, words []string) (path string) {
	o.s.write(name+"/result.json", fmt.Sprintf(`{"name":"Northhaven Archive (simulated)","type":"public_channel","id":%d,"messages":[%s]}`, o.s.archive, strings.Join(messages, ",")))
	path = o.s.path(name, "result.json")
	o.mu.Lock()
	defer o.mu.Unlock()
	o.exports[path] = words
	return path
}

// again imports every export once more.
func (o *observer) again(ctx context.Context, cl *daemon.Client) {
	o.s.t.Helper()
	for path, words := range o.exports {
		if err := o.imports(ctx, cl, path, words); err != nil {
			o.s.t.Fatal(err)
		}
	}
}

// imports asks for an export to be imported; when the daemon has answered, all of it is acknowledged.
func (o *observer) imports(ctx context.Context, cl *daemon.Client, path string, words []string) error {
	o.note(words, false)
	var rep chatexport.Report
	if err := cl.Call(ctx, "POST", "/v1/imports", daemon.ImportRequest{Person: "amna", Target: "archive", Path: path}, &rep); err != nil {
		return err
	}
	if !rep.Complete() || rep.Missed() > 0 {
		return fmt.Errorf("the import says that something is missing: %+v", rep)
	}
	o.note(words, true)
	return nil
}

// holds places a hold with words of its own.
func (o *observer) holds(ctx context.Context, cl *daemon.Client) error {
	words := fmt.Sprintf("simulated reason %d", o.number())
	o.note([]string{words}, false)
	err := cl.Call(ctx, "POST", "/v1/holds", daemon.HoldRequest{Person: "bilal", HoldInput: review.HoldInput{Target: "archive", Reason: words}}, nil)
	if err == nil {
		o.note([]string{words}, true)
	}
	return err
}

// signs asks for a signed head: every record below it is acknowledged with its leaf.
func (o *observer) signs(ctx context.Context, cl *daemon.Client) error {
	var x daemon.Exported
	if err := cl.Call(ctx, "POST", "/v1/checkpoints/export", daemon.ExportRequest{}, &x); err != nil {
		return err
	}
	_, _, msg, err := anchor.ParseRequest([]byte(x.Body))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(o.s.path("log.key.pub"))
	if err != nil {
		return err
	}
	head, err := anchor.Open(msg, strings.TrimSpace(string(key)))
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.signed[head.Size] = head.Root
	return nil
}

// reads the end of the log: what it is shown was acknowledged, and so is the look.
func (o *observer) reads(ctx context.Context, cl *daemon.Client) error {
	var es []diary.Entry
	if err := cl.Call(ctx, "GET", "/v1/log?"+url.Values{"person": {"amna"}, "limit": {"60"}}.Encode(), nil, &es); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range es {
		o.entries[e.Seq] = e
	}
	return nil
}

// confirm notes the posts that the daemon told the platform it has: it asked for what came after them. Those from before it asked at all it
// reads as history, whose end the platform is not told.
func (o *observer) confirm() {
	if o.s.channel == nil {
		return
	}
	after, upTo := o.s.channel.Confirmed()
	o.mu.Lock()
	defer o.mu.Unlock()
	for words, pts := range o.live {
		if pts > after && pts <= upTo {
			o.acked[words] = true
		}
	}
}

// told is how many things were acknowledged.
func (o *observer) told() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, ok := range o.acked {
		if ok {
			n++
		}
	}
	return n + len(o.entries) + len(o.signed)
}

// found is the vault as it lies, read by the observer himself.
type found struct {
	records   []evidence.Record
	times     map[string]int // how often something stands in it, by its words
	kept      map[string]map[evidence.Digest]bool
	subject   map[string]evidence.Ordinal
	lost, two int
}

// look reads the vault, holds it to all that was acknowledged, and counts what is lost or there twice.
func (o *observer) look(t *testing.T) found {
	t.Helper()
	v, err := vault.Open(o.s.path("vault"), o.s.options())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	f := found{times: map[string]int{}, kept: map[string]map[evidence.Digest]bool{}, subject: map[string]evidence.Ordinal{}}
	err = v.Records(t.Context(), 0, func(r evidence.Record) error {
		f.records = append(f.records, r)
		return f.add(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for words := range o.tried {
		n := f.times[words]
		if n > 1 {
			f.two++
			t.Errorf("%q is there %d times", words, n)
		}
		if n == 0 && o.acked[words] {
			f.lost++
			t.Errorf("%q was acknowledged and is lost", words)
		}
		if picture := o.photos[words]; picture != nil && n == 1 {
			o.sameFile(t, v, &f, words, picture, o.acked[words])
		}
	}
	o.sameLog(t, v, &f)
	return f
}

func (f *found) add(r evidence.Record) error {
	b, err := evidence.DecodeBody(r)
	if err != nil {
		return err
	}
	switch b := b.(type) {
	case *evidence.PostSeen:
		f.times[b.Text]++
		f.subject[b.Text] = r.Subject
	case *evidence.HoldPlaced:
		f.times[b.Reason]++
	case *evidence.MediaKept:
		k := string(r.Subject)
		if f.kept[k] == nil {
			f.kept[k] = map[evidence.Digest]bool{}
		}
		f.kept[k][b.Blob.SHA256] = true
	}
	return nil
}

// sameFile holds a post's file to the bytes that were handed over.
func (o *observer) sameFile(t *testing.T, v *vault.Vault, f *found, words string, picture []byte, acked bool) {
	d := evidence.Sum(picture)
	if !f.kept[string(f.subject[words])][d] {
		if acked {
			f.lost++
			t.Errorf("the file of %q was acknowledged and no record names it", words)
		}
		return
	}
	r, _, err := v.Blob(t.Context(), d)
	if err != nil {
		f.lost++
		t.Errorf("the file of %q: %v", words, err)
		return
	}
	defer r.Close()
	if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, picture) {
		f.lost++
		t.Errorf("the file of %q has other bytes: %v", words, err)
	}
}

// sameLog holds the log to the lines and the signed heads that were shown, and to what it was before.
func (o *observer) sameLog(t *testing.T, v *vault.Vault, f *found) {
	for seq, e := range o.entries {
		if seq >= int64(len(f.records)) {
			f.lost++
			t.Errorf("record %d was shown and is lost", seq)
		} else if r := f.records[seq]; r.Kind != e.Kind || r.Subject != e.Subject || r.Actor != e.Actor || !r.At.Equal(e.At.Time) {
			f.lost++
			t.Errorf("record %d was shown as %s about %s and is %s about %s", seq, e.Kind, e.Subject, r.Kind, r.Subject)
		}
	}
	for size, root := range o.signed {
		if have, err := v.Root(t.Context(), size); err != nil || have != root {
			f.lost++
			t.Errorf("the signed head of %d records: %v", size, err)
		}
	}
	ids := map[evidence.ID]bool{}
	for i, r := range f.records {
		if ids[r.ID] {
			f.two++
			t.Errorf("record %d has an id that was there before", i)
		}
		ids[r.ID] = true
		if i < len(o.before) && !bytes.Equal(o.before[i], r.EnvelopeBytes) {
			f.lost++
			t.Errorf("record %d has another envelope than before", i)
		}
	}
	if len(f.records) < len(o.before) {
		f.lost++
		t.Errorf("%d records, %d before", len(f.records), len(o.before))
	}
	o.before = nil
	for _, r := range f.records {
		o.before = append(o.before, r.EnvelopeBytes)
	}
}

// fsckClean runs fsck as a user does, and wants nothing found.
func (s *site) fsckClean() bool {
	r := s.run("--json", "fsck", "vault")
	var rep vault.FsckReport
	if r.code != 0 || json.Unmarshal([]byte(r.out), &rep) != nil || len(rep.Problems) > 0 {
		s.t.Errorf("fsck: exit %d\n%s%s", r.code, r.out, r.err)
		return false
	}
	return true
}
