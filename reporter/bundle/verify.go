package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// VerifyOptions are the reader's trust roots. They must have reached the reader by another way than the bag.
type VerifyOptions struct {
	Signers  []byte // content of an allowed_signers file, see ssh-keygen(1); empty: the signer stays unknown
	Identity string // who must have signed, as allowed_signers names them
	LogKey   string // the log's key: a vkey NAME+HASH+KEY, or an Ed25519 public key in PEM; empty: not checked

	Stamps    Stamps // nil: time-stamps are not looked at
	NeedStamp bool   // refuse a bundle that no authority of Stamps' roots has stamped
	Now       func() time.Time

	Witnesses Witnesses // nil: cosignatures are not verified
}

// Witnesses verifies the cosignatures of a checkpoint by the keys of witnesses. Package anchor does.
type Witnesses interface {
	// Check counts the lines of the given witnesses and returns the time of the newest; a line that claims to be of one and does not hold is
	// an error.
	Check(note []byte) (valid int, newest time.Time, err error)
}

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Open   bool   `json:"open,omitempty"` // could not be decided with what was given; OK is false then, and nothing is wrong
	Detail string `json:"detail"`
}

// Status sums up a report.
type Status string

// The statuses, worst first.
const (
	StatusViolated      Status = "violated"
	StatusSignerUnknown Status = "intact-signer-unknown"
	StatusLogKeyMissing Status = "intact-log-key-not-given"
	StatusVerified      Status = "verified"
)

// Report is what Verify found.
type Report struct {
	Status   Status  `json:"status"`
	Checks   []Check `json:"checks"`
	Signer   string  `json:"signer,omitempty"` // fingerprint of the key that signed
	Files    int     `json:"files"`            // payload
	Bytes    int64   `json:"bytes"`
	Records  int     `json:"records"`
	Withheld int     `json:"withheld"` // or erased
	TreeSize int64   `json:"tree_size"`

	StampedAt    evidence.Time `json:"stamped_at,omitzero"`     // of the tag manifest, by a trusted authority
	AnchoredAt   evidence.Time `json:"anchored_at,omitzero"`    // the newest anchor of a trusted authority
	AnchoredSize int64         `json:"anchored_size,omitempty"` // records that it covers
}

// ExitCode is the process exit code of DESIGN §5 for the report: 0, 3 or 4.
func (r Report) ExitCode() int {
	switch r.Status {
	case StatusVerified:
		return 0
	case StatusSignerUnknown, StatusLogKeyMissing:
		return 4
	}
	return 3
}

// Sentence says the status to people.
func (r Report) Sentence() string {
	switch r.Status {
	case StatusVerified:
		return "bundle verified"
	case StatusSignerUnknown:
		return "bundle intact, signer unknown: give the signers' file and the identity that should have signed"
	case StatusLogKeyMissing:
		return "bundle intact, log key not given: nobody's signature under the checkpoint was checked"
	}
	for _, c := range r.Checks {
		if !c.OK && !c.Open {
			return "bundle REFUSED: " + c.Name + ": " + c.Detail
		}
	}
	return "bundle REFUSED"
}

// verifier is one run of Verify.
type verifier struct {
	ctx    context.Context
	o      VerifyOptions
	root   *os.Root
	files  map[string]int64 // every regular file of the bag and its size
	report Report
	log    logFacts
}

// ErrBag is wrapped by what is wrong with a bag, as against what is wrong with the disk.
var ErrBag = errors.New("bag is not in order")

func wrong(format string, a ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrBag}, a...)...)
}

// Verify checks the bag in a folder against itself and against the given trust roots. A bag that fails is a report with status
// StatusViolated; an error means that the bag could not be read to its end. Nothing in the bag is trusted, followed or
// unpacked, files are streamed, and record kinds that this build does not know are proved like any other.
func Verify(ctx context.Context, bag string, o VerifyOptions) (Report, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	st, err := os.Stat(bag)
	if err != nil || !st.IsDir() {
		return Report{}, fmt.Errorf("open bag: %s is not a folder that can be read; give the folder that holds bagit.txt", bag)
	}
	root, err := os.OpenRoot(bag)
	if err != nil {
		return Report{}, fmt.Errorf("open bag: %w", err)
	}
	defer root.Close()
	v := &verifier{ctx: ctx, o: o, root: root, files: map[string]int64{}}
	if err := v.run(); err != nil {
		return v.report, fmt.Errorf("verify bag: %w", err)
	}
	v.sum()
	return v.report, nil
}

func (v *verifier) run() error {
	if ok, err := v.check("layout", v.layout); !ok || err != nil {
		return err // what follows reads files by name and must not meet a link or a socket
	}
	for _, c := range []struct {
		name string
		do   func() (string, error)
	}{
		{"signature", v.signature},
		{"tag files", v.tagFiles},
		{"payload", v.payload},
		{"records", v.records},
		{"changes of the log's key", v.keyChanges},
		{"checkpoint", v.checkpoint},
		{"time-stamp", v.timestamps},
		{"outside anchors", v.outside},
		{"files named by records", v.named},
		{"exhibits", v.exhibits},
	} {
		if _, err := v.check(c.name, c.do); err != nil {
			return err
		}
	}
	v.statements()
	return v.ctx.Err()
}

// check runs one check and notes its outcome. Only a failure of the disk or of ctx comes back as an error.
func (v *verifier) check(name string, do func() (string, error)) (bool, error) {
	if err := v.ctx.Err(); err != nil {
		return false, err
	}
	detail, err := do()
	c := Check{Name: name, OK: err == nil, Detail: detail}
	switch {
	case err == nil:
	case errors.Is(err, errUnknownSigner) || errors.Is(err, errNoLogKey) || errors.Is(err, errNoRoots):
		c.Open, c.Detail = true, err.Error()
	case errors.Is(err, ErrBag) || errors.Is(err, errSignature) || errors.Is(err, errCheckpoint) || errors.Is(err, fs.ErrNotExist):
		c.Detail = err.Error()
	default:
		return false, err
	}
	v.report.Checks = append(v.report.Checks, c)
	return c.OK, nil
}

func (v *verifier) sum() {
	v.report.Status = StatusVerified
	for _, c := range v.report.Checks {
		if !c.OK && !c.Open {
			v.report.Status = StatusViolated
			return
		}
		if c.Open && c.Name == "signature" {
			v.report.Status = StatusSignerUnknown
		}
		if c.Open && c.Name == "checkpoint" && v.report.Status == StatusVerified {
			v.report.Status = StatusLogKeyMissing
		}
	}
}

// logFacts is what the records say, for the checks that come after them.
type logFacts struct {
	checkpoint checkpointNote
	vault      string // id, from vault.created
	vkey       string // from vault.created
	leaves     map[int64]leaf
	known      map[evidence.Digest]bool // digests of files that bodies name
	people     []evidence.Record        // person.set
	sets       map[int64]*evidence.TargetSet
	statements []evidence.Record // what people signed
	rotations  []rotation
}

type leaf struct {
	hash    evidence.Digest
	subject evidence.Ordinal
	kind    evidence.Kind
}
