package evidence

// NoticeDrafted is a notice with its exact bytes. Subject: nN.
type NoticeDrafted struct {
	Key       string       `json:"key"`
	Platform  string       `json:"platform"`
	Route     string       `json:"route"` // mail, outbox
	To        []string     `json:"to,omitempty"`
	Title     string       `json:"title"`
	MessageID string       `json:"message_id,omitempty"`
	Message   Object       `json:"message"`          // RFC 5322 bytes as they are sent
	Machine   Object       `json:"machine,omitzero"` // the same as JSON
	Cases     []NoticeCase `json:"cases"`
	NoticeLaw
}

// NoticeCase is one item of a notice.
type NoticeCase struct {
	Case     Ordinal   `json:"case"`
	Version  int64     `json:"version"` // of the case when the notice was drafted
	Decision RecordRef `json:"decision"`
	Approval RecordRef `json:"approval"`
	Account  Ordinal   `json:"account"`
}

// NoticeAttempted is written before the first byte goes out. Subject: nN.
type NoticeAttempted struct {
	Route     string   `json:"route"`
	To        []string `json:"to,omitempty"`
	MessageID string   `json:"message_id,omitempty"`
}

// NoticeSent says that the other side took the notice. Subject: nN.
type NoticeSent struct {
	MessageID string `json:"message_id,omitempty"`
	Receipt   string `json:"receipt"` // the server's words, or the outbox file's digest
	// ResolvedBy says why a person takes an uncertain notice as sent.
	ResolvedBy string `json:"resolved_by,omitempty"`
}

// NoticeUncertain says that an attempt has no known outcome: a person finds out before anything is sent again. Subject: nN.
type NoticeUncertain struct {
	Reason string `json:"reason"`
}

// BindingKey implements Binding.
func (n *NoticeDrafted) BindingKey() string { return n.Key }

// Blobs implements Blobber.
func (n *NoticeDrafted) Blobs() []Digest { return append(n.Message.list(), n.Machine.list()...) }

// Kind implements Body.
func (*NoticeDrafted) Kind() Kind { return KindNoticeDrafted }

// Kind implements Body.
func (*NoticeAttempted) Kind() Kind { return KindNoticeAttempted }

// Kind implements Body.
func (*NoticeSent) Kind() Kind { return KindNoticeSent }

// Kind implements Body.
func (*NoticeUncertain) Kind() Kind { return KindNoticeUncertain }

// Schema implements Body.
func (*NoticeDrafted) Schema() int { return 1 }

// Schema implements Body.
func (*NoticeAttempted) Schema() int { return 1 }

// Schema implements Body.
func (*NoticeSent) Schema() int { return 1 }

// Schema implements Body.
func (*NoticeUncertain) Schema() int { return 1 }
