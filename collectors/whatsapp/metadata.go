package whatsapp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// loose is a value that the platform writes now as a string and now as a number.
type loose string

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		err := json.Unmarshal(b, &s)
		*l = loose(s)
		return err
	}
	if !bytes.Equal(b, []byte("null")) && len(b) <= 32 {
		*l = loose(b)
	}
	return nil
}

func (l loose) number() int64 {
	n, err := strconv.ParseInt(string(l), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

type looseText struct {
	Text loose `json:"text"`
}

type loosePicture struct {
	ID   loose `json:"id"`
	Path loose `json:"direct_path"`
}

// metadata is what we read of a channel's description; the rest stands in the raw bytes.
type metadata struct {
	ID    string `json:"id"`
	State struct {
		Type loose `json:"type"`
	} `json:"state"`
	Thread struct {
		Created      loose         `json:"creation_time"`
		Invite       loose         `json:"invite"`
		Name         looseText     `json:"name"`
		About        looseText     `json:"description"`
		Followers    loose         `json:"subscribers_count"`
		Verification loose         `json:"verification"`
		Picture      *loosePicture `json:"picture"`
		Preview      *loosePicture `json:"preview"`
	} `json:"thread_metadata"`
}

func parseMetadata(b []byte) (metadata, error) {
	var v struct {
		Newsletter *metadata `json:"xwa2_newsletter"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return metadata{}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if v.Newsletter == nil || v.Newsletter.ID == "" {
		return metadata{}, fmt.Errorf("%w: it names no channel", errUnreadable)
	}
	return *v.Newsletter, nil
}

// state is active, suspended, geosuspended, or a word that is new to us; a description without one is taken for an active channel's.
func (m metadata) state() string {
	if m.State.Type == "" {
		return "active"
	}
	return strings.ToLower(clip(string(m.State.Type)))
}

// picture is the channel's picture in full, or its preview.
func (m metadata) picture() (file, bool) {
	p := m.Thread.Picture
	if p == nil || p.Path == "" {
		p = m.Thread.Preview
	}
	if p == nil || p.Path == "" || p.ID == "" {
		return file{}, false
	}
	return file{media: evidence.Media{ID: "picture " + clip(string(p.ID)), Type: "picture"}, kind: "photo", mms: "image", path: string(p.Path)}, true
}

// seen translates the description. Of the invite's code the present one stands among the names; a state that is not active is a
// restriction as this vantage sees it.
func (m metadata) seen(vantage string) *evidence.AccountSeen {
	title, bad1 := evidence.ValidText(string(m.Thread.Name.Text))
	about, bad2 := evidence.ValidText(string(m.Thread.About.Text))
	a := &evidence.AccountSeen{
		Method: evidence.MethodWhatsApp, Vantage: vantage, Title: title, About: about, InvalidUTF8: bad1 || bad2,
		CreatedAt: seconds(m.Thread.Created.number()), Verified: strings.EqualFold(string(m.Thread.Verification), "verified"),
		Subscribers: m.Thread.Followers.number(),
	}
	if i := clip(string(m.Thread.Invite)); i != "" {
		a.Usernames = []string{i}
	}
	if p, ok := m.picture(); ok {
		a.PhotoID = strings.TrimPrefix(p.media.ID, "picture ")
	}
	switch s := m.state(); s {
	case "active":
	case "geosuspended":
		a.Restriction = []evidence.Restriction{{Where: "where our account is", Reason: s}}
	default:
		a.Restriction = []evidence.Restriction{{Where: "all", Reason: s}}
	}
	return a
}
