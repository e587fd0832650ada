package review

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Listed is a signed listing as the targets view keeps it under `listed/PERSON SEQ`. Whether a target is in it stands in the list.
type Listed struct {
	evidence.RecordRef
	Person      string          `json:"person"`
	Fingerprint string          `json:"fingerprint"` // of the key that signed
	At          evidence.Time   `json:"at"`
	Lists       evidence.Lists  `json:"lists"`
	List        evidence.Object `json:"list"`
}

func listedPrefix(person string) string { return "listed/" + person + " " }

func applyTargetListed(r evidence.Record, kv evidence.KV) error {
	b, ok := body[*evidence.TargetListed](r)
	if !ok {
		return nil
	}
	st, ok := statement(b.Signed)
	if !ok || st.Lists == nil {
		return nil
	}
	return put(kv, fmt.Sprintf("%s%016x", listedPrefix(st.Person), r.Seq), Listed{
		RecordRef: refOf(r), Person: st.Person, Fingerprint: st.Fingerprint, At: r.At, Lists: *st.Lists, List: b.List,
	})
}

// PrepareListing returns the statement with which a person signs that they put the targets of a list on the watchlist. They need
// not be in the log yet; the statement counts for a target until it is removed or set otherwise.
func (d *Desk) PrepareListing(ctx context.Context, person string, targets int64, root evidence.Digest, comment string) (string, error) {
	p, err := d.person(ctx, person)
	if err != nil {
		return "", err
	}
	_, fingerprint, err := p.key()
	if err == nil {
		err = d.checkClock()
	}
	if err != nil {
		return "", err
	}
	st := evidence.Statement{
		Type: evidence.StatementListing, Vault: d.Log.ID(), Person: p.ID, Fingerprint: fingerprint, Time: evidence.At(d.now()),
		Comment: comment, Agree: true, Lists: &evidence.Lists{Targets: targets, Root: root, Log: d.Log.Size()},
	}
	if err := d.checkListing(p, st); err != nil {
		return "", err
	}
	return EncodeStatement(st)
}

// SignListing records a signed listing with the list that it is of.
func (d *Desk) SignListing(ctx context.Context, person string, s evidence.Signed, list string) (Listed, error) {
	p, st, err := d.verify(ctx, person, evidence.StatementListing, s)
	if err == nil {
		err = d.checkListing(p, st)
	}
	if err != nil {
		return Listed{}, err
	}
	l, err := ParseList(list)
	if err != nil {
		return Listed{}, err
	}
	root, err := l.Root()
	if err != nil {
		return Listed{}, err
	}
	if int64(l.Len()) != st.Lists.Targets || root != st.Lists.Root {
		return Listed{}, refuse(BadStatement, "the list is not the one that was signed; sign it again")
	}
	if err := d.checkNewListing(ctx, p, st); err != nil {
		return Listed{}, err
	}
	sum, size, err := d.Log.Keep(ctx, strings.NewReader(list), maxList)
	if err != nil {
		return Listed{}, wrap("keep the list", err)
	}
	body := &evidence.TargetListed{Signed: s, List: evidence.Object{SHA256: sum, Size: size}}
	rec, err := d.act(ctx, p, evidence.Person(p.ID), body, "")
	return Listed{RecordRef: refOf(rec), Person: p.ID, Fingerprint: st.Fingerprint, At: rec.At, Lists: *st.Lists, List: body.List}, err
}

func (d *Desk) checkListing(p Person, st evidence.Statement) error {
	if err := needRole(p, "list targets", RoleAnalyst, RoleReviewer, RoleSenior); err != nil {
		return err
	}
	l := st.Lists
	switch {
	case l == nil || !st.Agree:
		return refuse(BadStatement, "the statement lists nothing; prepare it again")
	case st.Blind || st.Case != "" || st.CaseVersion != 0 || st.Outcome != "" || st.Grounds != nil || len(st.Exhibits) > 0 || st.Confirms != nil ||
		st.Adjudicates != nil || st.Lifts != nil || !st.Until.IsZero():
		return refuse(BadStatement, "the statement holds fields of another type; prepare it again")
	case l.Targets < 1 || l.Targets > MaxListed:
		return refuse(BadStatement, "the statement lists %d targets; one signature is for 1 to %d: sign them in parts", l.Targets, MaxListed)
	case l.Log < 0 || l.Log > d.Log.Size():
		return refuse(BadStatement, "the statement speaks of record %d, which has not come yet; prepare it again", l.Log-1)
	}
	return nil
}

// checkNewListing refuses a statement that is in the log already.
func (d *Desk) checkNewListing(ctx context.Context, p Person, st evidence.Statement) error {
	all, err := d.listings(ctx, p.ID)
	for _, l := range all {
		if l.Lists == *st.Lists {
			return refuse(BadStatement, "this listing is already recorded, as record %d; a signature is not handed in twice", l.Seq)
		}
	}
	return err
}

// listings returns what a person signed, the oldest first.
func (d *Desk) listings(ctx context.Context, person string) ([]Listed, error) {
	var all []Listed
	err := d.Log.Each(ctx, ViewTargets, listedPrefix(person), func(_ string, value []byte, _ int64) error {
		var l Listed
		err := json.Unmarshal(value, &l)
		all = append(all, l)
		return err
	})
	return all, wrap("read listings", err)
}

// list reads a recorded list, and says what is wrong with it where it is not there as it was signed. Nothing in such a list counts:
// its bytes may have been put there by anybody.
func (d *Desk) list(ctx context.Context, o evidence.Object) (l List, wrong string, err error) {
	r, _, err := d.Log.Blob(ctx, o.SHA256)
	if ctx.Err() != nil {
		return List{}, "", ctx.Err()
	} else if errors.Is(err, evidence.ErrNotFound) {
		return List{}, "is missing", nil
	} else if err != nil {
		return List{}, "cannot be read (" + err.Error() + ")", nil
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxList+1))
	switch {
	case ctx.Err() != nil:
		return List{}, "", ctx.Err()
	case err != nil:
		return List{}, "cannot be read (" + err.Error() + ")", nil
	case evidence.Sum(b) != o.SHA256:
		return List{}, "is damaged", nil
	}
	l, err = ParseList(string(b))
	return l, "", err
}
