package config

import (
	"net/url"
	"path/filepath"
	"strings"
)

// watchlists gathers the targets of all files.
type watchlists struct {
	*loader
	checkOrgs, checkPeople bool // whether the other side of the reference was readable
	ids                    map[string]Position
	addresses              map[string]*Target
	badRoles               map[string]bool // people whose roles were refused
	targets                [][]Target      // by file
}

func (w *watchlists) read(file string, p parsed) {
	var f watchlistFile
	d, _ := w.loader.decode(file, p, &f)
	if d == nil {
		return
	}
	sum := w.cfg.Files[len(w.cfg.Files)-1].SHA256
	for i := range f.Targets {
		t := &f.Targets[i]
		t.File, t.FileSHA256 = filepath.Base(file), sum
		w.check(d, item("targets", i), t)
	}
	w.take(d)
	w.targets = append(w.targets, f.Targets)
}

func (w *watchlists) check(d *decoder, path string, t *Target) {
	w.identity(d, path, t)
	if t.Organisation != "" && w.checkOrgs {
		if _, ok := w.cfg.Organisation(t.Organisation); !ok {
			d.errAt(join(path, "organisation"), "there is no organisation %q in the organisations file%s", clip(t.Organisation), guess(t.Organisation, w.orgIDs()))
		}
	}
	if t.ListedBy != "" && w.checkPeople {
		p, ok := w.cfg.Person(t.ListedBy)
		switch {
		case !ok:
			d.errAt(join(path, "listed_by"), "there is no person %q under people%s", clip(t.ListedBy), guess(t.ListedBy, w.personIDs()))
		case !p.CanDecide() && !w.badRoles[p.ID]:
			d.errAt(join(path, "listed_by"), "%s may not list targets: that takes the role analyst, reviewer or senior", t.ListedBy)
		}
	}
	checkCitation(d, join(path, "affiliation.citation"), &t.Affiliation.Citation)
	d.words(join(path, "collect.media"), t.Collect.Media, MediaKinds())
	if t.Address.IsZero() || Collectable(t.Address.Platform) {
		return
	}
	t.Collect = Collect{}
	if d.given(join(path, "collect")) {
		d.errAt(join(path, "collect"), "%s is listed only: there is no collector for %s here, so there is nothing to set; remove `collect`. It is reviewed and reported from captures", t.Address, PlatformName(t.Address.Platform))
	}
}

// identity checks a target's address and id, and that neither is there twice.
func (w *watchlists) identity(d *decoder, path string, t *Target) {
	if t.ID == "" && !t.Address.IsZero() && !d.given(join(path, "id")) {
		t.ID = t.Address.ID()
	}
	d.slug(join(path, "id"), t.ID)
	here := d.places.position(path)
	if !t.Address.IsZero() {
		switch first := w.addresses[t.Address.Canonical]; {
		case first != nil:
			d.errAt(join(path, "address"), "%s is already a target at %s (id %s)", t.Address.Canonical, first.Pos, first.ID)
			return // its derived id would be a second error for the same mistake
		default:
			w.addresses[t.Address.Canonical] = t
		}
	}
	if t.ID == "" {
		return
	}
	if first, ok := w.ids[t.ID]; ok {
		d.errAt(join(path, "id"), "the id %q is already at %s", t.ID, first)
		return
	}
	w.ids[t.ID] = here
}

func checkCitation(d *decoder, path string, c *Citation) {
	if !d.given(path) {
		return
	}
	if c.URL == "" && c.File == "" && !d.given(join(path, "url")) && !d.given(join(path, "file")) {
		d.errAt(path, "names no source: give url, file or both")
	}
	if c.URL != "" && !webURL(c.URL) {
		d.errAt(join(path, "url"), "must be an http or https link, is %q", clip(c.URL))
	}
	if c.Date != "" && !validDate(c.Date) {
		d.errAt(join(path, "date"), "must be a date as precise as known (2026-01-31, 2026-01 or 2026), is %q", clip(c.Date))
	}
	if c.File == "" {
		return
	}
	c.File = d.abs(c.File)
	sum, err := d.hash(c.File)
	if err != nil {
		d.errAt(join(path, "file"), "%v", err)
	}
	c.SHA256 = sum
}

func webURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && !strings.ContainsAny(s, " \t\n")
}

func (l *loader) orgIDs() []string {
	var ids []string
	for _, o := range l.cfg.Organisations {
		ids = append(ids, o.ID)
	}
	return ids
}

func (l *loader) personIDs() []string {
	var ids []string
	for _, p := range l.cfg.People {
		ids = append(ids, p.ID)
	}
	return ids
}
