package telegram

import "github.com/muhafiz/muhafiz/collectors"

type batch = collectors.Drafting

func (r *run) batch() *batch { return collectors.NewDrafting(r.name, r.o.Now()) }
