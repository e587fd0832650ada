package chatexport

import "github.com/muhafiz/muhafiz/collectors/evidence"

// service reads an event in the channel. Events that concern people keep their action alone: who it was stands in the raw bytes.
func (e *entry) service(f *fields) {
	s := &evidence.Service{Action: e.str("action", f.action)}
	switch s.Action {
	case "invite_members", "remove_members", "join_group_by_link", "invite_to_group_call", "requested_peer", "proximity_reached":
	default:
		s.Detail = joined("; ",
			e.str("title", f.title),
			e.str("new_title", f.newTitle),
			e.str("information_text", f.information),
			labelled("message", f.messageID),
			labelled("duration", f.callDuration),
			labelled("period", f.period),
			labelled("scheduled", f.scheduled),
			labelled("boosts", f.boosts),
			labelled("winners", f.winners),
			e.str("emoticon", f.emoticon),
		)
	}
	e.body.Service = s
}

func labelled(name string, raw []byte) string {
	n, err := number(raw)
	if err != nil {
		return ""
	}
	return name + " " + decimal(n)
}
