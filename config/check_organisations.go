package config

import (
	"fmt"

	"golang.org/x/text/language"
)

func checkOrganisations(d *decoder, orgs []Organisation) {
	ids := unique{}
	for i, o := range orgs {
		path := fmt.Sprintf("organisations[%d]", i)
		d.slug(join(path, "id"), o.ID)
		ids.check(d, join(path, "id"), o.ID, fmt.Sprintf("the id %q", o.ID))
		checkAliases(d, join(path, "aliases"), o.Aliases)
		if len(o.Designations) == 0 {
			d.errAt(join(path, "designations"), "an organisation without a designation cannot be watched: name the authority, reference, date and source")
		}
		checkDesignations(d, join(path, "designations"), o.Designations)
	}
}

func checkDesignations(d *decoder, path string, list []Designation) {
	seen := unique{}
	for i, g := range list {
		p := fmt.Sprintf("%s[%d]", path, i)
		if g.Date != "" && !validDate(g.Date) {
			d.errAt(join(p, "date"), "must be a date as precise as known (2011-07-29, 2011-01 or 2011), is %q; doubts go into the note", clip(g.Date))
		}
		if g.Authority != "" && g.Reference != "" {
			seen.check(d, join(p, "authority"), g.Authority+"\n"+g.Reference, fmt.Sprintf("the designation by %s under %s", clip(g.Authority), clip(g.Reference)))
		}
		checkAliases(d, join(p, "aliases"), g.Aliases)
	}
}

func checkAliases(d *decoder, path string, list []Alias) {
	for i, a := range list {
		if a.Lang == "" {
			continue
		}
		if _, err := language.Parse(a.Lang); err != nil {
			d.errAt(fmt.Sprintf("%s[%d].lang", path, i), "must be a language tag such as ur, ps, bal, ar or ur-Latn, is %q", clip(a.Lang))
		}
	}
}
