package evidence

// VaultCreated is record 0 of every vault. Subject: v0.
type VaultCreated struct {
	VaultID string `json:"vault_id"` // 26 characters, made like an acquisition id
	Format  int    `json:"format"`   // of the vault at its creation: 3, earlier 1
	LogKey  string `json:"log_key"`  // the checkpoint key as a C2SP vkey, `NAME+HASH+KEY`
	Build   string `json:"build"`
}

// RunStarted says that a daemon, or a command that wrote, opened the vault. Subject: v0.
type RunStarted struct {
	Build   string `json:"build"`
	Command string `json:"command"` // `run`, `import` …
	Host    string `json:"host"`    // the machine's name
	Clock   string `json:"clock"`   // what is known of the clock: `unsynchronised` or `synchronised`, and by what
	// Interrupted is set where the run before this one has no run.stopped: it was killed.
	Interrupted bool `json:"interrupted,omitempty"`
	// Restored is set in the first record of a vault that was made of a backup.
	Restored *Restored `json:"restored,omitempty"`
}

// Restored says of which backup a vault was made. What was recorded after the backup is lost, and collection goes on from where it was
// then.
type Restored struct {
	Backup  string `json:"backup"`            // its name
	At      Time   `json:"at"`                // of the backup
	Records int64  `json:"records"`           // that it held
	Lacking int    `json:"lacking,omitempty"` // blobs that could not be had
}

// RunStopped says that a run ended in order.
type RunStopped struct {
	Command string `json:"command"`
	Reason  string `json:"reason,omitempty"`
}

// Checkpoint is a signed tree head. It names its size, since it can only be recorded after it was signed. What somebody outside said
// about it later is a further checkpoint record with the same size and root. Subject: v0.
type Checkpoint struct {
	Size   int64   `json:"size"`
	Root   Digest  `json:"root"`
	Note   string  `json:"note"` // the C2SP signed note, exact
	Anchor *Anchor `json:"anchor,omitempty"`
}

// The types of an Anchor.
const (
	AnchorRFC3161     = "rfc3161"     // a time-stamping authority's token over the note's bytes
	AnchorCosignature = "cosignature" // a witness's line in the note (c2sp.org/tlog-cosignature)
)

// Anchor is an outsider's word that a checkpoint was there at a time.
type Anchor struct {
	Type  string `json:"type"`
	By    string `json:"by"`              // the authority's configured name, or the name in the witness's key
	At    Time   `json:"at"`              // when, by the outsider's clock
	Token []byte `json:"token,omitempty"` // rfc3161: the TimeStampResp as it was received, DER; base64 in JSON
	Key   string `json:"key,omitempty"`   // cosignature: the witness's vkey; rfc3161: hex SHA-256 of the signing certificate
}

// KeyRotated says that checkpoints are signed with another key from now on. Subject: v0.
type KeyRotated struct {
	Old string `json:"old"` // vkey
	New string `json:"new"` // vkey
	// Note is a signed note that names the vault, both keys and the tree head, signed by both keys, exact.
	Note   string `json:"note"`
	Reason string `json:"reason"`
}

// Kind implements Body.
func (*VaultCreated) Kind() Kind { return KindVaultCreated }

// Kind implements Body.
func (*RunStarted) Kind() Kind { return KindRunStarted }

// Kind implements Body.
func (*RunStopped) Kind() Kind { return KindRunStopped }

// Kind implements Body.
func (*Checkpoint) Kind() Kind { return KindCheckpoint }

// Kind implements Body.
func (*KeyRotated) Kind() Kind { return KindKeyRotated }

// Schema implements Body.
func (*VaultCreated) Schema() int { return 1 }

// Schema implements Body.
func (*RunStarted) Schema() int { return 1 }

// Schema implements Body.
func (*RunStopped) Schema() int { return 1 }

// Schema implements Body.
func (*Checkpoint) Schema() int { return 1 }

// Schema implements Body.
func (*KeyRotated) Schema() int { return 1 }
