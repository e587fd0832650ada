package vault_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// model says what the vault must answer, as simply as it can be said: maps, and one batch after the other.
type model struct {
	kinds   []evidence.Kind // by seq
	subject []string        // by seq
	bound   map[string]bool
	ids     map[evidence.ID]int64
	slots   map[string]map[string]seen // by subject, by slot
	cursors map[string]string
}

type seen struct {
	value evidence.Digest
	seq   int64
}

type answer struct {
	outcome evidence.Outcome
	seq     int64 // -1: none
}

func newModel() *model {
	return &model{
		kinds: []evidence.Kind{evidence.KindVaultCreated}, subject: []string{"v:"}, bound: map[string]bool{"v:": true},
		ids: map[evidence.ID]int64{}, slots: map[string]map[string]seen{}, cursors: map[string]string{},
	}
}

// version is that of the key of a kind in the view Tally.
func (m *model) version(k evidence.Kind) int64 {
	for i := len(m.kinds) - 1; i >= 0; i-- {
		if m.kinds[i] == k {
			return int64(i) + 1
		}
	}
	return 0
}

func (m *model) put(b evidence.Batch) ([]answer, error) {
	out := make([]answer, len(b.Drafts))
	fresh := len(b.Drafts) == 0
	for i, d := range b.Drafts {
		seq, known := m.ids[d.ID]
		out[i] = answer{evidence.Repeated, seq}
		if !known {
			out[i], fresh = answer{evidence.Written, -1}, true
		}
	}
	for _, e := range b.If {
		if fresh && m.version(evidence.Kind(e.Key[len("kind "):])) != e.Version {
			return nil, evidence.ErrConflict
		}
	}
	m.drafts(b.Drafts, out)
	if b.Cursor != nil {
		m.cursors[b.Cursor.Name] = string(b.Cursor.Data)
	}
	return out, nil
}

// drafts decides first, then writes: new accounts, those of drafts that accompany others last, then the drafts in order.
func (m *model) drafts(ds []evidence.Draft, out []answer) {
	slots := map[string]map[string]seen{}
	any := false
	like := map[int]int{}
	for i, d := range ds {
		if out[i].outcome == evidence.Repeated || d.Accompany {
			continue
		}
		o, ok := d.Body.(evidence.Observer)
		if !ok {
			any = true
			continue
		}
		s := slots[d.Subject.String()]
		if s == nil {
			if s = maps.Clone(m.slots[d.Subject.String()]); s == nil {
				s = map[string]seen{}
			}
			slots[d.Subject.String()] = s
		}
		differs, latest := false, int64(-1)
		for _, f := range o.Facets() {
			old, ok := s[f.Slot]
			differs = differs || !ok && !f.Default || ok && old.value != f.Value
			if ok {
				latest = max(latest, old.seq)
			}
		}
		if !differs {
			out[i] = answer{evidence.Unchanged, latest}
			if latest >= 1<<40 { // an earlier draft of this batch
				like[i] = int(latest - 1<<40)
			}
			continue
		}
		any = true
		for _, f := range o.Facets() {
			s[f.Slot] = seen{f.Value, 1<<40 + int64(i)}
		}
	}
	written := map[int]bool{}
	for i, d := range ds {
		if out[i].outcome != evidence.Written {
			continue
		}
		if d.Accompany && !any {
			out[i] = answer{evidence.Unchanged, -1}
			continue
		}
		written[i] = true
	}
	for _, accompany := range []bool{false, true} {
		for i, d := range ds {
			account := evidence.Name{Space: d.Subject.Space, Key: d.Subject.Key}.String()
			if written[i] && d.Accompany == accompany && d.Subject.Space == evidence.SpaceAccount && !m.bound[account] {
				m.bound[account] = true
				m.append(evidence.KindAccountBound, account)
			}
		}
	}
	for i, d := range ds {
		if written[i] {
			out[i].seq = m.append(d.Body.Kind(), d.Subject.String())
		}
	}
	for i, j := range like {
		out[i].seq = out[j].seq
	}
	for i, d := range ds {
		if out[i].outcome != evidence.Repeated && out[i].seq >= 0 {
			m.ids[d.ID] = out[i].seq
		}
	}
	for name, s := range slots {
		for slot, v := range s {
			if v.seq >= 1<<40 {
				s[slot] = seen{v.value, out[v.seq-1<<40].seq}
			}
		}
		m.slots[name] = s
	}
}

func (m *model) append(k evidence.Kind, subject string) int64 {
	m.kinds, m.subject = append(m.kinds, k), append(m.subject, subject)
	return int64(len(m.kinds)) - 1
}

