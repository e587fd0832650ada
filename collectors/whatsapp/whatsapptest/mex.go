package whatsapptest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// variables are what the played GraphQL queries carry.
type variables struct {
	Variables struct {
		Viewer bool `json:"fetch_viewer_metadata"`
		Input  struct {
			Key  string `json:"key"`
			Type string `json:"type"`
		} `json:"input"`
		Newsletter string `json:"newsletter_id"`
	} `json:"variables"`
}

func (q *query) variables() (v variables) {
	b, _ := q.body.Content.([]byte)
	_ = json.Unmarshal(b, &v) // what cannot be read names no channel
	return v
}

func mexResult(data any, errs ...any) waBinary.Node {
	m := map[string]any{"data": data}
	if len(errs) > 0 {
		m["errors"] = errs
	}
	return waBinary.Node{Tag: "result", Content: mustJSON(m)}
}

var notFound = &refused{Trouble{Code: 404, Text: "Not Found", GraphQL: true}}

// known finds a channel by JID or invite code. The caller holds the world's mutex.
func (w *World) known(typ, key string) *Channel {
	id := ""
	switch {
	case strings.EqualFold(typ, "invite"):
		id = w.invites[key]
	default:
		if jid, err := types.ParseJID(key); err == nil && jid.Server == types.NewsletterServer {
			id = jid.User
		}
	}
	if ch := w.channels[id]; ch != nil && !ch.profile.Gone {
		return ch
	}
	return nil
}

func (w *World) role(phone string, ch *Channel) string {
	if w.follows[phone][ch.profile.ID] {
		return "SUBSCRIBER"
	}
	return "GUEST"
}

func mexInfo(q *query) (any, *refused) {
	v, w := q.variables().Variables, q.conn.s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	ch := w.known(v.Input.Type, v.Input.Key)
	if ch == nil {
		return nil, notFound
	}
	role := ""
	if v.Viewer {
		role = w.role(q.conn.jid.User, ch)
	}
	return []waBinary.Node{mexResult(map[string]any{"xwa2_newsletter": ch.metadata(role)})}, nil
}

func mexSubscribed(q *query) (any, *refused) {
	w := q.conn.s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(w.follows[q.conn.jid.User])) {
		if ch := w.channels[id]; ch != nil && !ch.profile.Gone {
			list = append(list, ch.metadata("SUBSCRIBER"))
		}
	}
	return []waBinary.Node{mexResult(map[string]any{"xwa2_newsletter_subscribed": list})}, nil
}

func mexFollow(on bool) route {
	return func(q *query) (any, *refused) {
		w := q.conn.s.world
		w.mu.Lock()
		defer w.mu.Unlock()
		ch := w.known("jid", q.variables().Variables.Newsletter)
		if ch == nil {
			return nil, notFound
		}
		w.follow(q.conn.jid.User, ch.profile.ID, on)
		w.save()
		key := "xwa2_newsletter_join_v2"
		if !on {
			key = "xwa2_newsletter_leave_v2"
		}
		return []waBinary.Node{mexResult(map[string]any{key: map[string]any{"id": ch.jid().String()}})}, nil
	}
}
