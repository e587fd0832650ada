package audit

import "github.com/muhafiz/muhafiz/collectors/evidence"

// treatment says what an export holds of a kind of record.
type treatment int

const (
	unknown  treatment = iota // of another build: the envelope only, since nobody can say what the body shows
	act                       // envelope and body
	content                   // an act that quotes posts: the body only where it was asked for
	observed                  // no act: nothing, but the envelope in a complete export
)

// treat is the table of all kinds. A test holds it against the kinds that package evidence names.
func treat(k evidence.Kind) treatment {
	switch k {
	case evidence.KindAccountBound, evidence.KindAccountSeen, evidence.KindAcquisition, evidence.KindPostSeen, evidence.KindPostCounts,
		evidence.KindPostGone, evidence.KindMediaKept, evidence.KindMediaMissed, evidence.KindGap, evidence.KindCollector,
		evidence.KindStatus, evidence.KindFinding, evidence.KindLink:
		return observed
	case evidence.KindDecision, evidence.KindNoticeAnswered, evidence.KindNoticeDisputed:
		return content
	case evidence.KindVaultCreated, evidence.KindRunStarted, evidence.KindRunStopped, evidence.KindKeyRotated, evidence.KindCheckpoint, evidence.KindVaultCompacted,
		evidence.KindPersonSet, evidence.KindReporterRun, evidence.KindReporterReleased, evidence.KindAlert,
		evidence.KindTargetSet, evidence.KindTargetListed, evidence.KindTargetApproved, evidence.KindTargetSuspended, evidence.KindTargetRemoved, evidence.KindTargetBound, evidence.KindTargetConfirmed,
		evidence.KindTargetMarked, evidence.KindTargetRelisted, evidence.KindRefused,
		evidence.KindCaseOpened, evidence.KindApproval,
		evidence.KindNoticeDrafted, evidence.KindNoticeApproved, evidence.KindNoticeAttempted, evidence.KindNoticeSent,
		evidence.KindNoticeUncertain, evidence.KindNoticeFailed,
		evidence.KindNoticeCorrected, evidence.KindNoticeWithdrawn,
		evidence.KindHoldPlaced, evidence.KindHoldReleased, evidence.KindErased, evidence.KindQuarantined,
		evidence.KindTargetErasure, evidence.KindQuarantineOrdered, evidence.KindQuarantineCarried, evidence.KindRetentionRun,
		evidence.KindDamageFound, evidence.KindDamageEnded,
		evidence.KindBundleBuilt, evidence.KindBundleFetched, evidence.KindAccess:
		return act
	}
	return unknown
}

// shows reports whether the export holds a record's body.
func (x *exporter) shows(r evidence.Record) bool {
	switch treat(r.Kind) {
	case act:
		b, err := evidence.DecodeBody(r)
		if err != nil {
			return false
		}
		p, private := b.(evidence.PrivateBody)
		return x.o.WithDecisions || !private || !p.NamesPerson()
	case content:
		return x.o.WithDecisions && len(r.Body) > 0
	}
	return false
}
