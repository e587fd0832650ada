package review

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// EmergencyStart is how long one person alone may have a target collected.
const EmergencyStart = 24 * time.Hour

// Targets lists the watchlist as it stands, by number.
func (d *Desk) Targets(ctx context.Context) ([]Target, error) {
	var all []Target
	err := d.Log.Each(ctx, ViewTargets, string(rune(evidence.SpaceTarget)), func(_ string, value []byte, _ int64) error {
		var t Target
		err := json.Unmarshal(value, &t)
		all = append(all, t)
		return err
	})
	slices.SortFunc(all, func(a, b Target) int { return compareOrdinals(a.Ordinal, b.Ordinal) })
	return all, wrap("read targets", err)
}

// Target returns a target by its configured id or its ordinal, and the version of its view key.
func (d *Desk) Target(ctx context.Context, id string) (Target, int64, error) {
	var t Target
	key, _, err := d.Log.Get(ctx, ViewTargets, "id/"+id)
	if err != nil {
		return t, 0, wrap("read target", err)
	}
	if key == nil && evidence.Ordinal(id).Space() == evidence.SpaceTarget {
		key = []byte(id)
	}
	version, err := d.get(ctx, ViewTargets, string(key), &t)
	if err == nil && t.ID == "" {
		err = refuse(WrongTarget, "there is no target %q; `muhafiz review targets` lists them", clip(id))
	}
	return t, version, err
}

// PrepareTargetApproval returns the statement with which a person approves a target as it is set now. With emergency, one person
// alone starts collection for EmergencyStart, once for each time that the target is set; nothing is reported meanwhile.
func (d *Desk) PrepareTargetApproval(ctx context.Context, person, target string, emergency bool, comment string) (string, error) {
	var until evidence.Time
	if emergency {
		until = evidence.At(d.now().Add(EmergencyStart))
	}
	return d.PrepareTargetApprovalUntil(ctx, person, target, until, comment)
}

// PrepareTargetApprovalUntil is PrepareTargetApproval with the moment at which the approval ends; a zero one never does. It is
// renewed by approving again, before or after it ended. Of the one who listed the target it is an emergency start.
func (d *Desk) PrepareTargetApprovalUntil(ctx context.Context, person, target string, until evidence.Time, comment string) (string, error) {
	return d.prepareTargetWord(ctx, person, target, evidence.Statement{Type: evidence.StatementTargetApproval, Comment: comment, Until: until})
}

// ApproveTarget records a signed approval: from then on the target may be collected. It takes the signed listing of the one whom the
// target names in listed_by, with the key that the roster holds for them now; an emergency start, which is theirs alone, does not. A suspended one takes the approvals of two
// different people, neither of whom listed it; who suspended it may be one of them, for taking back one's own word is no reason to
// need a fourth person, and one key alone still lifts nothing.
func (d *Desk) ApproveTarget(ctx context.Context, person, target string, s evidence.Signed) (Target, error) {
	p, t, version, err := d.targetWord(ctx, person, target, evidence.StatementTargetApproval, s)
	if err != nil {
		return t, err
	}
	approved := &evidence.TargetApproved{Signed: s}
	if p.ID != t.ListedBy {
		if approved.Listing, err = d.Signings().proof(ctx, t); err != nil {
			return t, err
		}
	}
	return d.actOnTarget(ctx, p, t, version, approved, "target "+t.ID+" changed while it was being approved; look at it and approve again")
}

func (d *Desk) checkTargetApproval(ctx context.Context, p Person, t Target, st evidence.Statement) error {
	if err := needRole(p, "approve a target", RoleReviewer, RoleSenior); err != nil {
		return err
	}
	switch {
	case t.State == TargetRemoved:
		return refuse(WrongTarget, "target %s is no longer on the watchlist; list it again first", t.ID)
	case st.Confirms == nil || *st.Confirms != t.Set:
		return refuse(ChangedSince, "target %s was set anew (record %d) since it was looked at; look at it and approve again", t.ID, t.Set.Seq)
	case st.CaseVersion != t.Round:
		return refuse(ChangedSince, "target %s was approved, suspended or bound anew (record %d) since it was looked at; look at it and approve again", t.ID, t.Round-1)
	case st.Blind || st.Case != "" || st.Outcome != "" || st.Grounds != nil || len(st.Exhibits) > 0 || st.Adjudicates != nil || st.Lifts != nil || st.Lists != nil || st.Orders != nil:
		return refuse(BadStatement, "the statement holds fields of another type; prepare it again")
	case t.State == TargetInnocent:
		return refuse(Innocent, "target %s is marked innocent (%s: %s); two other people must first sign why it belongs on the list: muhafiz watch relist %s", t.ID, t.Stop.Category, t.Reason, t.ID)
	case !st.Agree:
		return refuse(BadStatement, "the statement does not approve; to stop a target, suspend it")
	case !st.Until.IsZero() && !st.Until.After(d.now()):
		return refuse(BadStatement, "the approval of target %s would end before it begins (%s); give a later moment", t.ID, st.Until)
	case !st.Until.IsZero() && p.ID == t.ListedBy && t.Confirmed == "":
		return d.checkEmergency(t, st)
	case t.State == TargetApproved && !t.Emergency && t.Until.IsZero():
		return refuse(WrongTarget, "target %s is already approved, by %s", t.ID, t.ApprovedBy)
	case p.ID == t.ConfirmedBy:
		return refuse(SamePerson, "%s signed that target %s is another account now, so a second person must approve it", p.ID, t.ID)
	case p.ID == t.ListedBy:
		return refuse(SamePerson, "%s put target %s on the list, so a second person must approve it", p.ID, t.ID)
	}
	for _, other := range []string{t.ListedBy, t.ConfirmedBy} {
		if err := d.differInKey(ctx, p, other, st.Fingerprint); err != nil {
			return err
		}
	}
	if err := d.Signings().Unsigned(ctx, t); err != nil {
		return err
	}
	return d.checkLifting(ctx, p, t, st)
}

