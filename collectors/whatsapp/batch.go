package whatsapp

import "github.com/muhafiz/muhafiz/collectors/evidence"

// batch collects the drafts of one acquisition id in ascending order.
type batch struct {
	actor  evidence.Name
	id     evidence.ID
	drafts []evidence.Draft
}

func (r *run) batch() *batch {
	return &batch{actor: r.name, id: evidence.NewID(r.o.Now())}
}

// add appends a draft and returns its id.
func (b *batch) add(subject evidence.Name, body evidence.Body, accompany bool) evidence.ID {
	id := b.id
	b.id.N++
	b.drafts = append(b.drafts, evidence.Draft{ID: id, Actor: b.actor, Subject: subject, Body: body, Accompany: accompany})
	return id
}
