package whatsapptest

import (
	"encoding/json"
	"strconv"
)

// Change changes the metadata but for the id, and notifies followers as the platform does. It panics when the invite code is another
// channel's; MoveInvite is for that.
func (ch *Channel) Change(change func(*Profile)) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	before := ch.profile
	change(&ch.profile)
	p := &ch.profile
	p.ID = before.ID
	if p.Invite != before.Invite {
		if _, taken := ch.w.invites[p.Invite]; taken {
			panic("whatsapptest: invite code " + p.Invite + " is taken")
		}
		delete(ch.w.invites, before.Invite)
		ch.w.invites[p.Invite] = p.ID
	}
	now := ch.w.now().UnixMicro()
	if p.Name != before.Name && p.Renamed == before.Renamed {
		p.Renamed = now
	}
	if p.Description != before.Description && p.Described == before.Described {
		p.Described = now
	}
	ch.w.adopt(p.Picture)
	ch.w.save()
	ch.announce(before.State != p.State)
}

// Rename changes the name.
func (ch *Channel) Rename(name string) { ch.Change(func(p *Profile) { p.Name = name }) }

// SetState suspends the channel, everywhere or for viewers where we are, or shows it again.
func (ch *Channel) SetState(s State) { ch.Change(func(p *Profile) { p.State = s }) }

// SetPicture changes the picture; nil takes it away.
func (ch *Channel) SetPicture(m *Media) { ch.Change(func(p *Profile) { p.Picture = m }) }

// SetInvite changes the invite code; the old one names nothing then.
func (ch *Channel) SetInvite(code string) { ch.Change(func(p *Profile) { p.Invite = code }) }

// metadata is the channel as GraphQL tells it. Numbers are strings there, and times of changes microseconds.
func (ch *Channel) metadata(role string) map[string]any {
	p := &ch.profile
	verification := "UNVERIFIED"
	if p.Verified {
		verification = "VERIFIED"
	}
	thread := map[string]any{
		"creation_time":     strconv.FormatInt(p.Created, 10),
		"invite":            p.Invite,
		"name":              graphText(p.Name, p.Renamed, p.Created),
		"description":       graphText(p.Description, p.Described, p.Created),
		"subscribers_count": strconv.Itoa(p.Followers),
		"verification":      verification,
		"preview":           graphPicture(p.Picture, "PREVIEW"),
		"settings":          map[string]any{"reaction_codes": map[string]any{"value": "ALL"}},
	}
	if p.Picture != nil {
		thread["picture"] = graphPicture(p.Picture, "IMAGE")
	}
	m := map[string]any{
		"id": ch.jid().String(), "state": map[string]any{"type": string(p.State)}, "thread_metadata": thread,
	}
	if role != "" {
		m["viewer_metadata"] = map[string]any{"mute": "OFF", "role": role}
	}
	return m
}

func graphText(s string, changed, created int64) map[string]any {
	if changed == 0 {
		changed = created * 1e6
	}
	t := strconv.FormatInt(changed, 10)
	return map[string]any{"id": t, "text": s, "update_time": t}
}

func graphPicture(m *Media, kind string) map[string]any {
	if m == nil {
		return map[string]any{"id": "", "type": kind, "direct_path": ""}
	}
	return map[string]any{"id": strconv.FormatInt(m.ID, 10), "type": kind, "direct_path": m.path()}
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("whatsapptest: " + err.Error())
	}
	return b
}
