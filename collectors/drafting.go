package collectors

import (
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Drafting collects the drafts of one acquisition id in ascending order, as a source does for what one request brought.
type Drafting struct {
	Drafts []evidence.Draft
	actor  evidence.Name
	id     evidence.ID
}

// NewDrafting begins with a fresh id.
func NewDrafting(actor evidence.Name, now time.Time) *Drafting {
	return &Drafting{actor: actor, id: evidence.NewID(now)}
}

// Add appends a draft and returns its id.
func (d *Drafting) Add(subject evidence.Name, body evidence.Body, accompany bool) evidence.ID {
	id := d.id
	d.id.N++
	d.Drafts = append(d.Drafts, evidence.Draft{ID: id, Actor: d.actor, Subject: subject, Body: body, Accompany: accompany})
	return id
}
