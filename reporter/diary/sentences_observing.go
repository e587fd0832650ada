package diary

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// observing is about what was seen on the platforms. Nothing of what posts say is repeated.
func observing() map[evidence.Kind]teller {
	return map[evidence.Kind]teller{
		evidence.KindAccountBound: tells("gave %s its number", func(f fact, b *evidence.AccountBound) string {
			if b.Private {
				return fmt.Sprintf("gave a private person the pseudonym %s", f.Subject)
			}
			return fmt.Sprintf("gave the %s %s %s the number %s", Visible(b.Platform), Visible(b.Type), Visible(b.ID), f.Subject)
		}),
		evidence.KindAccountSeen: tells("took a snapshot of %s", func(f fact, b *evidence.AccountSeen) string {
			s := fmt.Sprintf("saw %s under the title %s", f.what, quote(b.Title))
			if len(b.Usernames) > 0 {
				s += ", named " + Visible(strings.Join(b.Usernames, ", "))
			}
			return s + restricted(b.Restriction) + from(b.Vantage)
		}),
		evidence.KindAcquisition: tells("asked for something about %s", func(f fact, b *evidence.Acquisition) string {
			s := fmt.Sprintf("asked %s about %s", Visible(b.Method), f.what)
			if b.File != "" {
				s = fmt.Sprintf("read the file %s about %s", quote(b.File), f.what)
			}
			if !b.Reply.IsZero() {
				s += fmt.Sprintf(" and kept %d bytes (%s)", b.Reply.Size, short(b.Reply.SHA256))
				if b.Reencoded {
					s += " in our own encoding, since the platform's library hands over what it decoded and not the bytes as they came"
				}
			}
			if u := b.Undecoded; u != nil {
				s += fmt.Sprintf("; the reply of %d bytes (%s) could not be read: %s", u.Size, short(u.SHA256), Visible(u.Why))
				if b.Reply.IsZero() && u.Size > 0 {
					s += "; its bytes were not kept, as they are over what is kept of such replies"
				}
			}
			if len(b.Skipped) > 0 {
				s += fmt.Sprintf("; %s not read", many(len(b.Skipped), "part"))
			}
			return s + from(b.Vantage)
		}),
		evidence.KindPostSeen: tells("saw a version of %s", func(f fact, b *evidence.PostSeen) string {
			s := fmt.Sprintf("saw a version of %s: %s (text %s), %s", f.what, many(utf8.RuneCountInString(b.Text), "character"),
				short(evidence.Sum([]byte(b.Text))), carried(b))
			if b.Service != nil {
				s = fmt.Sprintf("saw a service message (%s), %s", Visible(strings.ReplaceAll(b.Service.Action, "_", " ")), f.what)
			}
			if len(b.Unknown) > 0 {
				s += ", with parts that this build does not describe"
			}
			if !b.EditedAt.IsZero() {
				s += ", edited " + minute(b.EditedAt)
			}
			return s + restricted(b.Restriction) + from(b.Vantage)
		}),
		evidence.KindPostCounts: tells("counted the audience of posts of %s", func(f fact, b *evidence.PostCounts) string {
			return fmt.Sprintf("noted the views, forwards and reactions of %s of %s", many(len(b.Posts), "post"), f.what)
		}),
		evidence.KindPostGone: tells("found %s gone", func(f fact, b *evidence.PostGone) string { return gone(f, b) }),
		evidence.KindMediaKept: tells("kept a file of %s", func(f fact, b *evidence.MediaKept) string {
			thing := "a file"
			if b.Thumbnail {
				thing = "a preview picture"
			}
			s := fmt.Sprintf("kept %s of %s: %d bytes, %s, %s", thing, f.what, b.Blob.Size, Visible(orElse(b.MIME, "of unknown type")), short(b.Blob.SHA256))
			if b.StandsFor != "" {
				s += "; it is " + Visible(b.Says())
			}
			return s
		}),
		evidence.KindMediaMissed: tells("did not keep a file of %s", func(f fact, b *evidence.MediaMissed) string {
			return fmt.Sprintf("did not keep a file of %s: %s", f.what, Visible(b.Says()))
		}),
		evidence.KindGap: tells("could not observe %s for a while", func(f fact, b *evidence.Gap) string {
			s := fmt.Sprintf("could not observe %s from %s to %s: %s", f.what, minute(b.From), minute(b.To), Visible(b.Cause))
			if b.Detail != "" {
				s += ", " + quote(b.Detail)
			}
			if b.Recovered {
				s += "; the history was read again, so only what came and went within is lost"
			}
			return s
		}),
		evidence.KindCollector: tells("reported on %s", func(f fact, b *evidence.Collector) string {
			if b.State == "polls" {
				s := fmt.Sprintf("looked %d times and found nothing new", b.Polls)
				if b.Span != nil {
					s += fmt.Sprintf(", %s to %s", minute(b.Span.From), minute(b.Span.To))
				}
				return s
			}
			s := "is " + Visible(b.State)
			if !b.Until.IsZero() {
				s += " until " + minute(b.Until)
			}
			if !b.FrozenUntil.IsZero() {
				s += " since " + minute(b.FrozenSince) + ", to be deleted by the platform on " + minute(b.FrozenUntil)
			}
			s += because(b.Detail)
			if b.Advice != "" {
				s += "; what to do: " + Visible(b.Advice)
			}
			return s
		}),
		evidence.KindStatus: tells("checked whether %s is up", func(f fact, b *evidence.Status) string { return stands(f, b) }),
	}
}

// carried counts what a post carries, and names what is not a plain file. What it says is not repeated.
func carried(b *evidence.PostSeen) string {
	var kinds []string
	files := 0
	for _, m := range b.Media {
		switch {
		case m.Locked:
			kinds = append(kinds, "a "+Visible(m.Type)+" that is sold and was not bought")
		case m.Size > 0 || m.MIME != "" || strings.HasPrefix(m.ID, "photo ") || strings.HasPrefix(m.ID, "document "):
			files++
		default:
			kinds = append(kinds, plainKind(m.Type))
		}
	}
	s := many(files, "file")
	if len(kinds) > 0 {
		s += " and " + strings.Join(kinds, ", ")
	}
	if b.Group != "" {
		s += ", one of an album"
	}
	return s
}

// plainKind is a kind that is no file in plain words.
func plainKind(typ string) string {
	switch typ {
	case "webpage":
		return "the preview of a link"
	case "geo":
		return "a place"
	case "geo_live":
		return "a place that moves"
	case "giveaway_results":
		return "the result of a giveaway"
	case "to_do":
		return "a list of things to do"
	case "unsupported":
		return "something that the platform does not show to us"
	}
	return "a " + Visible(strings.ReplaceAll(typ, "_", " "))
}

func gone(f fact, b *evidence.PostGone) string {
	how := map[string]string{
		evidence.GoneDeletionNotice: "the platform announced that it was deleted",
		evidence.GoneMissing:        "it was asked for and not there",
		evidence.GoneErased:         "the platform says that it took it away",
	}
	return fmt.Sprintf("found %s gone: %s", f.what, orElse(how[b.How], Visible(b.How))) + from(b.Vantage)
}

func restricted(rs []evidence.Restriction) string {
	var out []string
	for _, r := range rs {
		out = append(out, Visible(r.Where)+" "+Visible(r.Reason))
	}
	if out == nil {
		return ""
	}
	return ", restricted by the platform (" + strings.Join(out, "; ") + ")"
}

func from(vantage string) string {
	if vantage == "" {
		return ""
	}
	return ", from " + Visible(vantage)
}
