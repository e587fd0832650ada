package diary

import (
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// known is what was last seen of an account's names.
type known struct {
	Title string   `json:"title"`
	Names []string `json:"names,omitempty"`
}

// accountSeen notices a new name, and a restriction that came or went. Names compare within a method and restrictions within a vantage,
// as the vault itself compares them.
func (d days) accountSeen() error {
	b, err := evidence.Decode[*evidence.AccountSeen](d.r)
	if err != nil {
		return nil //nolint:nilerr // a view skips what is erased or unknown
	}
	if err := d.seenAgain(d.r.Subject); err != nil {
		return err
	}
	if err := d.renamed(b); err != nil {
		return err
	}
	key := "limits/" + string(d.r.Subject) + "/" + b.Vantage + " " + b.Method
	was, now := "", restricted(b.Restriction)
	if _, err := d.load(key, &was); err != nil || was == now {
		return err
	}
	switch {
	case was == "":
		err = d.happened(HappenedDown, strings.TrimPrefix(now, ", ")+from(b.Vantage))
	case now == "":
		err = d.happened(HappenedBack, "no longer"+strings.TrimPrefix(was, ",")+from(b.Vantage))
	}
	if err != nil {
		return err
	}
	return d.put(key, now)
}

func (d days) renamed(b *evidence.AccountSeen) error {
	key := "names/" + string(d.r.Subject) + "/" + b.Method
	var was known
	had, err := d.load(key, &was)
	if err != nil {
		return err
	}
	now := known{b.Title, slices.Sorted(slices.Values(b.Usernames))}
	if had && was.Title == now.Title && slices.Equal(was.Names, now.Names) {
		return nil
	}
	if had {
		var what []string
		if was.Title != now.Title {
			what = append(what, "title "+quote(was.Title)+" became "+quote(now.Title))
		}
		if !slices.Equal(was.Names, now.Names) {
			what = append(what, "names "+listNames(was.Names)+" became "+listNames(now.Names))
		}
		if err := d.happened(HappenedRenamed, strings.Join(what, "; ")); err != nil {
			return err
		}
	}
	return d.put(key, now)
}

func listNames(n []string) string { return Visible(orElse(strings.Join(n, ", "), "none")) }

// unreachable is the cause of a gap in which the platform knew no such channel, or did not let anyone in: most often it is down.
const unreachable = "unreachable"

// gap notes since when a target is not observed. One across which the history was read again is over.
func (d days) gap() error {
	b, err := evidence.Decode[*evidence.Gap](d.r)
	if err != nil {
		return nil //nolint:nilerr // a view skips what is erased or unknown
	}
	detail := minute(b.From) + " to " + minute(b.To) + ", " + Visible(b.Cause)
	if b.Detail != "" {
		detail += ": " + quote(b.Detail)
	}
	if b.Recovered {
		if err := d.seen(d.r.Subject); err != nil {
			return err
		}
		return d.happened(HappenedGap, detail)
	}
	if err := d.happened(HappenedUnseen, detail); err != nil || d.r.Subject.Space() != evidence.SpaceTarget {
		return err
	}
	h := d.happening(HappenedUnseen, detail)
	var old Happening
	had, err := d.load("unseen/"+string(d.r.Subject), &old)
	if err != nil {
		return err
	}
	if had {
		h.At, h.Seq = old.At, old.Seq // unseen since then
	}
	switch {
	case had && old.What == HappenedDown:
		h.What = HappenedDown
	case b.Cause == unreachable:
		h.What = HappenedDown
		if d.told() {
			break
		}
		if err := d.happened(HappenedDown, "its address no longer leads to it"+because(b.Detail)); err != nil {
			return err
		}
	}
	if account, _ := d.kv.Get("account/" + string(d.r.Subject)); account != nil {
		if err := d.kv.Put("watched/"+string(account), []byte(d.r.Subject)); err != nil {
			return err
		}
	}
	return d.put("unseen/"+string(d.r.Subject), h)
}

// bound remembers which account a target is; that it was found is an observation.
func (d days) bound() error {
	b, err := evidence.Decode[*evidence.TargetBound](d.r)
	if err != nil {
		return nil //nolint:nilerr // a view skips what is erased or unknown
	}
	if err := d.seen(d.r.Subject); err != nil {
		return err
	}
	return d.kv.Put("account/"+string(d.r.Subject), []byte(b.Account.Ordinal))
}

// seenAgain ends the blindness of the target whose account was observed.
func (d days) seenAgain(account evidence.Ordinal) error {
	target, _ := d.kv.Get("watched/" + string(account.Whole()))
	if target == nil {
		return nil
	}
	if err := d.kv.Delete("watched/" + string(account.Whole())); err != nil {
		return err
	}
	return d.seen(evidence.Ordinal(target))
}

func (d days) seen(target evidence.Ordinal) error {
	var h Happening
	if had, err := d.load("unseen/"+string(target), &h); !had {
		return err
	}
	if h.What == HappenedDown {
		d.r.Subject = target
		if err := d.happened(HappenedBack, "it is observed again"); err != nil {
			return err
		}
	}
	return d.kv.Delete("unseen/" + string(target))
}
