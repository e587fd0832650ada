package evidence

// Erased says which bodies, replies and blobs were taken out of the vault. The envelopes stay, and with them the tree and every proof.
// It stands in the clear in a sealed vault too, so that absent bodies can be told from lost ones without a key: rule and reason hold no
// content. Subject: what the erasure is about, v0 where that is several things.
type Erased struct {
	Rule    string     `json:"rule"`             // the rule that demanded it, such as `retention`
	Reason  string     `json:"reason,omitempty"` // why, in words
	Records []SeqRun   `json:"records,omitempty"`
	Replies []CutReply `json:"replies,omitempty"`
	Files   int        `json:"files"`          // files removed, which nothing else names; not which, since a digest confirms
	Bytes   int64      `json:"bytes"`          // of those files
	Keys    []string   `json:"keys,omitempty"` // ids of the data keys destroyed with it
}

// SeqRun is a run of records by number, both ends included.
type SeqRun struct {
	First int64 `json:"first"`
	Last  int64 `json:"last"`
}

// CutReply says what is left of an acquisition's reply. Reply is the blob of what is left, the slices one after another; it is zero where
// nothing is.
type CutReply struct {
	Acquisition int64   `json:"acquisition"` // the number of the acquisition's record, whose body still names the whole reply
	Reply       Object  `json:"reply,omitzero"`
	Slices      []Slice `json:"slices,omitempty"` // in the whole reply, ascending
}

// VaultCompacted says that the vault's file was written anew, so that what was erased is no longer in its free pages. Subject: v0.
type VaultCompacted struct {
	Before   int64    `json:"before"`         // bytes of vault.db
	After    int64    `json:"after"`          // bytes
	Resealed int64    `json:"resealed"`       // bodies that got another key, or their first
	Keys     []string `json:"keys,omitempty"` // ids of the data keys destroyed with it
}

// Blobs implements Blobber.
func (e *Erased) Blobs() []Digest {
	var out []Digest
	for _, c := range e.Replies {
		out = append(out, c.Reply.list()...)
	}
	return out
}

// Has reports whether the record's body was erased by e.
func (e *Erased) Has(seq int64) bool {
	for _, r := range e.Records {
		if r.First <= seq && seq <= r.Last {
			return true
		}
	}
	return false
}

// Kind implements Body.
func (*Erased) Kind() Kind { return KindErased }

// Kind implements Body.
func (*VaultCompacted) Kind() Kind { return KindVaultCompacted }

// Schema implements Body.
func (*Erased) Schema() int { return 1 }

// Schema implements Body.
func (*VaultCompacted) Schema() int { return 1 }
