package demo

import (
	"context"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// tally is what the vault holds of a channel.
type tally struct {
	expectation
	Missed int // files
	Gaps   int
	posts  map[evidence.Ordinal]bool
	texts  map[string]int // versions by text
}

// ledger counts what the log holds, from record 0, and follows it.
type ledger struct {
	v        *vault.Vault
	next     int64
	accounts map[evidence.Ordinal]string // to the platform's channel id
	targets  map[evidence.Ordinal]string // to the configured id
	channels map[string]*tally
	gaps     map[string]int // of targets
	kinds    map[evidence.Kind]int
}

func newLedger(v *vault.Vault) *ledger {
	return &ledger{
		v: v, accounts: map[evidence.Ordinal]string{}, targets: map[evidence.Ordinal]string{}, channels: map[string]*tally{},
		gaps: map[string]int{}, kinds: map[evidence.Kind]int{},
	}
}

func (l *ledger) channel(id string) *tally {
	if l.channels[id] == nil {
		l.channels[id] = &tally{posts: map[evidence.Ordinal]bool{}, texts: map[string]int{}}
	}
	return l.channels[id]
}

// read brings the ledger up to the log's end.
func (l *ledger) read(ctx context.Context) error {
	return l.v.Records(ctx, l.next, func(r evidence.Record) error {
		l.next = r.Seq + 1
		l.kinds[r.Kind]++
		b, err := evidence.DecodeBody(r)
		if err != nil {
			return err
		}
		switch b := b.(type) {
		case *evidence.AccountBound:
			if !b.Private {
				l.accounts[r.Subject] = b.ID
			}
			return nil
		case *evidence.TargetSet:
			l.targets[r.Subject] = b.Key
			return nil
		}
		if r.Subject.Space() == evidence.SpaceTarget && r.Kind == evidence.KindGap {
			l.gaps[l.targets[r.Subject]]++
		}
		if r.Subject.Space() == evidence.SpaceAccount {
			l.channel(l.accounts[r.Subject.Whole()]).add(r, b)
		}
		return nil
	})
}

func (t *tally) add(r evidence.Record, b evidence.Body) {
	switch b := b.(type) {
	case *evidence.PostSeen:
		if !t.posts[r.Subject] {
			t.posts[r.Subject] = true
			t.Posts++
		}
		t.Versions++
		t.texts[b.Text]++
	case *evidence.PostGone:
		if b.How == evidence.GoneDeletionNotice {
			t.Noticed++
		} else {
			t.Missing++
		}
	case *evidence.MediaKept:
		t.Files++
	case *evidence.MediaMissed:
		t.Missed++
	case *evidence.Gap:
		t.Gaps++
	}
}

// has reports whether the channel holds at least what is expected.
func (t *tally) has(e expectation) bool {
	return t.Posts >= e.Posts && t.Versions >= e.Versions && t.Noticed >= e.Noticed && t.Missing >= e.Missing && t.Files >= e.Files
}

// await reads the log as it grows until ok is true.
func (l *ledger) await(ctx context.Context, ok func() bool) error {
	for {
		if err := l.read(ctx); err != nil {
			return err
		}
		if ok() {
			return nil
		}
		if err := l.v.Wait(ctx, l.next); err != nil {
			return err
		}
	}
}
