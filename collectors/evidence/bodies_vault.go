package evidence

// VaultCreated is record 0 of every vault. Subject: v0.
type VaultCreated struct {
	VaultID string `json:"vault_id"` // 26 characters, made like an acquisition id
	Format  int    `json:"format"`   // 1
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
}

// RunStopped says that a run ended in order.
type RunStopped struct {
	Command string `json:"command"`
	Reason  string `json:"reason,omitempty"`
}

// Checkpoint is a signed tree head. It names its size, since it can only be recorded after it was signed. Subject: v0.
type Checkpoint struct {
	Size int64  `json:"size"`
	Root Digest `json:"root"`
	Note string `json:"note"` // the C2SP signed note, exact
}

// Kind implements Body.
func (*VaultCreated) Kind() Kind { return KindVaultCreated }

// Kind implements Body.
func (*RunStarted) Kind() Kind { return KindRunStarted }

// Kind implements Body.
func (*RunStopped) Kind() Kind { return KindRunStopped }

// Kind implements Body.
func (*Checkpoint) Kind() Kind { return KindCheckpoint }

// Schema implements Body.
func (*VaultCreated) Schema() int { return 1 }

// Schema implements Body.
func (*RunStarted) Schema() int { return 1 }

// Schema implements Body.
func (*RunStopped) Schema() int { return 1 }

// Schema implements Body.
func (*Checkpoint) Schema() int { return 1 }
