package evidence

// The parts of a vault that can be damaged.
const (
	DamagedBlob   = "blob"
	DamagedRecord = "record"
	DamagedTree   = "tree" // a stored hash over records
)

// How a damage ended.
const (
	MendRefetched = "refetched" // the platform served the same bytes again
	MendBackup    = "backup"    // brought back from a backup
	MendWhole     = "whole"     // a later look found it as it was recorded: a source brought the same bytes again, or a person put them back
	MendNeedless  = "needless"  // no record names the blob, or none does any more
)

// DamageFound says that what lies on the disk is no longer what was recorded, or is not there. It is written once for each damage.
// Subject: v0. The digest is no reference to the blob: retention does not go by it.
type DamageFound struct {
	Part    string  `json:"part"`
	Blob    Digest  `json:"blob,omitzero"`      // part blob
	Records *SeqRun `json:"records,omitempty"`  // parts record and tree
	NamedBy []int64 `json:"named_by,omitempty"` // part blob: numbers of records that name it, the first few
	Missing bool    `json:"missing,omitempty"`  // part blob: there is no file
	What    string  `json:"what"`               // in a sentence, without a word of what was recorded
	Aside   string  `json:"aside,omitempty"`    // where the damaged file lies now, from the vault's folder
}

// DamageEnded says that such a damage is no more. Subject: v0.
type DamageEnded struct {
	Part    string  `json:"part"`
	Blob    Digest  `json:"blob,omitzero"`
	Records *SeqRun `json:"records,omitempty"`
	How     string  `json:"how"`
	By      string  `json:"by,omitempty"` // refetched: the source; backup: the backup's name
}

// Kind implements Body.
func (*DamageFound) Kind() Kind { return KindDamageFound }

// Kind implements Body.
func (*DamageEnded) Kind() Kind { return KindDamageEnded }

// Schema implements Body.
func (*DamageFound) Schema() int { return 1 }

// Schema implements Body.
func (*DamageEnded) Schema() int { return 1 }
