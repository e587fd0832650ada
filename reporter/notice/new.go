package notice

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// New puts gathered cases of one platform into a notice of a kind. The reference is the notice's own key, the vault the one
// whose cases these are. A kind that the law does not know is platform-rules.
func New(vault, reference, platform, kind string, now time.Time, head Letterhead, items []Item) Notice {
	k, ok := LawOf(kind)
	if !ok {
		k, _ = LawOf(KindPlatformRules)
	}
	if head.Action == "" {
		head.Action = k.Action
	}
	if head.GoodFaith == "" {
		head.GoodFaith = defaultGoodFaith
	}
	n := Notice{
		Format: "muhafiz-notice/1", Kind: k.Code, Basis: k.Basis, Language: "en", Reference: reference, Vault: vault,
		Date: evidence.At(now), Platform: platform, Sender: head, WhoWhat: whoWhat, Items: slices.Clone(items),
	}
	for i := range n.Items {
		n.Items[i].Action = head.Action
		n.Severity = higher(n.Severity, n.Items[i].Severity)
	}
	n.Urgent = n.Severity == ThreatToLife
	slices.SortStableFunc(n.Items, func(a, b Item) int { return severities[b.Severity] - severities[a.Severity] })
	return n
}

// Missing names what the kind of notice requires and this one does not hold; nothing where it is whole.
func (n Notice) Missing() []string {
	k, _ := LawOf(n.Kind)
	var out []string
	for _, field := range k.Required {
		if what := n.lacks(field); what != "" {
			out = append(out, what)
		}
	}
	return out
}

// lacks says what is missing of a required field of law.json.
func (n Notice) lacks(field string) string {
	switch field {
	case "notifier":
		return unless(n.Sender.Organisation != "", "the notifier's name")
	case "contact":
		return unless(n.Sender.Contact != "", "the notifier's mail address")
	case "good_faith":
		return unless(n.Sender.GoodFaith != "", "the good-faith statement")
	}
	for _, it := range n.Items {
		if field == "account_ids" && it.Account.ID == "" {
			return fmt.Sprintf("the platform's permanent id of the account of case %s", it.Case)
		}
		for _, p := range it.Passages {
			if what := p.lacks(field); what != "" {
				return fmt.Sprintf("%s of exhibit %d of case %s", what, p.Exhibit, it.Case)
			}
		}
	}
	return ""
}

func (p Passage) lacks(field string) string {
	switch field {
	case "rules":
		return unless(p.Rule != "" || p.Offence != "", "the rule or offence")
	case "urls":
		return unless(p.Link != "", "the exact address")
	case "offences":
		return unless(len(GroundsOf(nil, []Passage{{Offence: p.Offence}})) > 0, "the heading of Annex I")
	}
	return ""
}

func unless(there bool, what string) string {
	if there {
		return ""
	}
	return what
}

// NamesOf returns one of the names that stands in what our side wrote about the item, quotes apart: a notice names no person of
// the team. Names are compared as whole words, without regard to case.
func (it Item) NamesOf(names []string) string {
	ours := []string{it.Affiliation, it.Organisation}
	for _, p := range it.Passages {
		ours = append(ours, p.Rule, p.Gloss)
	}
	for _, name := range names {
		want := words(name)
		for _, text := range ours {
			if strings.TrimSpace(want) != "" && strings.Contains(words(text), want) {
				return name
			}
		}
	}
	return ""
}

// words returns a text's words in lower case with single spaces around them.
func words(s string) string {
	f := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) })
	return " " + strings.Join(f, " ") + " "
}
