package evidence

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// contentByJSON is what PostSeen.content stands for, said once more with encoding/json alone.
func contentByJSON(p *PostSeen) Digest {
	type media struct{ ID, Detail string }
	c := struct {
		Text        string
		Invalid     bool
		Entities    []Entity
		Media       []media
		Service     *Service
		Edited      Time
		EditedLocal string
	}{p.Text, p.InvalidUTF8, p.Entities, nil, p.Service, p.EditedAt, p.EditedLocal}
	if len(c.Entities) == 0 {
		c.Entities = nil
	}
	for _, m := range p.Media {
		c.Media = append(c.Media, media{m.ID, m.Detail})
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(c); err != nil {
		panic(err)
	}
	return Sum(buf.Bytes())
}

func genText(t *rapid.T, name string) string {
	return strings.Join(rapid.SliceOfN(rapid.OneOf(
		rapid.String(), rapid.SampledFrom([]string{`"`, `\`, `\ufffd`, `\\ufffd`, "\uFFFD", "\u2028", "\u2029", "<&>", "\x7f", "\x00", "\n", "اردو", "😀"}),
	), 0, 4).Draw(t, name), "")
}

func genPost(t *rapid.T) *PostSeen {
	p := &PostSeen{
		Method: MethodMTProto, Vantage: "main", Text: genText(t, "text"), InvalidUTF8: rapid.Bool().Draw(t, "invalid"),
		EditedLocal: genText(t, "local"), Entities: rapid.SampledFrom([][]Entity{nil, {}}).Draw(t, "empty"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "entities") {
		p.Entities = append(p.Entities, Entity{Type: "bold", Length: 3, URL: genText(t, "url")})
	}
	for range rapid.IntRange(0, 2).Draw(t, "media") {
		p.Media = append(p.Media, Media{ID: genText(t, "id"), Type: "photo", Detail: genText(t, "detail")})
	}
	if rapid.Bool().Draw(t, "service") {
		p.Service = &Service{Action: genText(t, "action")}
	}
	if rapid.Bool().Draw(t, "edited") {
		p.EditedAt = At(time.Unix(rapid.Int64Range(-62135596799, 253402300799).Draw(t, "at"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")))
	}
	return p
}

func TestContentIsTheDigestOfItsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := genPost(t)
		if got, want := p.content(), contentByJSON(p); got != want {
			t.Fatalf("%+v", p)
		}
	})
}

// A post that an older build stored has none of what later builds learnt to read; reading it again must not make a version.
func TestWhatLaterBuildsReadMakesNoVersion(t *testing.T) {
	post := func() *PostSeen {
		return &PostSeen{
			Method: MethodMTProto, Vantage: "main", Text: "Simulated", Entities: []Entity{{Type: "blockquote", Length: 3}},
			Media: []Media{{ID: "poll 3", Type: "poll", Detail: "Q | A"}}, Service: &Service{Action: "pin_message"},
		}
	}
	older, newer := post(), post()
	if got, want := older.content().String(), "bdd26707622ec61a999a6c80db1e37a5971ade6b46efa76c7fee8af258aa3ae4"; got != want {
		t.Errorf("the digest of a post of the first build is now %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, name := range []string{"Reply", "Via", "Effect", "TTL", "ExpiresAt", "Stars", "FactCheck", "Unknown", "Marks", "Forward"} {
			fill(t, reflect.ValueOf(newer).Elem().FieldByName(name))
		}
		for _, name := range []string{"Collapsed", "Date", "Outside"} {
			fill(t, reflect.ValueOf(&newer.Entities[0]).Elem().FieldByName(name))
		}
		for _, name := range []string{"Marks", "Facts", "Person", "Origin"} {
			fill(t, reflect.ValueOf(&newer.Media[0]).Elem().FieldByName(name))
		}
		fill(t, reflect.ValueOf(newer.Service).Elem().FieldByName("Facts"))
	})
	newer.Media = append(newer.Media, Media{Type: "photo", Locked: true})
	if older.content() != newer.content() {
		t.Error("reading more of the same post made another version")
	}
	if !older.EditedAt.IsZero() || newer.Entities[0].Date.IsZero() || !newer.Entities[0].Collapsed {
		t.Error("comparing changed the post")
	}
	newer.Media[1] = Media{ID: "photo 5", Type: "photo"}
	if older.content() == newer.content() {
		t.Error("media that is no longer locked is no version")
	}
}

// What is compared when a post comes in is what fsck finds when it reads the post back, even where text was not UTF-8.
func TestFacetsSurviveStoring(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := genPost(t)
		p.Text += string(rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "bytes"))
		enc, err := EncodeBody(p, [SaltLen]byte{})
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeBody(Record{Envelope: Envelope{Kind: KindPostSeen}, Body: enc})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(p.Facets(), back.(*PostSeen).Facets()); d != "" {
			t.Fatal(d)
		}
	})
}

func TestTimesAreWrittenAsTimeFormat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := At(time.Unix(rapid.Int64Range(-62167219200, 253402300799).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")))
		text, err := at.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if want := at.UTC().Format(TimeFormat); string(text) != want && !at.IsZero() {
			t.Fatalf("got %s, want %s", text, want)
		}
	})
}

// fill sets a field to something that is not its zero value, so that no field is forgotten where posts are written by hand.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Interface().(type) {
	case Time:
		v.Set(reflect.ValueOf(At(time.Unix(rapid.Int64Range(-62135596799, 253402300799).Draw(t, "at"), 1000))))
		return
	case Ref:
		v.Set(reflect.ValueOf(Ref{Ordinal: "p7"}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(genText(t, "text") + "x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case reflect.Uint32:
		v.SetUint(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(1))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("a post has a field of a kind that this test does not know: %s", v.Kind())
	}
}

func TestPostsAreWrittenAsTheirJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &PostSeen{}
		v := reflect.ValueOf(p).Elem()
		for i := range v.NumField() {
			if rapid.Bool().Draw(t, "set") {
				fill(t, v.Field(i))
			}
		}
		if rapid.Bool().Draw(t, "bytes") {
			p.Text += "\xff"
		}
		var got, want bytes.Buffer
		if err := p.appendJSON(&got); err != nil {
			t.Fatal(err)
		}
		if err := encodeJSON(&want, p); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(strings.TrimSuffix(want.String(), "\n"), got.String()); d != "" {
			t.Fatal(d)
		}
	})
	for name, p := range map[string]*PostSeen{
		"a year beyond":    {ClaimedAt: At(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))},
		"a name unbound":   {Author: &Ref{Name: Person("nobody")}},
		"a span in 10000":  {Observed: Span{To: At(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))}},
		"a person unbound": {Entities: []Entity{{Person: &Ref{}}}},
	} {
		if b, err := EncodeBody(p, [SaltLen]byte{}); err == nil {
			t.Errorf("%s: %s", name, b)
		}
	}
}

func TestPlainTextIsWhatJSONLeavesAlone(t *testing.T) {
	json := func(s string) bool {
		var buf bytes.Buffer
		if err := encodeJSON(&buf, s); err != nil {
			t.Fatal(err)
		}
		return buf.String() == `"`+s+"\"\n"
	}
	for c := range 256 {
		for at := range 20 { // in a word and after the last
			s := strings.Repeat("x", at) + string([]byte{byte(c)}) + strings.Repeat("x", 19-at)
			if plain(s) && !json(s) {
				t.Errorf("%q is not plain", s)
			}
			if c >= ' ' && c < 0x7f && plain(s) != json(s) {
				t.Errorf("%q is plain", s)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if s := genText(t, "text") + string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")); plain(s) && !json(s) {
			t.Fatalf("%q", s)
		}
	})
}
