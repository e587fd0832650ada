package evidence

// What a hold covers.
const (
	HoldTarget = "target" // everything of the account of a target, and its cases and notices
	HoldPost   = "post"
	HoldNotice = "notice" // the notice, its cases and their exhibits
	HoldQuery  = "query"  // what was recorded of an account within a time
)

// HoldPlaced keeps something from being erased until the hold is released or ends. Subject: what is held, or of a query the account.
// The hold is known by the number of this record.
type HoldPlaced struct {
	What   string  `json:"what"`
	Query  *Span   `json:"query,omitempty"` // of HoldQuery: recorded within it; a zero end is open
	Reason string  `json:"reason"`
	Basis  string  `json:"basis,omitempty"` // the order, case number or law that asks for it
	Until  Time    `json:"until,omitzero"`  // zero: until it is released
	Target Ordinal `json:"target,omitempty"`
	Person string  `json:"person"` // configured id
}

// HoldReleased ends a hold. Subject: that of the hold.
type HoldReleased struct {
	Hold   int64  `json:"hold"` // the number of the record that placed it
	Reason string `json:"reason"`
	Person string `json:"person"`
}

// TargetErasure is one of the two signed words that all that was collected of a wrongly listed account is erased. Subject: tN.
type TargetErasure struct{ Signed }

// Quarantined says that a post is out of sight: nothing of its content is shown, searched, sent or handed out any more. Subject: aN/POST.
// It names no file: a digest of such material is itself not to be handed out.
type Quarantined struct {
	Reason string `json:"reason"` // without content
	Person string `json:"person"`
}

// The orders about a quarantined post. Each takes two people.
const (
	OrderHandOver = "hand-over" // a packet for a hotline or an authority
	OrderDestroy  = "destroy"
	OrderRelease  = "release" // it was put out of sight by mistake
)

// Order is what a signed statement demands of a quarantined post.
type Order struct {
	What      string  `json:"what"`
	Post      Ordinal `json:"post"`
	Recipient string  `json:"recipient,omitempty"` // age public key, of a hand-over
}

// QuarantineOrdered is one of the two signed words. Subject: aN/POST.
type QuarantineOrdered struct{ Signed }

// QuarantineCarried says that an order of two people was carried out. Subject: aN/POST.
type QuarantineCarried struct {
	What      string `json:"what"`
	Recipient string `json:"recipient,omitempty"`
	Packet    Object `json:"packet,omitzero"` // of the sealed packet as it left; the vault keeps no copy
	Person    string `json:"person"`          // who took it
}

// RetentionRun is one run of retention. Subject: v0.
type RetentionRun struct {
	Erased    int   `json:"erased"`             // bodies
	Replies   int   `json:"replies"`            // raw replies cut or removed
	Files     int   `json:"files"`              // removed
	Bytes     int64 `json:"bytes"`              // of the files
	Lingering int   `json:"lingering"`          // bodies whose bytes stay in free pages or backups until a compaction
	Deadline  Time  `json:"deadline,omitzero"`  // for that compaction
	Held      int   `json:"held"`               // bodies that are due and held
	Soon      int   `json:"soon"`               // bodies that will be due within the warning
	SoonFrom  Time  `json:"soon_from,omitzero"` // when the first of them is
	Scanned   int64 `json:"scanned"`            // records looked at
	Warn      int   `json:"warn"`               // days
	// Terms are the terms in days that are new or changed since the run before, by account; that of people's acts is under v0.
	Terms map[Ordinal]int `json:"terms,omitempty"`
}

// Kind implements Body.
func (*HoldPlaced) Kind() Kind { return KindHoldPlaced }

// Kind implements Body.
func (*HoldReleased) Kind() Kind { return KindHoldReleased }

// Kind implements Body.
func (*TargetErasure) Kind() Kind { return KindTargetErasure }

// Kind implements Body.
func (*Quarantined) Kind() Kind { return KindQuarantined }

// Kind implements Body.
func (*QuarantineOrdered) Kind() Kind { return KindQuarantineOrdered }

// Kind implements Body.
func (*QuarantineCarried) Kind() Kind { return KindQuarantineCarried }

// Kind implements Body.
func (*RetentionRun) Kind() Kind { return KindRetentionRun }

// Schema implements Body.
func (*HoldPlaced) Schema() int { return 1 }

// Schema implements Body.
func (*HoldReleased) Schema() int { return 1 }

// Schema implements Body.
func (*TargetErasure) Schema() int { return 1 }

// Schema implements Body.
func (*Quarantined) Schema() int { return 1 }

// Schema implements Body.
func (*QuarantineOrdered) Schema() int { return 1 }

// Schema implements Body.
func (*QuarantineCarried) Schema() int { return 1 }

// Schema implements Body.
func (*RetentionRun) Schema() int { return 1 }
