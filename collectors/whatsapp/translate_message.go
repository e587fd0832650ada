package whatsapp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// maxNesting bounds messages within messages.
const maxNesting = 8

// content adds what a message says. A kind that is not known here is recorded by its name, and stands in the raw element. wire are the bytes
// that it was read from, where they are at hand.
func (x *post) content(m *waE2E.Message, wire []byte, depth int) {
	if p := m.GetProtocolMessage(); p != nil && p.GetType() == waE2E.ProtocolMessage_REVOKE {
		x.deleted = true
		return
	}
	x.association(m.GetMessageContextInfo())
	for _, f := range populated(m.ProtoReflect(), wire) {
		name, v := snake(string(f.Name())), m.ProtoReflect().Get(f)
		if f.Kind() == protoreflect.StringKind {
			x.text(v.String())
			continue
		}
		switch c := v.Message().Interface().(type) {
		case *waE2E.MessageContextInfo, *waE2E.SenderKeyDistributionMessage:
		case *waE2E.FutureProofMessage:
			mark(x, strings.TrimSuffix(name, "_message"))
			x.wrapped(c.GetMessage(), name, depth)
		default:
			if !x.known(c, name) {
				x.media(evidence.Media{ID: name, Type: name})
			}
			x.context(contextOf(v.Message()))
		}
	}
	if len(m.ProtoReflect().GetUnknown()) > 0 {
		x.media(evidence.Media{ID: "unknown", Type: "unknown"})
	}
}

// populated lists the fields that are set, by number: the library's own order is not always the same. A message has over a hundred fields of
// which one or two are set, so those that its bytes name are looked at alone.
func populated(m protoreflect.Message, wire []byte) []protoreflect.FieldDescriptor {
	var out []protoreflect.FieldDescriptor
	add := func(f protoreflect.FieldDescriptor) {
		if f.Kind() == protoreflect.StringKind || (f.Kind() == protoreflect.MessageKind && !f.IsList()) {
			out = append(out, f)
		}
	}
	if !named(m, wire, add) {
		out = out[:0]
		m.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			add(f)
			return true
		})
	}
	slices.SortFunc(out, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number()) - int(b.Number()) })
	return out
}

// named calls add for each set field that a message's bytes name; false where they cannot be read to their end, or there are none.
func named(m protoreflect.Message, wire []byte, add func(protoreflect.FieldDescriptor)) bool {
	if len(wire) == 0 {
		return false
	}
	var seen []protoreflect.FieldNumber
	for len(wire) > 0 {
		number, _, n := protowire.ConsumeField(wire)
		if n < 0 {
			return false
		}
		wire = wire[n:]
		if slices.Contains(seen, number) {
			continue
		}
		if seen = append(seen, number); len(seen) > 100 {
			return false
		}
		if f := m.Descriptor().Fields().ByNumber(number); f != nil && m.Has(f) {
			add(f)
		}
	}
	return true
}

func (x *post) wrapped(m *waE2E.Message, name string, depth int) {
	if m == nil || depth >= maxNesting {
		x.media(evidence.Media{ID: name, Type: name})
		return
	}
	x.content(m, nil, depth+1)
}

// maxText is the longest text in a record; the whole stands in the raw element.
const maxText = 1 << 20

func (x *post) text(s string) {
	if s == "" {
		return
	}
	if len(s) > maxText {
		d := evidence.Sum([]byte(s))
		x.media(evidence.Media{ID: "long text " + d.String(), Type: "long_text", Size: int64(len(s))})
		s = strings.TrimRightFunc(s[:maxText], func(r rune) bool { return r == unicode.ReplacementChar })
	}
	v, bad := evidence.ValidText(s)
	x.body.InvalidUTF8 = x.body.InvalidUTF8 || bad
	if x.body.Text != "" {
		v = "\n" + v
	}
	x.body.Text += v
}

func (x *post) media(v evidence.Media) { x.body.Media = append(x.body.Media, v) }

// known adds a message of a kind that is known here.
func (x *post) known(m any, name string) bool {
	switch m := m.(type) {
	case *waE2E.ExtendedTextMessage:
		x.text(m.GetText())
		if u := m.GetMatchedText(); u != "" {
			x.media(evidence.Media{ID: "webpage", Type: "webpage", Detail: valid(u)})
		}
	case *waE2E.PollCreationMessage:
		x.poll(m)
	case *waE2E.PollResultSnapshotMessage:
		parts := []string{m.GetName()}
		for _, v := range m.GetPollVotes() {
			parts = append(parts, fmt.Sprintf("%s: %d", v.GetOptionName(), v.GetOptionVoteCount()))
		}
		x.media(evidence.Media{ID: "poll_result", Type: "poll_result", Detail: valid(strings.Join(parts, " | "))})
	case *waE2E.LocationMessage:
		x.media(evidence.Media{ID: "geo", Type: "geo", Detail: joined(place(m.GetDegreesLatitude(), m.GetDegreesLongitude()), m.GetName(), m.GetAddress())})
		x.text(m.GetComment())
	case *waE2E.LiveLocationMessage:
		x.media(evidence.Media{ID: "geo_live", Type: "geo_live", Detail: place(m.GetDegreesLatitude(), m.GetDegreesLongitude())})
		x.text(m.GetCaption())
	case *waE2E.ContactMessage:
		x.contact(m)
	case *waE2E.ContactsArrayMessage:
		for _, c := range m.GetContacts() {
			x.contact(c)
		}
	case *waE2E.EventMessage:
		x.event(m)
	case *waE2E.AlbumMessage:
		x.body.Group = clip(x.message)
		x.media(evidence.Media{ID: "album", Type: "album", Detail: fmt.Sprintf("%d images, %d videos", m.GetExpectedImageCount(), m.GetExpectedVideoCount())})
	case *waE2E.GroupInviteMessage:
		x.media(evidence.Media{ID: "group_invite", Type: "group_invite", Detail: valid(m.GetGroupName())})
	case *waE2E.ProtocolMessage:
		x.body.Service = &evidence.Service{Action: strings.ToLower(m.GetType().String())}
	default:
		return x.attached(m, name)
	}
	return true
}

