package evidence

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEnvelopeBytesAreTheJSONOfTheStruct(t *testing.T) {
	e := Envelope{
		V: 1, Seq: 41, ID: ID{NewAcq(time.UnixMilli(1)), 3}, Kind: KindPostSeen,
		At: At(time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)), Actor: "s1", Subject: "a12/456", Body: Sum([]byte("x")),
	}
	want, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(e.Append(nil)); got != string(want) {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
	back, err := ParseEnvelope(want)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(e, back); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{
		strings.Replace(string(want), `"v":1`, `"v":2`, 1),
		strings.Replace(string(want), `"seq":41`, `"seq": 41`, 1),
		strings.Replace(string(want), `"seq":41`, `"seq":041`, 1),
		strings.Replace(string(want), `{"v"`, `{"x":1,"v"`, 1),
		string(want) + "\n", "", "{}", "null",
	} {
		if _, err := ParseEnvelope([]byte(bad)); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

func TestOrdinalKeysRoundTripAndSort(t *testing.T) {
	gen := rapid.Custom(func(t *rapid.T) Ordinal {
		s := Space(rapid.SampledFrom([]byte(spaces)).Draw(t, "space"))
		o := NewOrdinal(s, rapid.Uint64().Draw(t, "n"))
		if s == SpaceAccount && rapid.Bool().Draw(t, "part") {
			n := NewOrdinal(Space(rapid.SampledFrom([]byte("#s~")).Draw(t, "tag")), rapid.Uint64().Draw(t, "p"))
			o = o.With(strings.TrimPrefix(string(n), "#"))
		}
		return o
	})
	rapid.Check(t, func(t *rapid.T) {
		a := gen.Draw(t, "a")
		k, err := a.AppendKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		back, err := OrdinalFromKey(k)
		if err != nil || back != a {
			t.Fatalf("got %q, %v want %q", back, err, a)
		}
	})
	for _, bad := range []string{"", "a", "x1", "a01", "a1/", "a1/x", "a1/s", "u1/2", "a1/2/3", "a-1", "a1/-2"} {
		if _, err := ParseOrdinal(bad); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

// Every kind with a body survives encoding, so that a view that reads the stored bytes sees what the drafter meant.
func TestBodiesRoundTrip(t *testing.T) {
	for kind, make := range bodies {
		b := make()
		if b.Kind() != kind {
			t.Errorf("%s is registered as %s", b.Kind(), kind)
		}
		if r, ok := b.(Referrer); ok {
			for _, ref := range r.Refs() {
				ref.Ordinal = "a1"
			}
		}
		enc, err := EncodeBody(b, [SaltLen]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(enc), `{"salt":"01000000000000000000000000000000","schema":1`) {
			t.Errorf("%s: %s", kind, enc)
		}
		got, err := DecodeBody(Record{Envelope: Envelope{Kind: kind}, Body: enc})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if d := cmp.Diff(b, got); d != "" {
			t.Errorf("%s: %s", kind, d)
		}
	}
}

func TestUnknownSchemaIsKeptAndSkipped(t *testing.T) {
	for _, r := range []Record{
		{Envelope: Envelope{Kind: "future.kind"}, Body: []byte(`{"salt":"00","schema":1}`)},
		{Envelope: Envelope{Kind: KindPostSeen}, Body: []byte(`{"salt":"00000000000000000000000000000000","schema":12,"text":7}`)},
	} {
		b, err := DecodeBody(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := b.(*Unknown); !ok {
			t.Errorf("got %T", b)
		}
	}
}

func TestFacetsSayWhatANewVersionIs(t *testing.T) {
	p := func(f func(*PostSeen)) []Facet {
		v := &PostSeen{Method: MethodMTProto, Vantage: "main", Text: "simulated"}
		if f != nil {
			f(v)
		}
		return v.Facets()
	}
	same := map[string]func(*PostSeen){
		"other acquisition": func(p *PostSeen) { p.Acquisition = NewID(time.Now()) },
		"other place":       func(p *PostSeen) { p.Raw = &Slice{1, 2} },
	}
	for name, f := range same {
		if d := cmp.Diff(p(nil), p(f)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	differs := map[string]func(*PostSeen){
		"text":        func(p *PostSeen) { p.Text += "." },
		"edit date":   func(p *PostSeen) { p.EditedAt = At(time.Now()) },
		"entities":    func(p *PostSeen) { p.Entities = []Entity{{Type: "bold", Length: 1}} },
		"media":       func(p *PostSeen) { p.Media = []Media{{ID: "photo 1"}} },
		"restriction": func(p *PostSeen) { p.Restriction = []Restriction{{Where: "all"}} },
		"method":      func(p *PostSeen) { p.Method = MethodExport },
		"vantage":     func(p *PostSeen) { p.Vantage = "other" },
	}
	for name, f := range differs {
		if cmp.Equal(p(nil), p(f)) {
			t.Errorf("%s makes no difference", name)
		}
	}
}

func TestEnvelopesAreReadTheQuickWay(t *testing.T) {
	want := Envelope{
		V: 1, Seq: 1<<53 + 1, ID: NewID(time.Now()), Kind: KindPostSeen, At: At(time.Date(2028, 2, 29, 23, 59, 59, 999_999_000, time.UTC)),
		Actor: "s1", Subject: "a12/~7", Body: Sum([]byte("simulated")),
	}
	got, ok := readEnvelope(want.Append(nil))
	if d := cmp.Diff(want, got); d != "" || !ok {
		t.Errorf("%v %s", ok, d)
	}
	for _, change := range [][2]string{
		{`"v":1`, `"v":01`}, {"-02-29T", "-02-30T"}, {"T23:", "T24:"}, {"s1", `s\u0031`}, {`,"actor"`, `, "actor"`}, {`"}`, `"} `},
	} {
		b := strings.Replace(string(want.Append(nil)), change[0], change[1], 1)
		if e, err := ParseEnvelope([]byte(b)); err == nil {
			t.Errorf("%s was taken for %+v", b, e)
		}
	}
}

func TestTimesAreReadStrictly(t *testing.T) {
	for _, text := range []string{
		"2026-11-24T01:02:03.000004Z", "0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "2028-02-29T00:00:00.000000Z", "2026-02-29T00:00:00.000000Z",
		"2026-13-01T00:00:00.000000Z", "2026-11-24 01:02:03.000004Z", "2026-11-24T01:02:03,000004Z", "2026-11-24T01:02:60.000000Z", "2026-11-24T01:02:03.00000aZ",
		"2026-11-24T01:02:03.0000Z", "2026-11-24T01:02:03.000004+", "not a time",
	} {
		want, fails := time.Parse(TimeFormat, text)
		var got Time
		js, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(js, &got); (err != nil) != (fails != nil) || fails == nil && (got.Time != want.UTC()) {
			t.Errorf("%s: read as %v (%v), want %v (%v)", text, got, err, want, fails)
		}
	}
}

func FuzzParseEnvelope(f *testing.F) {
	f.Add([]byte(`{"v":1,"seq":0,"id":"00000000000000000000000000/0","kind":"access","at":"2026-01-01T00:00:00.000000Z","actor":"v0","subject":"v0","body_sha256":"` + Sum(nil).String() + `"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := ParseEnvelope(b); err == nil && string(e.Append(nil)) != string(b) {
			t.Errorf("two encodings of one envelope: %q", b)
		}
		// The quick reader says what the general one says, or nothing.
		e, ok := readEnvelope(b)
		if !ok || string(e.Append(nil)) != string(b) {
			return
		}
		var general Envelope
		if err := json.Unmarshal(b, &general); err != nil || !cmp.Equal(e, general) {
			t.Errorf("%q is read as %+v, and %+v by the quick reader (%v)", b, general, e, err)
		}
	})
}

func FuzzDecodeBody(f *testing.F) {
	for kind, make := range bodies {
		b := make()
		if r, ok := b.(Referrer); ok {
			for _, ref := range r.Refs() {
				ref.Ordinal = "a1"
			}
		}
		enc, err := EncodeBody(b, [SaltLen]byte{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(kind), enc)
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		b, err := DecodeBody(Record{Envelope: Envelope{Kind: Kind(kind)}, Body: body})
		if err != nil {
			return
		}
		if o, ok := b.(Observer); ok {
			o.Facets()
		}
		if o, ok := b.(Blobber); ok {
			o.Blobs()
		}
	})
}
