package notice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The statuses of a notifier.
const (
	Ordinary       = "ordinary"
	TrustedFlagger = "trusted_flagger" // DSA Art. 22: awarded to entities by a national coordinator
	Authority      = "authority"       // of a country
)

// Notifier is who sends.
type Notifier struct {
	Status  string `json:"status"`            // empty: ordinary
	Country string `json:"country,omitempty"` // of an authority, ISO 3166 in capitals: PK, GB, DE …
}

// String says the status for people: `ordinary`, `trusted flagger`, `authority (PK)`.
func (n Notifier) String() string {
	switch n.Status {
	case "", Ordinary:
		return Ordinary
	case Authority:
		return fmt.Sprintf("authority (%s)", n.Country)
	}
	return strings.ReplaceAll(n.Status, "_", " ")
}

// MaySend reports whether a notifier may send a kind of notice at all, or the sentence why not.
func MaySend(kind string, n Notifier) (bool, string) {
	k, ok := LawOf(kind)
	if !ok {
		return false, fmt.Sprintf("%q is no kind of notice; it is one of %s", kind, strings.Join(Kinds(), ", "))
	}
	if n.Status == "" {
		n.Status = Ordinary
	}
	switch {
	case !slices.Contains([]string{Ordinary, TrustedFlagger, Authority}, n.Status):
		return false, fmt.Sprintf("%q is no status of a notifier; it is %s, %s or %s", n.Status, Ordinary, TrustedFlagger, Authority)
	case !slices.Contains(k.Senders, n.Status) || n.Status == Authority && !k.from(n.Country):
		return false, fmt.Sprintf("a notifier who is %s may not send a %s: %s", n, k.Code, k.NotSender)
	}
	return true, ""
}

// from reports whether an authority of the country may send.
func (k Kind) from(country string) bool {
	if len(k.Countries) == 0 || slices.Contains(k.Countries, country) {
		return true
	}
	return slices.Contains(k.Countries, "EU-member") && slices.ContainsFunc(law().Jurisdictions, func(j Jurisdiction) bool {
		return j.Member && j.Code == country
	})
}

// Admissible reports whether a notice of the kind may rest on the grounds when the notifier sends it. The sentence says why
// not, or what an admissible one still needs; it is empty where nothing is to be said.
func Admissible(kind string, grounds []Ground, n Notifier) (ok bool, sentence string) {
	if ok, sentence := MaySend(kind, n); !ok {
		return false, sentence
	}
	k, _ := LawOf(kind)
	if len(k.carrying(grounds)) == 0 && !k.Redress {
		return false, k.refuse(grounds)
	}
	return true, k.Senior(grounds)
}

func (k Kind) refuse(grounds []Ground) string {
	if len(grounds) == 0 {
		return fmt.Sprintf("a %s needs a ground, and the case offers none", k.Code)
	}
	var says []string
	for _, g := range grounds {
		says = append(says, g.Says())
	}
	return fmt.Sprintf("a %s cannot rest on %s: %s", k.Code, strings.Join(says, " and "), k.NoGround)
}

// carrying returns the law's entries by which the grounds carry the kind.
func (k Kind) carrying(grounds []Ground) []Basis {
	var out []Basis
	for _, b := range k.RestsOn {
		if slices.ContainsFunc(grounds, func(g Ground) bool { return g.fits(b.Ground) }) {
			out = append(out, b)
		}
	}
	return out
}

// Senior says why a senior approves such a notice before it leaves, or nothing: the organisation stands on the list of one state
// alone, or the law behind the notice is not confirmed.
func (k Kind) Senior(grounds []Ground) string {
	if k.Redress {
		return ""
	}
	if state := SingleState(grounds); state != "" {
		name := Ground(designation + "/" + state).Says()
		return fmt.Sprintf("a senior approves it first: the organisation stands on %s alone", name)
	}
	if len(k.Counsel(grounds, nil)) > 0 {
		return "a senior approves it first: something about it is to be verified with counsel"
	}
	return ""
}

// Counsel lists what to verify with counsel before such a notice leaves: what the law as data marks unverified, and the cited
// listings whose note says so. The sentences are for the people who approve, and no part of the message.
func (k Kind) Counsel(grounds []Ground, cited []evidence.Designation) []string {
	var out []string
	add := func(s string) {
		if s = "verify with counsel: " + s; !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, s := range k.Unverified {
		add(s)
	}
	bases := k.carrying(grounds)
	if !slices.ContainsFunc(bases, func(b Basis) bool { return b.Unverified == "" }) {
		for _, b := range bases {
			add(b.Unverified)
		}
	}
	for _, d := range cited {
		note := strings.ToLower(d.Note)
		if slices.ContainsFunc(law().UnverifiedWords, func(w string) bool { return strings.Contains(note, w) }) {
			add(fmt.Sprintf("%s, %s: %s", d.Authority, d.Reference, d.Note))
		}
	}
	return out
}

// Cited returns the listings that a notice of the kind may name: law that does not carry it is left out.
func (k Kind) Cited(all []evidence.Designation) []evidence.Designation {
	out := []evidence.Designation{}
	for _, d := range all {
		g := Ground(designation + "/" + JurisdictionOf(d.Authority))
		patterns := k.Cites
		if patterns == nil {
			for _, b := range k.RestsOn {
				patterns = append(patterns, b.Ground)
			}
		}
		if slices.ContainsFunc(patterns, g.fits) {
			out = append(out, d)
		}
	}
	return out
}