func joined(parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" {
			some = append(some, valid(p))
		}
	}
	return strings.Join(some, " ")
}

func place(lat, long float64) string { return fmt.Sprintf("%.6f,%.6f", lat, long) }

func (x *post) poll(m *waE2E.PollCreationMessage) {
	parts := []string{m.GetName()}
	for _, o := range m.GetOptions() {
		parts = append(parts, o.GetOptionName())
	}
	x.media(evidence.Media{ID: "poll", Type: "poll", Detail: valid(strings.Join(parts, " | "))})
}

func (x *post) event(m *waE2E.EventMessage) {
	parts := []string{m.GetName()}
	if t := m.GetStartTime(); t > 0 && t <= lastSecond {
		parts = append(parts, time.Unix(t, 0).UTC().Format(time.RFC3339))
	}
	if l := m.GetLocation(); l != nil {
		parts = append(parts, joined(place(l.GetDegreesLatitude(), l.GetDegreesLongitude()), l.GetName(), l.GetAddress()))
	}
	if m.GetIsCanceled() {
		parts = append(parts, "cancelled")
	}
	x.media(evidence.Media{ID: "event", Type: "event", Detail: valid(strings.Join(parts, " | "))})
	x.text(m.GetDescription())
}

// contact names a person: who it is stands in the raw element alone, and the same card is the same pseudonym.
func (x *post) contact(m *waE2E.ContactMessage) {
	card := evidence.Sum([]byte(m.GetDisplayName() + "\n" + m.GetVcard()))
	x.body.NamesAPerson = true
	x.media(evidence.Media{ID: "contact", Type: "contact"})
	x.person("contact", "card", card.String(), 0, 0)
}

func (x *post) person(typ, kind, id string, offset, length int) {
	x.body.Entities = append(x.body.Entities, evidence.Entity{
		Type: typ, Offset: offset, Length: length, Person: &evidence.Ref{Name: evidence.Private(platform, kind, clip(id))},
	})
}

// association puts the parts of an album together.
func (x *post) association(c *waE2E.MessageContextInfo) {
	if id := c.GetMessageAssociation().GetParentMessageKey().GetID(); id != "" {
		x.body.Group = clip(id)
	}
}

// contextOf returns the context that most kinds of messages carry in a field of one name.
func contextOf(m protoreflect.Message) *waE2E.ContextInfo {
	f := m.Descriptor().Fields().ByName("contextInfo")
	if f == nil || f.Kind() != protoreflect.MessageKind || f.IsList() || !m.Has(f) {
		return nil
	}
	c, _ := m.Get(f).Message().Interface().(*waE2E.ContextInfo)
	return c
}

// context adds what a message says of others: what it quotes, where it was forwarded from, whom it mentions.
func (x *post) context(c *waE2E.ContextInfo) {
	if c == nil {
		return
	}
	if id := c.GetStanzaID(); id != "" {
		mark(x, "quote")
		x.quotes = id
	}
	if c.GetIsForwarded() || c.GetForwardingScore() > 0 || c.GetForwardedNewsletterMessageInfo() != nil {
		mark(x, "forwarded")
		x.body.Forward = forward(c.GetForwardedNewsletterMessageInfo())
	}
	if c.GetForwardingScore() >= 5 {
		mark(x, "forwarded_many_times")
	}
	for _, jid := range c.GetMentionedJID() {
		x.mention(jid)
	}
}

func forward(i *waE2E.ContextInfo_ForwardedNewsletterMessageInfo) *evidence.Forward {
	f := &evidence.Forward{}
	if jid, ok := channelID(i.GetNewsletterJID()); ok {
		f.From = &evidence.Ref{Name: account(jid.String())}
		if n := i.GetServerMessageID(); n > 0 {
			f.Post = strconv.Itoa(int(n))
		}
	}
	return f
}

// mention names a person by pseudonym, and where in the text: there it is @ and the user part of the id.
func (x *post) mention(id string) {
	jid, err := types.ParseJID(id)
	if err != nil || jid.User == "" || jid.Server == types.NewsletterServer {
		return
	}
	x.body.NamesAPerson = true
	offset, length := 0, 0
	if before, _, ok := strings.Cut(x.body.Text, "@"+jid.User); ok {
		offset, length = units(before), units("@"+jid.User)
	}
	x.person("mention", "user", jid.ToNonAD().String(), offset, length)
}

// units counts UTF-16 code units.
func units(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

// channelID reads the id of a channel, and nothing else.
func channelID(s string) (types.JID, bool) {
	jid, err := types.ParseJID(s)
	ok := err == nil && jid.Server == types.NewsletterServer && jid.Device == 0 && jid.User != "" && len(jid.User) <= 32 &&
		strings.Trim(jid.User, "0123456789") == ""
	return jid, ok
}

// snake turns a name such as pollUpdateMessage into poll_update_message.
func snake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if unicode.IsUpper(r) {
			if i > 0 {
				b.WriteByte('_')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}