// genBatch draws a batch from a small world, so that its drafts meet again.
func genBatch(t *rapid.T, m *model) evidence.Batch {
	acq := evidence.NewAcq(time.Now())
	var b evidence.Batch
	at := uint32(0)
	for range rapid.IntRange(0, 6).Draw(t, "drafts") {
		at += uint32(rapid.IntRange(1, 3).Draw(t, "gap"))
		d := evidence.Draft{ID: evidence.ID{Acq: acq, N: at}, Actor: evidence.Vault()}
		d.Subject = evidence.Account("telegram", "channel", rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "channel"))
		post := d.Subject.Post(int64(rapid.IntRange(1, 3).Draw(t, "post")))
		vantage := rapid.SampledFrom([]string{"main", "other"}).Draw(t, "vantage")
		method := rapid.SampledFrom([]string{evidence.MethodMTProto, evidence.MethodPreview}).Draw(t, "method")
		switch rapid.IntRange(0, 5).Draw(t, "what") {
		case 0:
			d.Body, d.Accompany = &evidence.Acquisition{Method: "simulated"}, true
		case 1:
			d.Subject, d.Body = post, &evidence.PostGone{How: evidence.GoneMissing, Method: method, Vantage: vantage}
		case 2:
			d.Body = &evidence.Access{What: "show"}
		default:
			d.Subject, d.Body = post, &evidence.PostSeen{Method: method, Vantage: vantage, Text: rapid.SampledFrom([]string{"A", "B"}).Draw(t, "text")}
		}
		b.Drafts = append(b.Drafts, d)
	}
	if rapid.Bool().Draw(t, "cursor") {
		b.Cursor = &evidence.Cursor{Name: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name"), Data: []byte(acq)}
	}
	if rapid.IntRange(0, 3).Draw(t, "if") == 0 {
		k := rapid.SampledFrom([]evidence.Kind{evidence.KindPostSeen, evidence.KindAccess, evidence.KindGap}).Draw(t, "key")
		b.If = []evidence.Expect{{View: "tally", Key: "kind " + string(k), Version: m.version(k) - int64(rapid.IntRange(0, 1).Draw(t, "stale"))}}
	}
	return b
}

func TestVaultIsItsModel(t *testing.T) {
	for name, options := range sorts {
		t.Run(name, func(t *testing.T) { isItsModel(t, options) })
	}
}

func isItsModel(t *testing.T, options func(testing.TB, ...evidence.View) vault.Options) {
	folder := t.TempDir()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		o := options(t, vaulttest.Tally())
		path := filepath.Join(folder, fmt.Sprint(run))
		v, err := vault.Create(path, o)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { v.Close() }()
		m := newModel()
		var past []evidence.Batch
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				b := genBatch(rt, m)
				past = append(past, b)
				compare(rt, v, m, b)
			},
			"retry": func(rt *rapid.T) {
				if len(past) > 0 {
					compare(rt, v, m, rapid.SampledFrom(past).Draw(rt, "past"))
				}
			},
			"reopen": func(rt *rapid.T) {
				if err := v.Close(); err != nil {
					rt.Fatal(err)
				}
				if v, err = vault.Open(path, o); err != nil {
					rt.Fatal(err)
				}
			},
		})
		check(rt, v, m)
		if err := v.Close(); err != nil {
			rt.Fatal(err)
		}
		cleanWith(t, path, o)
	})
}

func compare(t *rapid.T, v *vault.Vault, m *model, b evidence.Batch) {
	want, wantErr := m.put(b)
	got, err := v.Put(t.Context(), b)
	if !errors.Is(err, wantErr) {
		t.Fatalf("got %v, want %v", err, wantErr)
	}
	for i, w := range want {
		g := answer{got[i].Outcome, got[i].Seq}
		if got[i].EnvelopeBytes == nil {
			g.seq = -1
		}
		if g != w {
			t.Fatalf("draft %d: got %+v, want %+v", i, g, w)
		}
	}
	if v.Size() != int64(len(m.kinds)) {
		t.Fatalf("%d records, want %d", v.Size(), len(m.kinds))
	}
}

func check(t *rapid.T, v *vault.Vault, m *model) {
	for seq, kind := range m.kinds {
		r, err := v.Record(t.Context(), int64(seq))
		if err != nil {
			t.Fatal(err)
		}
		n, err := v.Name(t.Context(), r.Subject)
		if err != nil || r.Kind != kind || n.String() != m.subject[seq] {
			t.Fatalf("record %d is %s about %s (%v), want %s about %s", seq, r.Kind, n, err, kind, m.subject[seq])
		}
	}
	for id, seq := range m.ids {
		if r, err := v.ByID(t.Context(), id); err != nil || r.Seq != seq {
			t.Fatalf("id %s: record %d, %v, want %d", id, r.Seq, err, seq)
		}
	}
	for name, want := range m.cursors {
		if got, err := v.Cursor(t.Context(), name); err != nil || string(got) != want {
			t.Fatalf("cursor %s: %q, %v, want %q", name, got, err, want)
		}
	}
}
