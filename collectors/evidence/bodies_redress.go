package evidence

// MarkInnocent is the mark of an account that was listed by mistake: it must not come back by one person's will.
const MarkInnocent = "innocent"

// TargetMarked says what one person found out about a target. Subject: tN. It stops the target as a suspension does, and keeps
// its address and its account off the list until two other people have signed why they belong there after all.
type TargetMarked struct {
	Mark     string  `json:"mark"`     // MarkInnocent
	Category string  `json:"category"` // journalist, researcher, rights_group, news_outlet, other
	Reason   string  `json:"reason"`
	Address  string  `json:"address"`           // as listed when it was marked
	Account  Ordinal `json:"account,omitempty"` // what the address had resolved to
}

// TargetRelisted is one of the two signed statements that a marked address belongs on the list after all. Subject: tN.
type TargetRelisted struct{ Signed }

// Refused says that a person was refused an act. Subject: that person.
type Refused struct {
	What   string `json:"what"`            // the request: `POST /v1/review/approval`
	About  string `json:"about,omitempty"` // the case, target, notice or post that it named, at most 80 bytes
	Code   string `json:"code"`            // the refusal's
	Person string `json:"person"`          // configured id, as the request named it
}

// Kind implements Body.
func (*TargetMarked) Kind() Kind { return KindTargetMarked }

// Kind implements Body.
func (*TargetRelisted) Kind() Kind { return KindTargetRelisted }

// Kind implements Body.
func (*Refused) Kind() Kind { return KindRefused }

// Schema implements Body.
func (*TargetMarked) Schema() int { return 1 }

// Schema implements Body.
func (*TargetRelisted) Schema() int { return 1 }

// Schema implements Body.
func (*Refused) Schema() int { return 1 }
