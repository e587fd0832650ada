package main

import (
	"fmt"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// printTold prints what a version says beside its text. Persons are pseudonyms, and files stay closed.
func (s *session) printTold(p *evidence.PostSeen) {
	say := func(label, text string) {
		if text != "" {
			fmt.Fprintf(s.out, "  · %s: %s\n", safe(label), safe(strings.ReplaceAll(text, "\n", " ")))
		}
	}
	if v := p.Service; v != nil {
		say("event in the channel", strings.ReplaceAll(v.Action, "_", " ")+colon(v.Detail))
		sayFacts(say, v.Facts)
	}
	for _, m := range p.Media {
		what := strings.ReplaceAll(m.Type, "_", " ")
		switch {
		case m.Locked:
			what += ", sold and not bought: only its outline was shown"
		case m.Type == "contact":
			what += ", whose name and number are in the raw reply only"
		}
		say("carries", what+colon(m.Detail)+colon(m.Name)+words(m.Marks))
		if m.Type != "poll" || len(m.Facts) > 0 {
			sayFacts(say, m.Facts)
		}
		say("  whose", ordinal(m.Person))
		say("  belongs to", ordinal(m.Origin))
	}
	sayOrigin(say, p)
	if p.Stars != 0 {
		say("price in Stars", fmt.Sprint(p.Stars))
	}
	if p.TTL != 0 {
		say("removes itself after", fmt.Sprintf("%d seconds", p.TTL))
	}
	if !p.ExpiresAt.IsZero() {
		say("expires", p.ExpiresAt.Format("2006-01-02 15:04:05Z"))
	}
	if f := p.FactCheck; f != nil {
		say(strings.TrimSpace("fact check shown with it "+f.Country), f.Text)
	}
	for _, r := range p.Restriction {
		say("restricted for "+r.Where, r.Reason+colon(r.Text))
	}
	say("marked", strings.ReplaceAll(strings.Join(p.Marks, ", "), "_", " "))
	say("not described by this build", strings.Join(p.Unknown, ", "))
}

func sayFacts(say func(label, text string), facts []evidence.Fact) {
	for _, f := range facts {
		say("  "+f.Name, f.Value)
	}
}

// sayOrigin says where the post comes from and what it answers.
func sayOrigin(say func(label, text string), p *evidence.PostSeen) {
	if f := p.Forward; f != nil {
		from := ordinal(f.From)
		if from == "" {
			from = "an origin that is not told"
		}
		say("forwarded from", from+message(f.Post))
		say("  signed there by", ordinal(f.Signature))
		if f.SavedFrom != nil {
			say("  by way of", ordinal(f.SavedFrom)+message(f.SavedPost))
		}
	}
	say("signed by", ordinal(p.Author))
	say("made through", ordinal(p.Via))
	if p.ReplyTo != "" {
		say("in reply to", "message "+p.ReplyTo)
	}
	r := p.Reply
	if r == nil {
		return
	}
	switch {
	case r.Story != "":
		say("in reply to", strings.TrimSpace("story "+r.Story+" "+ordinal(r.To)))
	case r.To != nil:
		say("in reply to", ordinal(r.To)+message(r.Post))
	}
	say("  written by", ordinal(r.From))
	say("  which carried", r.Carried)
	say("  quoting", r.Quote)
}

func ordinal(r *evidence.Ref) string {
	if r == nil {
		return ""
	}
	return string(r.Ordinal)
}

func message(number string) string {
	if number == "" {
		return ""
	}
	return ", message " + number
}

func colon(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

func words(marks []string) string {
	if len(marks) == 0 {
		return ""
	}
	return " (" + strings.ReplaceAll(strings.Join(marks, ", "), "_", " ") + ")"
}
