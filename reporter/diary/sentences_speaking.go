package diary

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// speaking is about notices.
func speaking() map[evidence.Kind]teller {
	return map[evidence.Kind]teller{
		evidence.KindNoticeDrafted: tells("drafted %s", func(f fact, b *evidence.NoticeDrafted) string {
			var cases []string
			for _, c := range b.Cases {
				cases = append(cases, string(c.Case))
			}
			return fmt.Sprintf("drafted %s (%s) to %s by %s (%s) with %s %s: %d bytes, %s", f.what, Visible(orElse(b.NoticeKind, "platform-rules")), Visible(b.Platform), Visible(b.Route),
				Visible(orElse(strings.Join(b.To, ", "), "no addressee")), plural(len(cases), "case"), strings.Join(cases, ", "), b.Message.Size, short(b.Message.SHA256))
		}),
		evidence.KindNoticeApproved: tells("released %s as a senior person", func(f fact, b *evidence.NoticeApproved) string {
			st := statement(b.Signed)
			word := "refused to release"
			if st.Agree {
				word = "released"
			}
			s := fmt.Sprintf("%s %s as a senior person, with key %s", word, f.what, Visible(st.Fingerprint))
			if st.Confirms != nil {
				s += fmt.Sprintf(", as record %d drafted it", st.Confirms.Seq)
			}
			return s + because(st.Comment)
		}),
		evidence.KindNoticeAttempted: tells("began to send %s", func(f fact, b *evidence.NoticeAttempted) string {
			return fmt.Sprintf("began to send %s by %s", f.what, Visible(b.Route))
		}),
		evidence.KindNoticeSent: tells("sent %s", func(f fact, b *evidence.NoticeSent) string {
			if b.ResolvedBy != "" {
				return fmt.Sprintf("settled that %s was sent", f.what) + because(b.ResolvedBy)
			}
			return fmt.Sprintf("sent %s; receipt %s", f.what, quote(b.Receipt))
		}),
		evidence.KindNoticeUncertain: tells("does not know whether %s arrived", func(f fact, b *evidence.NoticeUncertain) string {
			return fmt.Sprintf("does not know whether %s arrived; a person must find out", f.what) + because(b.Reason)
		}),
		evidence.KindNoticeFailed: tells("could not send %s", func(f fact, b *evidence.NoticeFailed) string {
			if b.ResolvedBy != "" {
				return fmt.Sprintf("settled that %s was not sent", f.what) + because(b.ResolvedBy)
			}
			return fmt.Sprintf("could not send %s", f.what) + because(b.Reason)
		}),
		evidence.KindNoticeAnswered: tells("noted an answer to %s", func(f fact, b *evidence.NoticeAnswered) string {
			s := fmt.Sprintf("noted an answer to %s: %s", f.what, Visible(strings.ReplaceAll(b.Outcome, "_", " ")))
			if b.Ticket != "" {
				s += ", ticket " + quote(b.Ticket)
			}
			return s + unsaid(b.Ground+b.Text)
		}),
		evidence.KindNoticeDisputed: tells("noted a dispute of %s from the account's side", func(f fact, b *evidence.NoticeDisputed) string {
			return fmt.Sprintf("noted that the account's side disputes %s", f.what) + unsaid(b.Text)
		}),
		evidence.KindNoticeCorrected: tells("released a correction of %s", func(f fact, b *evidence.NoticeCorrected) string {
			word, whole := "correction", "the whole notice"
			if b.Withdrawal {
				word = "withdrawal"
			}
			if b.Account != "" {
				whole = "account " + string(b.Account)
			}
			return fmt.Sprintf("released notice %s as the %s of %s, about %s", b.Correction, word, f.what, whole) + because(b.Reason)
		}),
		evidence.KindNoticeWithdrawn: tells("withdrew %s", func(f fact, b *evidence.NoticeWithdrawn) string {
			return fmt.Sprintf("withdrew %s", f.what) + because(b.Reason)
		}),
	}
}

