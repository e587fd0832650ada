package evidence

// StatementListing is the type of the statement with which a person signs that they put targets on the list.
const StatementListing = "listing"

// Lists is what a listing signs: targets as they are configured, and how far the log had come by then.
//
// Each target is a line, see ListingLine; the lines are sorted by their bytes, and Root is the RFC 6962 tree over them, so that one
// signature holds for a list of any length and each target of it can be proved alone.
type Lists struct {
	Targets int64  `json:"targets"`
	Root    Digest `json:"root"`
	// Log is how many records the log had. What happened to a target later takes the listing away from it: after a removal or
	// another change, an old signature counts for nothing.
	Log int64 `json:"log"`
}

// ListingLine is a target's line in a signed list, without its LF: the digest of its effective configuration and its id, as
// sha256sum writes digests and names. An id holds neither space nor LF.
func ListingLine(id string, effective Digest) string { return effective.String() + "  " + id }

// Effective is the digest of the target as it is configured: SHA-256 of the body's JSON without salt and schema, on one line that
// ends in LF, with an empty file and file_sha256, since it does not matter which file the target stands in.
func (t *TargetSet) Effective() Digest {
	c := *t
	c.File, c.FileSHA256 = "", Digest{}
	return canonical(c)
}

// TargetListed is the signed word of the person who put targets on the list. Subject: uN, the person. List holds the lines that
// the statement's root is of, each ended by LF.
type TargetListed struct {
	Signed
	List Object `json:"list"`
}

// ListingProof shows that a target, as it was set, is in a signed list.
type ListingProof struct {
	Listed RecordRef `json:"listed"` // the target.listed
	Index  int64     `json:"index"`  // of the target's line, from 0
	Path   []Digest  `json:"path"`   // RFC 6962 inclusion path; empty in a list of one
}

// Blobs implements Blobber.
func (t *TargetListed) Blobs() []Digest { return t.List.list() }

// Kind implements Body.
func (*TargetListed) Kind() Kind { return KindTargetListed }

// Schema implements Body.
func (*TargetListed) Schema() int { return 1 }
