package diary

import (
	"fmt"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// stands says in which state an account was found.
func stands(f fact, b *evidence.Status) string {
	s := fmt.Sprintf("found %s %s", f.what, standing(b)) + restricted(b.Restriction)
	if b.Was != "" {
		s += "; before: " + Visible(b.Was)
	}
	if b.Said != "" {
		s += "; the platform said " + quote(b.Said)
	}
	if b.Detail != "" {
		s += "; " + Visible(b.Detail)
	}
	return s + from(b.Vantage)
}

// standing is a state in plain words, which never say more than is known.
func standing(b *evidence.Status) string {
	switch b.State {
	case evidence.StatusUp:
		return "up"
	case evidence.StatusRemoved:
		return "removed, by whom the platform does not say"
	case evidence.StatusRestricted:
		return "restricted by the platform"
	case evidence.StatusRenamed:
		if len(b.Names) > 0 {
			return "under other names: " + Visible(strings.Join(b.Names, ", "))
		}
		return "under other names"
	}
	switch b.Because {
	case evidence.StatusPrivate:
		return "closed to us (made private, or removed: the platform answers the same to both)"
	case evidence.StatusNotPublic:
		return "without a public name"
	case evidence.StatusEmptied:
		return "without a single post that is shown to us"
	}
	return "in a state that is not known"
}

// found says what a rule or model found.
func found(f fact, b *evidence.Finding) string {
	if b.Rule == evidence.RuleIdentity && b.Now != nil {
		s := fmt.Sprintf("found that the address %s of %s leads to another account, %s", Visible(b.Address), f.what, b.Now.Ordinal)
		if b.Was != nil {
			s += fmt.Sprintf(", and no longer to %s", b.Was.Ordinal)
		}
		return s + "; nothing is collected of it until a person confirms that it is the same target and a second one approves it anew" + from(b.Vantage)
	}
	s := fmt.Sprintf("noted a finding of the rule %s about %s", quote(b.Rule), f.what)
	if b.Detail != "" {
		s += ": " + Visible(b.Detail)
	}
	return s + from(b.Vantage)
}
