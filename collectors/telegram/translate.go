package telegram

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

const platform = "telegram"

// post is a message in our own words. The caller fills in who looked, when and by which acquisition.
type post struct {
	id       int
	body     *evidence.PostSeen
	counts   evidence.Post
	files    []file
	snapshot bool // the event changes what an account.seen would say
}

// translator holds what the translation of a page needs beside the messages themselves.
type translator struct {
	channel  int64
	channels map[string]bool // user names, lower case, that the reply shows to be channels
}

// newTranslator learns from a reply's chats which user names are channels, so that a mention of one names nobody.
func newTranslator(channel int64, chats []tg.ChatClass) *translator {
	t := &translator{channel: channel, channels: map[string]bool{}}
	for _, c := range chats {
		if ch, ok := c.(*tg.Channel); ok {
			for _, u := range usernames(ch) {
				t.channels[strings.ToLower(u)] = true
			}
		}
	}
	return t
}

// message translates one message of the channel; false stands for a hole (messageEmpty) or a message of another peer.
func (t *translator) message(m tg.MessageClass) (post, bool) {
	switch m := m.(type) {
	case *tg.Message:
		if !t.ours(m.PeerID) || m.ID <= 0 {
			return post{}, false
		}
		return t.content(m), true
	case *tg.MessageService:
		if !t.ours(m.PeerID) || m.ID <= 0 {
			return post{}, false
		}
		return t.service(m), true
	}
	return post{}, false
}

func (t *translator) ours(p tg.PeerClass) bool {
	c, ok := p.(*tg.PeerChannel)
	return ok && c.ChannelID == t.channel
}

func (t *translator) content(m *tg.Message) post {
	text, bad := evidence.ValidText(m.Message)
	b := &evidence.PostSeen{
		Method:      evidence.MethodMTProto,
		ClaimedAt:   date(m.Date),
		EditedAt:    editDate(m),
		Text:        text,
		InvalidUTF8: bad,
		Author:      t.author(m),
		Forward:     forward(m),
		ReplyTo:     t.replyTo(m.ReplyTo),
		Via:         viaBot(m.ViaBotID),
		TTL:         int64(m.TTLPeriod),
		Stars:       m.PaidMessageStars,
		FactCheck:   factCheck(m),
		Restriction: restrictions(m.RestrictionReason),
		Marks:       marks(m),
	}
	if m.GroupedID != 0 {
		b.Group = strconv.FormatInt(m.GroupedID, 10)
	}
	if m.Effect != 0 {
		b.Effect = strconv.FormatInt(m.Effect, 10)
	}
	var quoteNames bool
	b.Entities, b.NamesAPerson = t.entities(m.Message, m.Entities)
	b.Reply, quoteNames = t.reply(m.ReplyTo)
	b.NamesAPerson = b.NamesAPerson || quoteNames
	p := post{id: m.ID, body: b, counts: counts(m)}
	t.attach(&p, m.Media)
	t.rich(&p, m)
	return p
}

// editDate leaves out a date that the platform itself says is not an edit (edit_hide: reactions and link previews move it);
// otherwise every burst of reactions would be a new version. The date stays in the raw bytes and a mark says so.
func editDate(m *tg.Message) evidence.Time {
	if m.EditHide {
		return evidence.Time{}
	}
	return date(m.EditDate)
}

func marks(m *tg.Message) []string {
	var out []string
	for _, k := range []struct {
		on   bool
		name string
	}{
		{m.Pinned, "pinned"},
		{m.Silent, "silent"},
		{m.Noforwards, "noforwards"},
		{m.FromScheduled, "from_scheduled"},
		{m.EditHide && m.EditDate != 0, "edit_hide"},
		{m.InvertMedia, "invert_media"},
		{m.Legacy, "legacy"},
		{m.ViaBotID != 0, "via_bot"},
		{m.TTLPeriod != 0, "ttl"},
		{m.ReplyMarkup != nil, "buttons"},
		{m.PaidMessageStars != 0, "paid"},
		{m.Replies.Comments, "comments"},
		{m.VideoProcessingPending, "video_processing"},
		{m.PaidSuggestedPostStars || m.PaidSuggestedPostTon, "paid_suggestion"},
		{m.Factcheck.Hash != 0 || m.Factcheck.NeedCheck, "factcheck"},
		{m.Flags2.Has(13), "rich_message"},
		{!m.Post, "not_a_channel_post"},
	} {
		if k.on {
			out = append(out, k.name)
		}
	}
	return out
}

func restrictions(rs []tg.RestrictionReason) []evidence.Restriction {
	var out []evidence.Restriction
	for _, r := range rs {
		out = append(out, evidence.Restriction{Where: valid(r.Platform), Reason: valid(r.Reason), Text: valid(r.Text)})
	}
	return out
}

// date reads the platform's seconds; 0 stands for "not told". TL dates are 32 bits wide, so no year is out of reach of RFC 3339.
func date(sec int) evidence.Time {
	if sec == 0 || int64(sec) != int64(int32(sec)) {
		return evidence.Time{}
	}
	return evidence.At(time.Unix(int64(sec), 0))
}

// snake turns a TL name such as TextUrl into text_url.
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
