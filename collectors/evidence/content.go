package evidence

import (
	"bytes"
	"slices"
	"strconv"
)

// Facets implements Observer: the content within the method, and presence and restriction within the vantage.
func (p *PostSeen) Facets() []Facet {
	return []Facet{{Slot: p.Method, Value: p.content()}, presence(p.Vantage, p.Method, "", p.Restriction)}
}

// content is the digest of the JSON of Text, Invalid, Entities, Media (ID and Detail), Service, Edited and EditedLocal, written
// piece by piece because every post that is read passes here. None and an empty list are the same observation.
//
// Everything that later builds learnt to read stays out on purpose: Reply, Via, FactCheck and the like, an entity's Collapsed, Date
// and Outside, a medium's or event's Facts, a medium's Marks and Locked outlines. A post that an older build stored is therefore no new version when it is
// read again, and nothing is lost by it: what the author changes moves Edited, and what the platform adds by itself (a preview, a
// fact checker's note, a vote) is no version. Media that was sold and is shown from now on has an identity, and is a new version.
func (p *PostSeen) content() Digest {
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	buf.WriteString(`{"Text":`)
	appendText(buf, p.Text)
	buf.WriteString(`,"Invalid":`)
	buf.Write(strconv.AppendBool(buf.AvailableBuffer(), p.InvalidUTF8))
	buf.WriteString(`,"Entities":`)
	if len(p.Entities) == 0 {
		buf.WriteString("null")
	} else {
		appendCanonical(buf, plainEntities(p.Entities))
	}
	buf.WriteString(`,"Media":`)
	p.appendMedia(buf)
	buf.WriteString(`,"Service":`)
	if p.Service == nil {
		buf.WriteString("null")
	} else {
		appendCanonical(buf, &Service{Action: p.Service.Action, Detail: p.Service.Detail})
	}
	buf.WriteString(`,"Edited":`)
	if p.EditedAt.IsZero() {
		buf.WriteString(`""`)
	} else {
		appendCanonical(buf, p.EditedAt)
	}
	buf.WriteString(`,"EditedLocal":`)
	appendText(buf, p.EditedLocal)
	buf.WriteString("}\n")
	return Sum(buf.Bytes())
}

func (p *PostSeen) appendMedia(buf *bytes.Buffer) {
	some := false
	for _, m := range p.Media {
		if m.Locked {
			continue
		}
		if !some {
			buf.WriteByte('[')
		} else {
			buf.WriteByte(',')
		}
		some = true
		buf.WriteString(`{"ID":`)
		appendText(buf, m.ID)
		buf.WriteString(`,"Detail":`)
		appendText(buf, m.Detail)
		buf.WriteByte('}')
	}
	if !some {
		buf.WriteString("null")
		return
	}
	buf.WriteByte(']')
}

// plainEntities returns the entities without what the content digest leaves out; es itself where they have none of it.
func plainEntities(es []Entity) []Entity {
	more := func(e Entity) bool { return e.Collapsed || e.Outside || !e.Date.IsZero() }
	if !slices.ContainsFunc(es, more) {
		return es
	}
	out := slices.Clone(es)
	for i := range out {
		out[i].Collapsed, out[i].Outside, out[i].Date = false, false, Time{}
	}
	return out
}