// checkLifting refuses the second of the two approvals that lift a stop where it comes from the first one's person or key.
func (d *Desk) checkLifting(ctx context.Context, p Person, t Target, st evidence.Statement) error {
	s := t.Lifting
	switch {
	case s == nil:
		return nil
	case s.Person == p.ID:
		return refuse(SamePerson, "%s signed already that target %s be lifted; a second person must sign as well", p.ID, t.ID)
	case s.Fingerprint == st.Fingerprint:
		return refuse(SameKey, "target %s was signed for with this very key; the second person signs with their own", t.ID)
	}
	return d.differInKey(ctx, p, s.Person, st.Fingerprint)
}

func (d *Desk) checkEmergency(t Target, st evidence.Statement) error {
	switch {
	case st.Until.After(d.now().Add(EmergencyStart)):
		return refuse(BadStatement, "an emergency start lasts %s at most; prepare it again", EmergencyStart)
	case t.EmergedIn == t.Set.Seq:
		return refuse(WrongTarget, "target %s had its emergency start; a second person must approve it now", t.ID)
	case t.State != TargetListed:
		return refuse(WrongTarget, "target %s is %s; an emergency start is for a target that waits for its approval", t.ID, t.State)
	}
	return nil
}

// differInKey refuses a fingerprint that is the other person's as well. Somebody who is not on the roster has no key here.
func (d *Desk) differInKey(ctx context.Context, p Person, other, fingerprint string) error {
	var o Person
	if _, err := d.get(ctx, ViewRoster, other, &o); err != nil {
		return err
	}
	if o.ID == "" {
		return nil
	}
	if _, f, err := o.key(); err == nil && f == fingerprint {
		return refuse(SameKey, "%s and %s have the same key on the roster; two people need two keys", p.ID, o.ID)
	}
	return nil
}

// TargetOf finds the target under which an account is watched.
func (d *Desk) TargetOf(ctx context.Context, account evidence.Ordinal) (Target, error) {
	return d.targetOf(ctx, account)
}

// targetOf finds the target under which an account is watched: a marked or suspended one before any other, then one to report.
func (d *Desk) targetOf(ctx context.Context, account evidence.Ordinal) (Target, error) {
	var best Target
	err := d.Log.Each(ctx, ViewTargets, "account/"+string(account)+"/", func(_ string, value []byte, _ int64) error {
		var t Target
		if _, err := d.get(ctx, ViewTargets, string(value), &t); err != nil {
			return err
		}
		if t.Account == account && (best.ID == "" || rank(t, d.now()) > rank(best, d.now())) {
			best = t
		}
		return nil
	})
	if err == nil && best.ID == "" {
		err = refuse(WrongTarget, "account %s belongs to no target; put its address on the watchlist first", account)
	}
	return best, err
}

func rank(t Target, now time.Time) int {
	switch {
	case t.State == TargetInnocent:
		return 4
	case t.State == TargetSuspended:
		return 3
	case t.Reportable(now):
		return 2
	case t.State == TargetApproved:
		return 1
	}
	return 0
}

// MayReport returns the target under which a case's account is watched, or a refusal where nothing of it may leave now: the
// target is not approved to be reported, or its ground was set anew since the case was decided.
func (d *Desk) MayReport(ctx context.Context, c Case) (Target, error) {
	t, err := d.targetOf(ctx, c.Account)
	if err != nil {
		return t, err
	}
	if err := d.needReportable(t); err != nil {
		return t, err
	}
	if err := d.CaseInSight(ctx, c); err != nil {
		return t, err
	}
	if c.Decision == nil || c.Decision.Designation != t.Set {
		return t, refuse(ChangedSince, "target %s was set anew (record %d) since case %s was decided; decide it again", t.ID, t.Set.Seq, c.Ordinal)
	}
	return t, nil
}

// needReportable says why nothing of a target may be reported now.
func (d *Desk) needReportable(t Target) error {
	switch {
	case t.State == TargetSuspended:
		return refuse(Suspended, "target %s is suspended (%s); nothing of it is reported until two people approve it again", t.ID, t.Reason)
	case t.State == TargetInnocent:
		return refuse(Innocent, "target %s is marked innocent (%s: %s); nothing of it is reported", t.ID, t.Stop.Category, t.Reason)
	case t.State == TargetRemoved:
		return refuse(NotApprovedTarget, "target %s is no longer on the watchlist; nothing of it is reported", t.ID)
	case t.State != TargetApproved || t.Emergency || !t.Collectable(d.now()):
		return refuse(NotApprovedTarget, "target %s has no second person's approval as it is set now; have it approved first", t.ID)
	case !t.Report:
		return refuse(NotReportable, "target %s is collected but not to be reported; change `report` on the watchlist first", t.ID)
	}
	return nil
}
