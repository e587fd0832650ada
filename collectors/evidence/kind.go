package evidence

// Kind says what a record reports. The set is open: readers keep and skip a kind that they do not know.
type Kind string

// The kinds of DESIGN §3.
const (
	KindVaultCreated   Kind = "vault.created"   // id, format, public key
	KindVaultCompacted Kind = "vault.compacted" // vault.db written anew without what was erased
	KindRunStarted     Kind = "run.started"     // build, host, clock
	KindRunStopped     Kind = "run.stopped"
	KindKeyRotated     Kind = "key.rotated"
	KindCheckpoint     Kind = "checkpoint" // tree head with signature; later tokens and cosignatures are further records

	KindPersonSet Kind = "person.set" // name, roles, SSH public key

	KindTargetSet       Kind = "target.set"    // the effective target, with the ground that it stands on
	KindTargetListed    Kind = "target.listed" // the signed word of who put targets on the list
	KindTargetApproved  Kind = "target.approved"
	KindTargetSuspended Kind = "target.suspended"
	KindTargetRemoved   Kind = "target.removed"
	KindTargetMarked    Kind = "target.marked"    // innocent: off the list until two others say why it belongs there
	KindTargetRelisted  Kind = "target.relisted"  // one of those two
	KindTargetBound     Kind = "target.bound"     // which platform identity its address resolved to
	KindTargetConfirmed Kind = "target.confirmed" // a person: it is another account now

	KindAccountBound Kind = "account.bound" // ordinal and platform identity
	KindAccountSeen  Kind = "account.seen"  // metadata snapshot

	KindAcquisition Kind = "acquisition" // one request that brought something
	KindPostSeen    Kind = "post.seen"   // a version
	KindPostCounts  Kind = "post.counts" // views, reactions and forwards of a page of posts
	KindPostGone    Kind = "post.gone"
	KindMediaKept   Kind = "media.kept"
	KindMediaMissed Kind = "media.missed"
	KindGap         Kind = "gap"       // an unobserved stretch and its cause
	KindCollector   Kind = "collector" // our own account's state

	KindFinding Kind = "finding"
	KindLink    Kind = "link"

	KindCaseOpened Kind = "case.opened"
	KindDecision   Kind = "decision"
	KindApproval   Kind = "approval"

	KindNoticeDrafted   Kind = "notice.drafted"
	KindNoticeApproved  Kind = "notice.approved"
	KindNoticeAttempted Kind = "notice.attempted"
	KindNoticeSent      Kind = "notice.sent"
	KindNoticeUncertain Kind = "notice.uncertain"
	KindNoticeFailed    Kind = "notice.failed" // surely not sent
	KindNoticeAnswered  Kind = "notice.answered"
	KindNoticeDisputed  Kind = "notice.disputed"
	KindNoticeCorrected Kind = "notice.corrected"
	KindNoticeWithdrawn Kind = "notice.withdrawn"

	KindReporterRun Kind = "reporter.run" // one run of the schedule
	// a person: what a restored vault holds unsent may leave
	KindReporterReleased Kind = "reporter.released"
	KindAlert            Kind = "alert" // people were told that we no longer see, or see again

	KindStatus       Kind = "status" // up, removed, restricted, renamed, unknown
	KindHoldPlaced   Kind = "hold.placed"
	KindHoldReleased Kind = "hold.released"
	KindErased       Kind = "erased"
	KindQuarantined  Kind = "quarantined"

	KindTargetErasure     Kind = "target.erasure"     // one of two words that what was collected of a wrong listing goes
	KindQuarantineOrdered Kind = "quarantine.ordered" // one of two words on a post that is out of sight
	KindQuarantineCarried Kind = "quarantine.carried" // such an order was carried out
	KindRetentionRun      Kind = "retention.run"      // one run of retention

	KindDamageFound Kind = "damage.found" // a blob, record or hash on the disk is not what was recorded
	KindDamageEnded Kind = "damage.ended" // it is again, or nothing needs it

	KindBundleBuilt   Kind = "bundle.built"
	KindBundleFetched Kind = "bundle.fetched"
	KindAccess        Kind = "access"
	KindRefused       Kind = "refused" // an act of a person that was not carried out
)
