package whatsapptest

import (
	"crypto/sha256"
	"maps"
	"slices"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// The values of a message's edit attribute.
const (
	editPost   = string(types.EditAttributeAdminEdit)   // "3"
	editDelete = string(types.EditAttributeAdminRevoke) // "8"
)

// node is the message element as pages of history carry it.
func (ch *Channel) node(e *entry) waBinary.Node {
	n := ch.bare(e, waBinary.Attrs{"id": e.post.MessageID, "server_id": e.post.ServerID, "t": e.post.Date})
	n.Content = append(n.GetChildren(), counts(&e.post)...)
	return n
}

// live is the message element as it is pushed.
func (ch *Channel) live(e *entry) waBinary.Node {
	t := e.post.Date
	if e.post.EditMS != 0 {
		t = e.post.EditMS / 1000
	}
	return ch.bare(e, waBinary.Attrs{"from": ch.jid(), "id": e.post.MessageID, "server_id": e.post.ServerID, "t": t})
}

func (ch *Channel) bare(e *entry, attrs waBinary.Attrs) waBinary.Node {
	p := &e.post
	attrs["type"] = p.wireType()
	var content []waBinary.Node
	if n, ok := ch.plaintext(e); ok {
		content = append(content, n)
	}
	switch {
	case p.Deleted != "":
		attrs["edit"] = editDelete
	case p.EditMS != 0:
		attrs["edit"] = editPost
	}
	if p.EditMS != 0 {
		content = append(content, waBinary.Node{Tag: "meta", Attrs: waBinary.Attrs{
			"msg_edit_t": p.EditMS, "original_msg_t": p.Date,
		}})
	}
	return waBinary.Node{Tag: "message", Attrs: attrs, Content: content}
}

// counts are the elements that tell a post's counters; what is zero is not told.
func counts(p *Post) []waBinary.Node {
	var out []waBinary.Node
	if p.Views > 0 {
		out = append(out, waBinary.Node{Tag: "views_count", Attrs: waBinary.Attrs{"count": p.Views}})
	}
	if p.Forwards > 0 {
		out = append(out, waBinary.Node{Tag: "forwards_count", Attrs: waBinary.Attrs{"count": p.Forwards}})
	}
	if len(p.Reactions) > 0 {
		var list []waBinary.Node
		for _, code := range slices.Sorted(maps.Keys(p.Reactions)) {
			list = append(list, waBinary.Node{Tag: "reaction", Attrs: waBinary.Attrs{"code": code, "count": p.Reactions[code]}})
		}
		out = append(out, waBinary.Node{Tag: "reactions", Content: list})
	}
	return out
}

func (ch *Channel) plaintext(e *entry) (waBinary.Node, bool) {
	n := waBinary.Node{Tag: "plaintext"}
	if m := e.post.Media; m != nil && e.post.Raw == nil {
		n.Attrs = waBinary.Attrs{"mediatype": m.wireKind()}
	}
	switch {
	case e.post.NoPlaintext, e.post.Deleted == DeleteAbsent:
		return n, false
	case e.post.Deleted == DeleteBare:
		return n, true
	}
	if e.raw == nil {
		e.raw = ch.marshal(&e.post)
	}
	n.Content = e.raw
	return n, true
}

func (p *Post) wireType() string {
	switch {
	case p.Poll != nil:
		return "poll"
	case p.Media != nil:
		return "media"
	}
	return "text"
}

func (ch *Channel) marshal(p *Post) []byte {
	switch {
	case p.Raw != nil:
		return p.Raw
	case p.Deleted == DeleteEmpty:
		return []byte{}
	}
	b, err := proto.Marshal(ch.message(p))
	if err != nil {
		panic("whatsapptest: " + err.Error()) // text that is not UTF-8; Raw is for that
	}
	return b
}

func (ch *Channel) message(p *Post) *waE2E.Message {
	info := ch.context(p)
	switch {
	case p.Deleted == DeleteRevoke:
		return &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
			Type: waE2E.ProtocolMessage_REVOKE.Enum(),
			Key:  &waCommon.MessageKey{RemoteJID: proto.String(ch.jid().String()), FromMe: proto.Bool(false), ID: &p.MessageID},
		}}
	case p.Media != nil:
		return p.Media.message(p.Text, info)
	case p.Poll != nil:
		return pollMessage(p.Poll, info)
	case p.Link != nil:
		return &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
			Text: &p.Text, MatchedText: &p.Link.URL, Title: &p.Link.Title, Description: &p.Link.Description, ContextInfo: info,
		}}
	case info != nil:
		return &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: &p.Text, ContextInfo: info}}
	}
	return &waE2E.Message{Conversation: &p.Text}
}

func (ch *Channel) context(p *Post) *waE2E.ContextInfo {
	if p.Quote == nil && p.Forward == nil {
		return nil
	}
	c := &waE2E.ContextInfo{}
	if q := p.Quote; q != nil {
		c.StanzaID, c.Participant = &q.MessageID, proto.String(ch.jid().String())
		c.QuotedMessage = &waE2E.Message{Conversation: &q.Text}
	}
	if f := p.Forward; f != nil {
		c.IsForwarded, c.ForwardingScore = proto.Bool(true), proto.Uint32(uint32(max(f.Score, 1)))
		if f.Channel != "" {
			c.ForwardedNewsletterMessageInfo = &waE2E.ContextInfo_ForwardedNewsletterMessageInfo{
				NewsletterJID: &f.Channel, ServerMessageID: proto.Int32(int32(f.ServerID)), NewsletterName: &f.Name,
			}
		}
	}
	return c
}

func pollMessage(p *Poll, info *waE2E.ContextInfo) *waE2E.Message {
	m := &waE2E.PollCreationMessage{Name: &p.Question, SelectableOptionsCount: proto.Uint32(1), ContextInfo: info}
	if p.Multiple {
		m.SelectableOptionsCount = proto.Uint32(0)
	}
	for _, o := range p.Options {
		m.Options = append(m.Options, &waE2E.PollCreationMessage_Option{OptionName: &o})
	}
	return &waE2E.Message{PollCreationMessageV3: m}
}

// digest is the file's true SHA-256.
func (m *Media) digest() []byte {
	d := sha256.Sum256(m.Bytes)
	return d[:]
}