// handling is about what is kept, taken out and looked at.
func handling() map[evidence.Kind]teller {
	return map[evidence.Kind]teller{
		evidence.KindHoldPlaced: tells("placed a hold on %s", func(f fact, b *evidence.HoldPlaced) string {
			s := fmt.Sprintf("placed hold %d on %s: nothing of it is erased", f.Seq, f.what)
			if q := b.Query; q != nil {
				s += ", of what was recorded" + within(*q)
			}
			if !b.Until.IsZero() {
				s += ", until " + minute(b.Until)
			}
			if b.Basis != "" {
				s += ", on the basis of " + quote(b.Basis)
			}
			return s + because(b.Reason)
		}),
		evidence.KindHoldReleased: tells("released a hold on %s", func(f fact, b *evidence.HoldReleased) string {
			return fmt.Sprintf("released hold %d on %s", b.Hold, f.what) + because(b.Reason)
		}),
		evidence.KindTargetErasure: tells("signed that what was collected of the %s is erased", func(f fact, b *evidence.TargetErasure) string {
			st := statement(b.Signed)
			return fmt.Sprintf("signed, as one of two people, that what was collected of the %s is erased, with key %s", f.what, Visible(st.Fingerprint)) + because(st.Comment)
		}),
		evidence.KindRetentionRun: tells("ran retention", func(_ fact, b *evidence.RetentionRun) string {
			s := fmt.Sprintf("ran retention: %s erased, the raw bytes of %s cut; %d due and held", many(b.Erased, "record"), many(b.Replies, "acquisition"), b.Held)
			if b.Soon > 0 {
				s += fmt.Sprintf("; %d will be due from %s on", b.Soon, minute(b.SoonFrom))
			}
			if b.Lingering > 0 {
				s += fmt.Sprintf("; %d linger in free pages until a compaction, due by %s", b.Lingering, minute(b.Deadline))
			}
			return s
		}),
		evidence.KindErased: tells("erased something of %s; the commitment remains", func(f fact, b *evidence.Erased) string {
			n := 0
			for _, r := range b.Records {
				n += int(r.Last - r.First + 1)
			}
			return fmt.Sprintf("erased %s and %s of %s under the rule %s; the commitments remain", many(n, "record"), many(b.Files, "file"), f.what, quote(b.Rule)) + because(b.Reason)
		}),
		evidence.KindQuarantined: tells("put %s out of sight", func(f fact, b *evidence.Quarantined) string {
			return fmt.Sprintf("put %s in quarantine: nothing of it is shown or handed out", f.what) + because(b.Reason)
		}),
		evidence.KindQuarantineOrdered: tells("signed what is to become of %s, which is out of sight", func(f fact, b *evidence.QuarantineOrdered) string {
			st := statement(b.Signed)
			if st.Orders == nil {
				return fmt.Sprintf("signed what is to become of %s, which is out of sight", f.what)
			}
			s := fmt.Sprintf("signed, as one of two people, the %s of %s, which is in quarantine, with key %s", Visible(st.Orders.What), f.what, Visible(st.Fingerprint))
			if st.Orders.Recipient != "" {
				s += ", to " + Visible(st.Orders.Recipient)
			}
			return s + because(st.Comment)
		}),
		evidence.KindQuarantineCarried: tells("carried out what two people ordered about %s", func(f fact, b *evidence.QuarantineCarried) string {
			s := fmt.Sprintf("carried out the %s of %s that two people ordered", Visible(b.What), f.what)
			if b.Recipient != "" {
				s += ", sealed to " + Visible(b.Recipient)
			}
			return s
		}),
		evidence.KindBundleBuilt: tells("built an evidence bundle about %s", func(f fact, b *evidence.BundleBuilt) string {
			s := fmt.Sprintf("built the %s evidence bundle %s about %s with %s, signed by %s, tag manifest %s", Visible(b.Edition), quote(b.Name), f.what,
				many(b.Records, "record"), Visible(b.Signer), short(b.TagManifest))
			if b.Recipient != "" {
				s += ", sealed for " + Visible(b.Recipient)
			}
			return s + because(b.Purpose)
		}),
		evidence.KindBundleFetched: {bare: "fetched an evidence bundle about %s"},
		evidence.KindRefused: tells("was refused an act", func(f fact, b *evidence.Refused) string {
			s := fmt.Sprintf("was refused %s", Visible(b.What))
			if f.Actor.Space() != evidence.SpacePerson {
				s = fmt.Sprintf("refused %s to %s", Visible(b.What), f.what)
			}
			if b.About != "" {
				s += " on " + quote(b.About)
			}
			return s + fmt.Sprintf(" (%s), asked for as %s", Visible(b.Code), Visible(b.Person))
		}),
		evidence.KindAccess: tells("looked at %s", func(f fact, b *evidence.Access) string {
			s := fmt.Sprintf("looked at %s (%s", f.what, Visible(b.What))
			if b.Via != "" {
				s += ", " + Visible(b.Via)
			}
			return s + ")" + because(b.Note)
		}),
	}
}

// within says between which moments.
func within(s evidence.Span) string {
	out := ""
	if !s.From.IsZero() {
		out += " from " + minute(s.From)
	}
	if !s.To.IsZero() {
		out += " to " + minute(s.To)
	}
	if out == "" {
		return " at any time"
	}
	return out
}

// unsaid stands for words that may name a private person or quote a post.
func unsaid(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf(" (%s of text, not shown)", many(utf8.RuneCountInString(text), "character"))
}

func plural(n int, thing string) string {
	if n == 1 {
		return thing
	}
	return thing + "s"
}
