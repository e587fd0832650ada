package evidence

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// jsonBody is a body that writes its own JSON, exactly as encoding/json would, because every post of a backfill passes here.
type jsonBody interface {
	appendJSON(buf *bytes.Buffer) error
}

// encodeJSON writes v as every body is written.
func encodeJSON(buf *bytes.Buffer, v any) error {
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// appendJSON implements jsonBody. The order of the fields is that of the struct.
func (p *PostSeen) appendJSON(buf *bytes.Buffer) error {
	o := object{buf: buf}
	o.text("method", p.Method)
	o.textIf("vantage", p.Vantage)
	o.text("acquisition", p.Acquisition.String())
	o.name("observed")
	o.span(p.Observed)
	o.timeIf("claimed_at", p.ClaimedAt)
	o.timeIf("edited_at", p.EditedAt)
	o.textIf("claimed_local", p.ClaimedLocal)
	o.textIf("edited_local", p.EditedLocal)
	o.text("text", p.Text)
	o.trueIf("invalid_utf8", p.InvalidUTF8)
	o.valueIf("entities", p.Entities, len(p.Entities) > 0)
	o.valueIf("media", p.Media, len(p.Media) > 0)
	o.valueIf("service", p.Service, p.Service != nil)
	o.valueIf("author", p.Author, p.Author != nil)
	o.valueIf("forward", p.Forward, p.Forward != nil)
	o.textIf("reply_to", p.ReplyTo)
	o.textIf("group", p.Group)
	o.valueIf("restriction", p.Restriction, len(p.Restriction) > 0)
	o.valueIf("marks", p.Marks, len(p.Marks) > 0)
	p.appendMore(&o)
	o.trueIf("names_person", p.NamesAPerson)
	if p.Raw != nil {
		o.name("raw")
		o.slice(*p.Raw)
	}
	o.name("raw_exact")
	buf.Write(strconv.AppendBool(buf.AvailableBuffer(), p.RawExact))
	buf.WriteByte('}')
	return o.err
}

// appendMore writes the members that few posts have.
func (p *PostSeen) appendMore(o *object) {
	o.valueIf("reply", p.Reply, p.Reply != nil)
	o.valueIf("via", p.Via, p.Via != nil)
	o.textIf("effect", p.Effect)
	o.valueIf("ttl", p.TTL, p.TTL != 0)
	o.timeIf("expires_at", p.ExpiresAt)
	o.valueIf("stars", p.Stars, p.Stars != 0)
	o.valueIf("fact_check", p.FactCheck, p.FactCheck != nil)
	o.valueIf("unknown", p.Unknown, len(p.Unknown) > 0)
}

// object writes the members of a JSON object; If in a name stands for omitempty and omitzero. It keeps the first error.
type object struct {
	buf  *bytes.Buffer
	some bool
	err  error
}

func (o *object) name(n string) {
	if o.some {
		o.buf.WriteString(`,"`)
	} else {
		o.buf.WriteString(`{"`)
		o.some = true
	}
	o.buf.WriteString(n)
	o.buf.WriteString(`":`)
}

func (o *object) value(v any) {
	if err := encodeJSON(o.buf, v); err != nil {
		if o.err == nil {
			o.err = err
		}
		return
	}
	o.buf.Truncate(o.buf.Len() - 1) // the encoder's line feed
}

func (o *object) string(s string) {
	if !plain(s) {
		o.value(s)
		return
	}
	o.buf.WriteByte('"')
	o.buf.WriteString(s)
	o.buf.WriteByte('"')
}

func (o *object) time(t Time) {
	b, err := t.MarshalJSON()
	if err != nil && o.err == nil {
		o.err = err
	}
	o.buf.Write(b)
}

func (o *object) span(s Span) {
	o.buf.WriteString(`{"from":`)
	o.time(s.From)
	o.buf.WriteString(`,"to":`)
	o.time(s.To)
	o.buf.WriteByte('}')
}

func (o *object) slice(s Slice) {
	o.buf.WriteString(`{"offset":`)
	o.buf.Write(strconv.AppendInt(o.buf.AvailableBuffer(), s.Offset, 10))
	o.buf.WriteString(`,"length":`)
	o.buf.Write(strconv.AppendInt(o.buf.AvailableBuffer(), s.Length, 10))
	o.buf.WriteByte('}')
}

func (o *object) text(n, s string) {
	o.name(n)
	o.string(s)
}

func (o *object) textIf(n, s string) {
	if s != "" {
		o.text(n, s)
	}
}

func (o *object) timeIf(n string, t Time) {
	if !t.IsZero() {
		o.name(n)
		o.time(t)
	}
}

func (o *object) trueIf(n string, b bool) {
	if b {
		o.name(n)
		o.buf.WriteString("true")
	}
}

func (o *object) valueIf(n string, v any, there bool) {
	if there {
		o.name(n)
		o.value(v)
	}
}
