package evidence

// StatementNoticeApproval is the type of a senior's statement about a drafted notice; its Confirms names the record that
// drafted it, by place and leaf hash.
const StatementNoticeApproval = "notice-approval"

// NoticeLaw is the legal side of a notice as it was drafted. Its words are those of the law that reporter/notice holds as data.
type NoticeLaw struct {
	NoticeKind string       `json:"notice_kind,omitempty"` // platform-rules, dsa-art16, correction …; empty: platform-rules
	Grounds    []string     `json:"grounds,omitempty"`     // `designation/UN`, `offence/EU`, `rules` …
	Senior     string       `json:"senior,omitempty"`      // why a senior approves before it leaves; empty: nobody needs to
	Counsel    []string     `json:"counsel,omitempty"`     // what to verify with counsel; no part of the message
	Urgent     bool         `json:"urgent,omitempty"`      // a threat to life, alone in its notice
	Posts      []Ordinal    `json:"posts,omitempty"`       // every post that it reports
	Corrects   *NoticeWrong `json:"corrects,omitempty"`    // of a correction or withdrawal
}

// NoticeWrong says what a correction or withdrawal puts right: a notice that left, for one of its accounts or for all of them.
type NoticeWrong struct {
	Notice  Ordinal `json:"notice"`
	Account Ordinal `json:"account,omitempty"` // empty: the whole notice
	Reason  string  `json:"reason"`
}

// The outcomes of a NoticeAnswered.
const (
	AnswerRemoved    = "removed"
	AnswerRestricted = "restricted"
	AnswerRefused    = "refused"
	AnswerNeedsMore  = "needs_more"
	AnswerDuplicate  = "duplicate"
)

// NoticeApproved is a senior's signed statement that a drafted notice may leave. Subject: nN.
type NoticeApproved struct{ Signed }

// NoticeAnswered is what the addressee said. Subject: nN.
type NoticeAnswered struct {
	Outcome string `json:"outcome"`          // removed, restricted, refused, needs_more, duplicate
	Ground  string `json:"ground,omitempty"` // of a refusal, in the addressee's words
	Ticket  string `json:"ticket,omitempty"` // the addressee's own number
	Text    string `json:"text,omitempty"`   // the answer
	By      string `json:"by,omitempty"`     // the desk or function that answered
}

// NoticeDisputed says that the account's side objects. Subject: nN.
type NoticeDisputed struct {
	From string `json:"from"` // who objects, as far as they say
	Text string `json:"text"`
}

// NoticeCorrected says that a notice which left was wrong, and releases the notice that tells everyone who got it. Subject: the wrong nN.
type NoticeCorrected struct {
	Correction Ordinal `json:"correction"`        // the notice that says so
	Account    Ordinal `json:"account,omitempty"` // empty: the whole notice
	Withdrawal bool    `json:"withdrawal,omitempty"`
	Reason     string  `json:"reason"`
}

// NamesPerson implements PrivateBody: an answer may name whoever wrote it.
func (*NoticeAnswered) NamesPerson() bool { return true }

// NamesPerson implements PrivateBody: who objects may be a private person.
func (*NoticeDisputed) NamesPerson() bool { return true }

// Kind implements Body.
func (*NoticeApproved) Kind() Kind { return KindNoticeApproved }

// Kind implements Body.
func (*NoticeAnswered) Kind() Kind { return KindNoticeAnswered }

// Kind implements Body.
func (*NoticeDisputed) Kind() Kind { return KindNoticeDisputed }

// Kind implements Body.
func (*NoticeCorrected) Kind() Kind { return KindNoticeCorrected }

// Schema implements Body.
func (*NoticeApproved) Schema() int { return 1 }

// Schema implements Body.
func (*NoticeAnswered) Schema() int { return 1 }

// Schema implements Body.
func (*NoticeDisputed) Schema() int { return 1 }

// Schema implements Body.
func (*NoticeCorrected) Schema() int { return 1 }
