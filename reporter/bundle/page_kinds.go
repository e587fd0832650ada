package bundle

import (
	"context"
	"fmt"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// line is something that the platform tells of a post or of what it carries: a label of ours, and a stranger's text.
type line struct{ Label, Text string }

// carried is a medium as the page shows it.
type carried struct {
	evidence.Media
	Lines []line
}

// markSays puts the marks into words; one that is not here is shown as it stands.
func markSays() map[string]string {
	return map[string]string{
		"pinned": "pinned", "silent": "sent without a sound", "noforwards": "saving and forwarding forbidden", "from_scheduled": "was scheduled",
		"edit_hide": "edited in a way that the platform does not call an edit", "invert_media": "media below the text", "via_bot": "made through a bot",
		"ttl": "removes itself", "buttons": "has buttons", "paid": "costs Stars to send", "paid_media": "its media is sold", "locked": "media not bought: only its outline was shown",
		"spoiler": "media covered until touched", "factcheck": "carries a fact check", "comments": "comments are open", "rich_message": "laid out in blocks",
		"video_processing": "its video is still being processed", "paid_suggestion": "was suggested to the channel for a price",
		"not_a_channel_post": "not marked as the channel's own", "legacy": "of an old kind that the platform no longer shows in full", "live": "live",
		"closed": "closed", "quiz": "quiz", "multiple_choice": "several answers allowed", "public_voters": "votes are public", "open_answers": "takes further answers",
		"subscribers_only": "for subscribers only",
	}
}

// says puts marks into words, in their order.
func says(marks []string) string {
	if len(marks) == 0 {
		return ""
	}
	known := markSays()
	var out []string
	for _, m := range marks {
		if s := known[m]; s != "" {
			m = s
		}
		out = append(out, m)
	}
	return strings.Join(out, " · ")
}

// told collects what a post says beside its text, its forward and its signature.
func (b *builder) told(ctx context.Context, p *evidence.PostSeen) []line {
	var out []line
	add := func(label, text string) {
		if text != "" {
			out = append(out, line{label, text})
		}
	}
	if f := p.Forward; f != nil {
		if f.Signature != nil {
			add("Signed there by", b.who(ctx, *f.Signature))
		}
		if f.SavedFrom != nil {
			add("Forwarded by way of", strings.TrimSuffix(b.who(ctx, *f.SavedFrom)+", message "+f.SavedPost, ", message "))
		}
		if f.Imported {
			add("Imported", "by the platform from another application")
		}
	}
	b.answered(ctx, p.Reply, add)
	if p.Via != nil {
		add("Made through", b.who(ctx, *p.Via))
	}
	if p.Stars != 0 {
		add("Price", counted(p.Stars, "Star", "Stars"))
	}
	if p.TTL != 0 {
		add("Removes itself after", counted(p.TTL, "second", "seconds"))
	}
	if !p.ExpiresAt.IsZero() {
		add("Expires", clock(p.ExpiresAt))
	}
	add("Effect played with it", p.Effect)
	if f := p.FactCheck; f != nil {
		add(strings.TrimSpace("Fact check shown with it "+f.Country), f.Text)
	}
	add("Marked", says(p.Marks))
	if len(p.Unknown) > 0 {
		add("Not described by this build", strings.Join(p.Unknown, ", ")+": see the raw reply")
	}
	return out
}

func (b *builder) answered(ctx context.Context, r *evidence.Reply, add func(label, text string)) {
	if r == nil {
		return
	}
	if r.To != nil {
		what := "message " + r.Post
		if r.Story != "" {
			what = "story " + r.Story
		}
		add("In reply to", what+" of "+b.who(ctx, *r.To))
	} else if r.Story != "" {
		add("In reply to", "story "+r.Story)
	}
	if r.From != nil {
		add("Written by", b.who(ctx, *r.From))
	}
	add("What is answered carried", r.Carried)
	add("Quoting", r.Quote)
}

// carries describes the post's media.
func (b *builder) carries(ctx context.Context, p *evidence.PostSeen) []carried {
	var out []carried
	for _, m := range p.Media {
		c := carried{Media: m}
		for _, f := range m.Facts {
			c.Lines = append(c.Lines, line{f.Name, f.Value})
		}
		if m.Person != nil {
			c.Lines = append(c.Lines, line{"whose", b.who(ctx, *m.Person)})
		}
		if m.Origin != nil {
			c.Lines = append(c.Lines, line{"belongs to", b.who(ctx, *m.Origin)})
		}
		if m.Duration != "" {
			c.Lines = append(c.Lines, line{"lasts", m.Duration + " seconds"})
		}
		if s := says(m.Marks); s != "" {
			c.Lines = append(c.Lines, line{"marked", s})
		}
		if m.Locked {
			c.Lines = append(c.Lines, line{"shown", "its outline only: it is sold and was not bought"})
		}
		out = append(out, c)
	}
	return out
}

// typeSays is a medium's type in plain words.
func typeSays(typ string) string {
	switch typ {
	case "webpage":
		return "the preview of a link"
	case "geo":
		return "a place"
	case "geo_live":
		return "a place that moves"
	case "to_do":
		return "a list of things to do"
	case "contact":
		return "somebody’s contact; name and number are in the raw reply only"
	case "unsupported":
		return "something that the platform does not show to this program"
	case "giveaway_results":
		return "the result of a giveaway"
	}
	return strings.ReplaceAll(typ, "_", " ")
}

// detailSays names the Detail of media whose facts do not repeat it; empty for the others.
func detailSays(typ string) string {
	switch typ {
	case "webpage":
		return "address"
	case "geo", "geo_live", "venue":
		return "at"
	}
	return ""
}

// numbers lists the numbers of an album's posts for people.
func numbers(list []int) string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, fmt.Sprintf("No. %d", n))
	}
	return strings.Join(out, ", ")
}
