package evidence

// NoticeFailed says that an attempt surely did not reach the other side, so that it may be made again. Subject: nN.
type NoticeFailed struct {
	Reason string `json:"reason"`
	// ResolvedBy says why a person takes an uncertain notice as not sent.
	ResolvedBy string `json:"resolved_by,omitempty"`
}

// NoticeWithdrawn says that a notice which never left will not leave. Subject: nN.
type NoticeWithdrawn struct {
	Reason string `json:"reason"`
}

// ReporterRun is one run of the reporter's schedule; the next run is reckoned from the latest one. Subject: v0.
type ReporterRun struct {
	Due       Time `json:"due,omitzero"` // when the schedule asked for it; zero for a run that a person asked for
	Started   Time `json:"started"`
	Drafted   int  `json:"drafted"`
	Sent      int  `json:"sent"`
	Failed    int  `json:"failed"`
	Uncertain int  `json:"uncertain"`
	Withdrawn int  `json:"withdrawn"`
	Waiting   int  `json:"waiting"` // approved cases that are in no notice after the run
}

// ReporterReleased says that somebody compared a restored vault with what had left since the backup, and lets the reporter send again.
// Subject: v0.
type ReporterReleased struct {
	Restored int64  `json:"restored"` // number of the run.started that tells of the restore
	Reason   string `json:"reason"`   // how they know what had left
}

// Kind implements Body.
func (*ReporterReleased) Kind() Kind { return KindReporterReleased }

// Schema implements Body.
func (*ReporterReleased) Schema() int { return 1 }

// Kind implements Body.
func (*NoticeFailed) Kind() Kind { return KindNoticeFailed }

// Kind implements Body.
func (*NoticeWithdrawn) Kind() Kind { return KindNoticeWithdrawn }

// Kind implements Body.
func (*ReporterRun) Kind() Kind { return KindReporterRun }

// Schema implements Body.
func (*NoticeFailed) Schema() int { return 1 }

// Schema implements Body.
func (*NoticeWithdrawn) Schema() int { return 1 }

// Schema implements Body.
func (*ReporterRun) Schema() int { return 1 }
