package review

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Log is what the desk needs of the vault.
type Log interface {
	Reader
	// Put makes a batch durable, or none of it; evidence.ErrConflict where a key of If has another version by now.
	Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error)
	// Keep makes a blob of at most limit bytes durable.
	Keep(ctx context.Context, r io.Reader, limit int64) (evidence.Digest, int64, error)
}

// Reader is the reading half of Log.
type Reader interface {
	ID() string
	Size() int64
	Record(ctx context.Context, seq int64) (evidence.Record, error)
	// About calls fn for the records whose subject is exactly o, ascending.
	About(ctx context.Context, o evidence.Ordinal, fn func(evidence.Record) error) error
	// PostsBefore calls fn for an account's posts before the given one, descending; fn ends it with fs.SkipAll.
	PostsBefore(ctx context.Context, post evidence.Ordinal, fn func(evidence.Ordinal) error) error
	Name(ctx context.Context, o evidence.Ordinal) (evidence.Name, error)
	Blob(ctx context.Context, d evidence.Digest) (io.ReadSeekCloser, int64, error)
	Get(ctx context.Context, view, key string) (value []byte, version int64, err error)
	Each(ctx context.Context, view, prefix string, fn func(key string, value []byte, version int64) error) error
}

// Desk is where a person's acts come in. Its methods are safe for concurrent use as far as Log is.
type Desk struct {
	Log Log
	Now func() time.Time // nil: time.Now
	Via string           // how people reach the desk, for access records: socket, direct
	// Newest returns the time of the newest record; nil: not compared with the clock.
	Newest func() time.Time
	// Reason is why a person asks to see what is hidden; it is recorded with the look.
	Reason string
	// Blind hides what the first person decided until the second has answered, and takes from the second an outcome of their own.
	Blind bool
}

// Roster lists the people, removed ones too, by id.
func (d *Desk) Roster(ctx context.Context) ([]Person, error) {
	var all []Person
	err := d.Log.Each(ctx, ViewRoster, "", func(_ string, value []byte, _ int64) error {
		var p Person
		err := json.Unmarshal(value, &p)
		all = append(all, p)
		return err
	})
	return all, wrap("read roster", err)
}

// Person returns a person who is on the roster now and holds one of the roles, or any where none is named.
func (d *Desk) Person(ctx context.Context, id string, roles ...string) (Person, error) {
	p, err := d.person(ctx, id)
	if err == nil && len(roles) > 0 {
		err = needRole(p, "do this", roles...)
	}
	return p, err
}

func (d *Desk) person(ctx context.Context, id string) (Person, error) {
	var p Person
	if _, err := d.get(ctx, ViewRoster, id, &p); err != nil {
		return p, err
	}
	if p.ID == "" {
		return p, refuse(NotOnRoster, "%q is not on the roster; add the person to the configuration first", clip(id))
	}
	if p.Removed {
		return p, refuse(NotOnRoster, "%s is no longer on the roster", p.ID)
	}
	return p, nil
}

func needRole(p Person, act string, roles ...string) error {
	if p.Has(roles...) {
		return nil
	}
	return refuse(Role, "%s may not %s: that takes the role %s", p.ID, act, strings.Join(roles, " or "))
}

// Cases lists the cases by number, those with one of the states only, or all where none is given.
func (d *Desk) Cases(ctx context.Context, states ...string) ([]Case, error) {
	var all []Case
	err := d.Log.Each(ctx, ViewCases, string(rune(evidence.SpaceCase)), func(_ string, value []byte, version int64) error {
		var c Case
		if err := json.Unmarshal(value, &c); err != nil {
			return err
		}
		c.Version = version
		if len(states) == 0 || slices.Contains(states, c.Status) {
			all = append(all, c)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Case) int { return compareOrdinals(a.Ordinal, b.Ordinal) })
	return all, wrap("read cases", err)
}

// Case returns one case with its version.
func (d *Desk) Case(ctx context.Context, o evidence.Ordinal) (Case, error) {
	var c Case
	if o.Space() != evidence.SpaceCase {
		return c, refuse(WrongCase, "%q is not a case; a case is written like c9", clip(string(o)))
	}
	version, err := d.get(ctx, ViewCases, string(o), &c)
	if err != nil {
		return c, err
	}
	if version == 0 {
		return c, refuse(WrongCase, "there is no case %s; the queue lists them", clip(string(o)))
	}
	c.Version = version
	return c, nil
}

// get reads a view's key into v, which stays as it is where the key is absent.
func (d *Desk) get(ctx context.Context, view, key string, v any) (int64, error) {
	value, version, err := d.Log.Get(ctx, view, key)
	if err != nil {
		return 0, fmt.Errorf("read %s of view %s: %w", clip(key), view, err)
	}
	if value == nil {
		return version, nil
	}
	if err := json.Unmarshal(value, v); err != nil {
		return 0, fmt.Errorf("read %s of view %s: %w", clip(key), view, err)
	}
	return version, nil
}

// act writes one act of a person. A race that was lost becomes the given sentence.
func (d *Desk) act(ctx context.Context, p Person, subject evidence.Name, b evidence.Body, lost string, expect ...evidence.Expect) (evidence.Record, error) {
	recs, err := d.Log.Put(ctx, evidence.Batch{
		Drafts: []evidence.Draft{{ID: evidence.NewID(d.now()), Actor: evidence.Person(p.ID), Subject: subject, Body: b}},
		If:     expect,
	})
	if errors.Is(err, evidence.ErrConflict) {
		return evidence.Record{}, refuse(Conflict, "%s", lost)
	}
	if err != nil {
		return evidence.Record{}, fmt.Errorf("record %s: %w", b.Kind(), err)
	}
	return recs[0], nil
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func compareOrdinals(a, b evidence.Ordinal) int {
	ka, _ := a.AppendKey(nil)
	kb, _ := b.AppendKey(nil)
	return strings.Compare(string(ka), string(kb))
}
