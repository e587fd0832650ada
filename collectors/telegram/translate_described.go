package telegram

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// described translates media that have no file of their own: what the platform tells of them becomes facts, and pictures that belong
// to them are kept as files like any other. Detail stays what the first build wrote there, since it is part of the content digest.
func (t *translator) described(p *post, m tg.MessageMediaClass) {
	v := evidence.Media{Type: mediaWord(m)}
	v.ID = v.Type
	switch m := m.(type) {
	case *tg.MessageMediaWebPage:
		t.webPage(p, &v, m)
	case *tg.MessageMediaPoll:
		t.poll(p, &v, m)
	case *tg.MessageMediaGeo, *tg.MessageMediaGeoLive, *tg.MessageMediaVenue:
		geo(&v, m)
	case *tg.MessageMediaContact:
		t.contact(p, &v, m)
	case *tg.MessageMediaDice:
		v.Detail = valid(m.Emoticon) + " " + strconv.Itoa(m.Value)
	case *tg.MessageMediaGame:
		t.game(p, &v, &m.Game)
	case *tg.MessageMediaInvoice:
		t.invoice(p, &v, m)
	case *tg.MessageMediaToDo:
		todo(&v, m)
	case *tg.MessageMediaStory:
		t.sharedStory(p, &v, m)
	case *tg.MessageMediaGiveaway:
		giveaway(&v, m)
	case *tg.MessageMediaGiveawayResults:
		giveawayResults(&v, m)
	case *tg.MessageMediaVideoStream:
		fact(&v, "stream", ifTrue(m.RtmpStream, "from another program"))
	default:
		p.body.Unknown = append(p.body.Unknown, m.TypeName())
	}
	p.body.Media = append(p.body.Media, v)
}

// mediaWord is the type of a medium in our words.
func mediaWord(m tg.MessageMediaClass) string {
	return snake(strings.TrimPrefix(m.TypeName(), "messageMedia"))
}

// fact adds what is told, and nothing where nothing is.
func fact(v *evidence.Media, name, value string) {
	if value != "" {
		v.Facts = append(v.Facts, evidence.Fact{Name: name, Value: valid(value)})
	}
}

func ifTrue(b bool, s string) string {
	if b {
		return s
	}
	return ""
}

func ifSome[N int | int64](n N, unit string) string {
	if n == 0 {
		return ""
	}
	return strings.TrimSpace(strconv.FormatInt(int64(n), 10) + " " + unit)
}

func instant(sec int) string {
	if d := date(sec); !d.IsZero() {
		return d.UTC().Format(time.RFC3339)
	}
	return ""
}

// within adds what stands inside of a described medium: its files are kept, and a fact says which they are.
func (t *translator) within(p *post, v *evidence.Media, name string, m tg.MessageMediaClass) {
	if m == nil {
		return
	}
	inner := post{body: &evidence.PostSeen{}}
	t.attach(&inner, m)
	for _, x := range inner.body.Media {
		fact(v, name, strings.TrimSpace(x.ID+" "+ifTrue(x.ID == x.Type, x.Detail)))
	}
	p.files = append(p.files, inner.files...)
	p.body.Unknown = append(p.body.Unknown, inner.body.Unknown...)
	p.body.NamesAPerson = p.body.NamesAPerson || inner.body.NamesAPerson
}

func (t *translator) withinPhoto(p *post, v *evidence.Media, name string, c tg.PhotoClass) {
	if _, ok := c.(*tg.Photo); ok {
		t.within(p, v, name, &tg.MessageMediaPhoto{Photo: c})
	}
}

func (t *translator) withinDocument(p *post, v *evidence.Media, name string, c tg.DocumentClass) {
	if _, ok := c.(*tg.Document); ok {
		t.within(p, v, name, &tg.MessageMediaDocument{Document: c})
	}
}

// webPage is identified by its link: the platform gives a preview another id once it has finished making it. The author that a
// preview may name is a private person as often as not, and stays in the raw bytes.
func (t *translator) webPage(p *post, v *evidence.Media, m *tg.MessageMediaWebPage) {
	v.Type, v.ID = "webpage", "webpage"
	switch w := m.Webpage.(type) {
	case *tg.WebPage:
		v.Detail = valid(w.URL)
		fact(v, "kind", w.Type)
		fact(v, "site", w.SiteName)
		fact(v, "title", w.Title)
		fact(v, "description", w.Description)
		fact(v, "plays", w.EmbedURL)
		fact(v, "instant view", ifTrue(len(w.CachedPage.Blocks) > 0, "yes"))
		t.withinPhoto(p, v, "picture", w.Photo)
		t.withinDocument(p, v, "file", w.Document)
	case *tg.WebPagePending:
		v.Detail = valid(w.URL)
		fact(v, "preview", "not made yet")
	case *tg.WebPageEmpty:
		v.Detail = valid(w.URL)
		fact(v, "preview", "none")
	case nil:
	default:
		p.body.Unknown = append(p.body.Unknown, w.TypeName())
	}
}

func geo(v *evidence.Media, m tg.MessageMediaClass) {
	switch m := m.(type) {
	case *tg.MessageMediaGeo:
		v.Detail = place(m.Geo)
		accuracy(v, m.Geo)
	case *tg.MessageMediaGeoLive:
		v.Detail, v.Marks = place(m.Geo), []string{"live"}
		accuracy(v, m.Geo)
		fact(v, "shared for", ifSome(m.Period, "seconds"))
		fact(v, "heading", ifSome(m.Heading, "degrees"))
	case *tg.MessageMediaVenue:
		v.Detail = valid(strings.Join([]string{place(m.Geo), m.Title, m.Address}, " "))
		fact(v, "title", m.Title)
		fact(v, "address", m.Address)
		fact(v, "kind", m.VenueType)
		fact(v, "provider", strings.TrimSpace(m.Provider+" "+m.VenueID))
	}
}

func place(g tg.GeoPointClass) string {
	if g, ok := g.(*tg.GeoPoint); ok {
		return fmt.Sprintf("%.6f,%.6f", g.Lat, g.Long)
	}
	return ""
}

func accuracy(v *evidence.Media, g tg.GeoPointClass) {
	if g, ok := g.(*tg.GeoPoint); ok {
		fact(v, "accuracy", ifSome(g.AccuracyRadius, "metres"))
	}
}

// contact says only that somebody's contact was shared, under a pseudonym: name, telephone number and card stand in the raw bytes
// alone. Without a platform identity the pseudonym is of this post's contact and no other, since one made of the number could be
// found by trying numbers.
func (t *translator) contact(p *post, v *evidence.Media, m *tg.MessageMediaContact) {
	p.body.NamesAPerson = true
	if m.UserID != 0 {
		v.Person = peerRef(&tg.PeerUser{UserID: m.UserID})
		return
	}
	v.Person = hidden("contact", fmt.Sprintf("%d/%d", t.channel, p.id))
}
