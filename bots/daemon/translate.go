package daemon

import (
	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
)

func personSet(p config.Person) *evidence.PersonSet {
	return &evidence.PersonSet{
		Key: p.ID, Name: p.Name, Email: p.Email, Roles: p.Roles,
		SSHKey: p.SSHKey.Line, Fingerprint: p.SSHKey.Fingerprint,
	}
}

func targetSet(c *config.Config, t config.Target) *evidence.TargetSet {
	org, _ := c.Organisation(t.Organisation)
	cite := t.Affiliation.Citation
	return &evidence.TargetSet{
		Key: t.ID, Platform: t.Address.Platform, Address: t.Address.Canonical,
		Organisation: organisation(org),
		Affiliation: evidence.Affiliation{
			Basis:    t.Affiliation.Basis,
			Citation: evidence.Citation{Title: cite.Title, URL: cite.URL, Date: cite.Date, SHA256: cite.SHA256},
		},
		LegalBasis: c.LegalBasis,
		Collect:    collect(t),
		Report:     t.Report, ListedBy: t.ListedBy, File: t.File, FileSHA256: t.FileSHA256,
	}
}

// mode leaves the default away, so that a target that says nothing of it stands in the log as it did before there were modes.
func mode(t config.Target) string {
	if t.Collect.Mode == config.ModeRotation {
		return ""
	}
	return t.Collect.Mode
}

// collect is what is kept of a target. One that is listed only has no `collect` at all, and thumbnails are no choice of its list.
func collect(t config.Target) evidence.Collect {
	c := t.Collect
	return evidence.Collect{
		Backfill: c.Backfill, Media: c.Media, MaxBytes: int64(c.MaxBytes), Mode: mode(t),
		MaxBytesOf: c.MaxBytesOf.Map(), AllowMIME: c.MIME.Allow, DenyMIME: c.MIME.Deny, NoThumbnails: len(c.Media) > 0 && !c.Thumbnails,
	}
}

func organisation(o config.Organisation) evidence.Organisation {
	out := evidence.Organisation{ID: o.ID, Name: o.Name, Aliases: aliases(o.Aliases)}
	for _, d := range o.Designations {
		out.Designations = append(out.Designations, evidence.Designation{
			Authority: d.Authority, Reference: d.Reference, Date: d.Date, Source: d.Source, Note: d.Note, Aliases: aliases(d.Aliases),
		})
	}
	return out
}

func aliases(in []config.Alias) []evidence.Text {
	var out []evidence.Text
	for _, a := range in {
		out = append(out, evidence.Text{Value: a.Value, Lang: a.Lang})
	}
	return out
}

// collectTarget is a target as its source sees it.
func collectTarget(t *evidence.TargetSet) collectors.Target {
	return collectors.Target{
		ID: t.Key, Platform: t.Platform, Address: t.Address,
		Backfill: t.Collect.Backfill, Media: t.Collect.Media, MaxBytes: t.Collect.MaxBytes,
		Mode: t.Collect.Mode,
		Policy: collectors.MediaPolicy{
			MaxBytesOf: t.Collect.MaxBytesOf, AllowMIME: t.Collect.AllowMIME, DenyMIME: t.Collect.DenyMIME, NoThumbnails: t.Collect.NoThumbnails,
		},
	}
}
