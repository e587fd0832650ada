package evidence

// bodies makes an empty body of each kind whose schema this build knows.
var bodies = map[Kind]func() Body{
	KindVaultCreated:    func() Body { return &VaultCreated{} },
	KindVaultCompacted:  func() Body { return &VaultCompacted{} },
	KindErased:          func() Body { return &Erased{} },
	KindDamageFound:     func() Body { return &DamageFound{} },
	KindDamageEnded:     func() Body { return &DamageEnded{} },
	KindRunStarted:      func() Body { return &RunStarted{} },
	KindRunStopped:      func() Body { return &RunStopped{} },
	KindCheckpoint:      func() Body { return &Checkpoint{} },
	KindKeyRotated:      func() Body { return &KeyRotated{} },
	KindPersonSet:       func() Body { return &PersonSet{} },
	KindTargetSet:       func() Body { return &TargetSet{} },
	KindTargetListed:    func() Body { return &TargetListed{} },
	KindTargetApproved:  func() Body { return &TargetApproved{} },
	KindTargetSuspended: func() Body { return &TargetSuspended{} },
	KindTargetRemoved:   func() Body { return &TargetRemoved{} },
	KindTargetMarked:    func() Body { return &TargetMarked{} },
	KindTargetRelisted:  func() Body { return &TargetRelisted{} },
	KindTargetBound:     func() Body { return &TargetBound{} },
	KindTargetConfirmed: func() Body { return &TargetConfirmed{} },
	KindStatus:          func() Body { return &Status{} },
	KindFinding:         func() Body { return &Finding{} },
	KindAccountBound:    func() Body { return &AccountBound{} },
	KindAccountSeen:     func() Body { return &AccountSeen{} },
	KindAcquisition:     func() Body { return &Acquisition{} },
	KindPostSeen:        func() Body { return &PostSeen{} },
	KindPostCounts:      func() Body { return &PostCounts{} },
	KindPostGone:        func() Body { return &PostGone{} },
	KindMediaKept:       func() Body { return &MediaKept{} },
	KindMediaMissed:     func() Body { return &MediaMissed{} },
	KindGap:             func() Body { return &Gap{} },
	KindCollector:       func() Body { return &Collector{} },
	KindCaseOpened:      func() Body { return &CaseOpened{} },
	KindDecision:        func() Body { return &Decision{} },
	KindApproval:        func() Body { return &Approval{} },
	KindNoticeDrafted:   func() Body { return &NoticeDrafted{} },
	KindNoticeAttempted: func() Body { return &NoticeAttempted{} },
	KindNoticeSent:      func() Body { return &NoticeSent{} },
	KindNoticeUncertain: func() Body { return &NoticeUncertain{} },
	KindNoticeFailed:    func() Body { return &NoticeFailed{} },
	KindNoticeWithdrawn: func() Body { return &NoticeWithdrawn{} },
	KindNoticeApproved:  func() Body { return &NoticeApproved{} },
	KindNoticeAnswered:  func() Body { return &NoticeAnswered{} },
	KindNoticeDisputed:  func() Body { return &NoticeDisputed{} },
	KindNoticeCorrected: func() Body { return &NoticeCorrected{} },
	KindReporterRun:     func() Body { return &ReporterRun{} },
	KindAlert:           func() Body { return &Alert{} },
	KindBundleBuilt:     func() Body { return &BundleBuilt{} },
	KindAccess:          func() Body { return &Access{} },
	KindRefused:         func() Body { return &Refused{} },

	KindHoldPlaced:        func() Body { return &HoldPlaced{} },
	KindHoldReleased:      func() Body { return &HoldReleased{} },
	KindTargetErasure:     func() Body { return &TargetErasure{} },
	KindQuarantined:       func() Body { return &Quarantined{} },
	KindQuarantineOrdered: func() Body { return &QuarantineOrdered{} },
	KindQuarantineCarried: func() Body { return &QuarantineCarried{} },
	KindRetentionRun:      func() Body { return &RetentionRun{} },

	KindReporterReleased: func() Body { return &ReporterReleased{} },
}

// Object names a blob.
type Object struct {
	SHA256 Digest `json:"sha256"`
	Size   int64  `json:"size"`
}

// IsZero reports whether no blob is named.
func (o Object) IsZero() bool { return o.SHA256.IsZero() }

func (o Object) list() []Digest {
	if o.IsZero() {
		return nil
	}
	return []Digest{o.SHA256}
}

// Span is a stretch of time, both ends included.
type Span struct {
	From Time `json:"from"`
	To   Time `json:"to"`
}
