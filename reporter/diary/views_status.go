package diary

import (
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// status tells that an account is no longer seen. That it is restricted or renamed is told by its snapshot, which comes with it, and that
// it is back by the first thing that is observed of it.
func (d days) status() error {
	b, err := evidence.Decode[*evidence.Status](d.r)
	if err != nil {
		return nil //nolint:nilerr // a view skips what is erased or unknown
	}
	key := "down/" + string(d.r.Subject) + "/" + b.Vantage
	was := ""
	had, err := d.load(key, &was)
	if err != nil {
		return err
	}
	if b.State != evidence.StatusRemoved && b.State != evidence.StatusUnknown {
		if was == evidence.StatusEmptied { // of the others, what was observed again tells
			if err := d.happened(HappenedBack, "its posts are shown again"+from(b.Vantage)); err != nil {
				return err
			}
		}
		if had {
			return d.kv.Delete(key)
		}
		return nil
	}
	what := standing(b)
	if b.Said != "" {
		what += "; the platform said " + quote(b.Said)
	}
	if err := d.happened(HappenedDown, what+from(b.Vantage)); err != nil {
		return err
	}
	return d.put(key, orElse(b.Because, b.State))
}

// told reports whether a status told already why the target of a gap cannot be reached.
func (d days) told() bool {
	account, _ := d.kv.Get("account/" + string(d.r.Subject))
	found := false
	for _, o := range []string{string(d.r.Subject), string(account)} {
		if o != "" {
			d.kv.Each("down/"+o+"/", func(string, []byte, int64) bool { found = true; return false })
		}
	}
	return found
}
