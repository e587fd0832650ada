package diary

import (
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// sentences is the table of all kinds. A test holds it against the kinds that package evidence names.
func sentences() map[evidence.Kind]teller {
	all := map[evidence.Kind]teller{}
	for _, part := range []map[evidence.Kind]teller{keeping(), watching(), observing(), judging(), speaking(), handling()} {
		maps.Copy(all, part)
	}
	return all
}

// keeping is about the vault itself.
func keeping() map[evidence.Kind]teller {
	return map[evidence.Kind]teller{
		evidence.KindVaultCreated: tells("created %s", func(_ fact, b *evidence.VaultCreated) string {
			return fmt.Sprintf("created the vault %s, whose checkpoints are signed with the log key %s", Visible(b.VaultID), Visible(b.LogKey))
		}),
		evidence.KindRunStarted: tells("opened %s", func(_ fact, b *evidence.RunStarted) string {
			s := fmt.Sprintf("was opened by `muhafiz %s` on the machine %s; its clock: %s", Visible(b.Command), Visible(b.Host), Visible(b.Clock))
			if b.Interrupted {
				s += "; the run before this one had not stopped in order"
			}
			if r := b.Restored; r != nil {
				s += fmt.Sprintf("; it was made of the backup %s of %s with %d records, and what was recorded after that is lost", Visible(r.Backup), r.At.UTC().Format("2006-01-02 15:04Z"), r.Records)
			}
			return s
		}),
		evidence.KindRunStopped: tells("closed %s", func(_ fact, b *evidence.RunStopped) string {
			return fmt.Sprintf("was closed in order by `muhafiz %s`", Visible(b.Command)) + because(b.Reason)
		}),
		evidence.KindVaultCompacted: tells("compacted %s", func(_ fact, b *evidence.VaultCompacted) string {
			return fmt.Sprintf("was written anew, %d bytes instead of %d, without what had been erased; %s destroyed", b.After, b.Before, many(len(b.Keys), "data key"))
		}),
		evidence.KindDamageFound: tells("found damage in %s", func(_ fact, b *evidence.DamageFound) string { return damaged(b) }),
		evidence.KindDamageEnded: tells("found a damage mended in %s", func(_ fact, b *evidence.DamageEnded) string { return mended(b) }),
		evidence.KindKeyRotated:  {bare: "changed a key of %s"},
		evidence.KindCheckpoint: tells("signed a checkpoint of %s", func(_ fact, b *evidence.Checkpoint) string {
			return fmt.Sprintf("signed a checkpoint: the first %d records have the root %s", b.Size, b.Root)
		}),
		evidence.KindPersonSet: tells("put a person, %s, on the roster or changed their entry", func(f fact, b *evidence.PersonSet) string {
			if b.Removed {
				return fmt.Sprintf("took %s (%s) off the roster", f.what, quote(b.Name))
			}
			return fmt.Sprintf("put %s (%s) on the roster as %s, with the key %s", f.what, quote(b.Name), Visible(strings.Join(b.Roles, ", ")), Visible(b.Fingerprint))
		}),
		evidence.KindReporterReleased: tells("let the reporter send again after a restore", func(_ fact, b *evidence.ReporterReleased) string {
			return fmt.Sprintf("let the reporter send again after the restore that is record %d", b.Restored) + because(b.Reason)
		}),
		evidence.KindReporterRun: tells("ran the reporter's schedule", func(_ fact, b *evidence.ReporterRun) string {
			return fmt.Sprintf("ran the reporter's schedule: %d drafted, %d sent, %d failed, %d uncertain, %d withdrawn; %s wait",
				b.Drafted, b.Sent, b.Failed, b.Uncertain, b.Withdrawn, many(b.Waiting, "approved case"))
		}),
		evidence.KindAlert: tells("told people what keeps us from seeing", func(_ fact, b *evidence.Alert) string { return alerted(b) }),
	}
}

// watching is about the watchlist.
func watching() map[evidence.Kind]teller {
	return map[evidence.Kind]teller{
		evidence.KindTargetSet: tells("listed the %s or changed its entry", func(f fact, b *evidence.TargetSet) string {
			report := "not to be reported"
			if b.Report {
				report = "to be reported"
			}
			return fmt.Sprintf("listed the %s (%s) for %s as belonging to %s (%s), %s; basis %s; source %s", f.what, Visible(b.Address), Visible(b.ListedBy),
				quote(b.Organisation.Name), many(len(b.Organisation.Designations), "designation"), report, quote(b.Affiliation.Basis), quote(b.Affiliation.Citation.Title))
		}),
		evidence.KindTargetListed: tells("signed that they had put targets on the list", func(_ fact, b *evidence.TargetListed) string {
			st := statement(b.Signed)
			if st.Lists == nil {
				return "signed a listing in a statement that cannot be read"
			}
			return fmt.Sprintf("signed that they had put %s on the list, with key %s; list %s", many(int(st.Lists.Targets), "target"), Visible(st.Fingerprint), b.List.SHA256) + because(st.Comment)
		}),
		evidence.KindTargetApproved: tells("approved the %s", func(f fact, b *evidence.TargetApproved) string {
			st := statement(b.Signed)
			if st.Confirms == nil {
				return fmt.Sprintf("approved the %s in a statement that cannot be read", f.what)
			}
			s := fmt.Sprintf("approved the %s as record %d set it, with key %s", f.what, st.Confirms.Seq, Visible(st.Fingerprint))
			if !st.Until.IsZero() {
				s += ", until " + minute(st.Until)
			}
			if b.Listing != nil {
				s += fmt.Sprintf(", after the listing that was signed in record %d", b.Listing.Listed.Seq)
			}
			return s + because(st.Comment)
		}),
		evidence.KindTargetSuspended: tells("suspended the %s", func(f fact, b *evidence.TargetSuspended) string {
			return fmt.Sprintf("suspended the %s: collection and unsent notices stop", f.what) + because(b.Reason)
		}),
		evidence.KindTargetRemoved: tells("removed the %s from the watchlist", func(f fact, b *evidence.TargetRemoved) string {
			return fmt.Sprintf("removed the %s from the watchlist", f.what) + because(b.Reason)
		}),
		evidence.KindTargetMarked: tells("marked the %s as listed by mistake", func(f fact, b *evidence.TargetMarked) string {
			return fmt.Sprintf("marked the %s (%s) as %s: %s; it stays off the list until two others sign why it belongs there", f.what, Visible(b.Address),
				Visible(b.Mark), Visible(strings.ReplaceAll(b.Category, "_", " "))) + because(b.Reason)
		}),
		evidence.KindTargetRelisted: tells("signed that the marked %s belongs on the list after all", func(f fact, b *evidence.TargetRelisted) string {
			st := statement(b.Signed)
			s := fmt.Sprintf("signed that the marked %s belongs on the list after all, with key %s", f.what, Visible(st.Fingerprint))
			if st.Lifts != nil {
				s += fmt.Sprintf(", against the mark that is record %d", st.Lifts.Seq)
			}
			return s + because(st.Comment)
		}),
		evidence.KindTargetBound: tells("found which account the %s is", func(f fact, b *evidence.TargetBound) string {
			return fmt.Sprintf("found that the address %s of the %s stands for account %s", Visible(b.Address), f.what, b.Account.Ordinal)
		}),
		evidence.KindTargetConfirmed: tells("signed that the %s is another account now", func(f fact, b *evidence.TargetConfirmed) string {
			st := statement(b.Signed)
			return fmt.Sprintf("signed that the %s is now account %s (%s), with key %s; nothing is collected of it until a second person approves",
				f.what, b.Account.Ordinal, Visible(st.Identity), Visible(st.Fingerprint)) + because(st.Comment)
		}),
	}
}

// judging is about cases.
func judging() map[evidence.Kind]teller {
	return map[evidence.Kind]teller{
		evidence.KindFinding: tells("noted a finding of a rule or model about %s", func(f fact, b *evidence.Finding) string { return found(f, b) }),
		evidence.KindLink:    {bare: "noted that another account may be a mirror or successor of %s"},
		evidence.KindCaseOpened: tells("opened %s", func(f fact, b *evidence.CaseOpened) string {
			return fmt.Sprintf("opened %s on account %s, collected under the target %s", f.what, b.Account.Ordinal, Visible(b.Target)) + follows(b.Follows)
		}),
		evidence.KindDecision: tells("decided %s", func(f fact, b *evidence.Decision) string { return decided(f, statement(b.Signed)) }),
		evidence.KindApproval: tells("gave a second person's word on %s", func(f fact, b *evidence.Approval) string {
			st := statement(b.Signed)
			s := fmt.Sprintf("%s the decision on %s", f.word, f.what)
			if st.Blind {
				s = fmt.Sprintf("%s, by %s as their own outcome and without having seen it, the decision on %s", f.word,
					Visible(strings.ReplaceAll(orElse(st.Outcome, "nothing"), "_", " ")), f.what)
			}
			if st.Adjudicates != nil {
				s = fmt.Sprintf("%s, as the third person between two, the decision on %s", f.word, f.what)
			}
			if st.Confirms != nil {
				s += fmt.Sprintf(" that is record %d", st.Confirms.Seq)
			}
			return s + fmt.Sprintf(", after %s, with key %s", many(len(st.Exhibits), "exhibit"), Visible(st.Fingerprint)) + because(st.Comment)
		}),
	}
}

// decided tells a decision without a word of its quotes.
func decided(f fact, st evidence.Statement) string {
	s := fmt.Sprintf("decided %s: %s, on %s, with key %s", f.what, Visible(strings.ReplaceAll(orElse(st.Outcome, "outcome cannot be read"), "_", " ")),
		many(len(st.Exhibits), "exhibit"), Visible(st.Fingerprint))
	if g := st.Grounds; g != nil {
		characters, severity, rules := 0, "", []string{}
		for _, p := range g.Passages {
			characters += utf8.RuneCountInString(p.Quote)
			if rank(p.Severity) > rank(severity) {
				severity = p.Severity
			}
			if !strings.Contains(strings.Join(rules, "\x00"), p.Rule) {
				rules = append(rules, p.Rule)
			}
		}
		s += fmt.Sprintf("; %s quoted (%s, not shown), rule %s, severity %s", many(len(g.Passages), "passage"), many(characters, "character"),
			quote(strings.Join(rules, "; ")), Visible(orElse(severity, "not given")))
	}
	return s
}

func follows(o evidence.Ordinal) string {
	if o == "" {
		return ""
	}
	return ", following case " + string(o)
}

// rank orders severities; an unknown one is below all.
func rank(severity string) int {
	for i, s := range []string{"low", "medium", "high", "threat-to-life"} {
		if s == severity {
			return i + 1
		}
	}
	return 0
}

// alerted says who was told of what, and who could not be.
func alerted(b *evidence.Alert) string {
	verb := map[string]string{
		evidence.AlertRaised: "raised an alert", evidence.AlertRepeated: "repeated an alert", evidence.AlertWidened: "told more people of an alert",
		evidence.AlertEnded: "told that an alert is over",
	}
	var ways []string
	for _, t := range b.Told {
		switch {
		case t.Error != "":
			ways = append(ways, "not by "+Visible(t.Way)+because(t.Error))
		case t.To > 0:
			ways = append(ways, "by "+Visible(t.Way)+" to "+many(t.To, "address"))
		default:
			ways = append(ways, "by "+Visible(t.Way))
		}
	}
	return orElse(verb[b.Event], "sent an alert") + ": " + Visible(b.What) + "; since " + minute(b.Since) + "; " + orElse(strings.Join(ways, ", "), "told nobody")
}
