package bundle

import (
	"regexp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// SignatureNamespace is the SSHSIG namespace of a bundle's signature.
const SignatureNamespace = "file@muhafiz"

// The names of a bag, DESIGN §6.
const (
	fileBagit       = "bagit.txt"
	fileInfo        = "bag-info.txt"
	fileManifest256 = "manifest-sha256.txt"
	fileManifest512 = "manifest-sha512.txt"
	fileVerify      = "VERIFY.md"
	fileTagManifest = "tagmanifest-sha256.txt"
	fileSignature   = "tagmanifest-sha256.txt.sig"

	dirData        = "data"
	dirExhibits    = "data/exhibits"
	dirRaw         = "data/raw"
	dirAnchors     = "data/log/anchors"
	fileReport     = "data/report.html"
	fileCoverage   = "data/coverage.json"
	fileCheckpoint = "data/log/checkpoint"
	fileEnvelopes  = "data/log/envelopes.jsonl"
	fileBodies     = "data/log/bodies.jsonl"
	fileProofs     = "data/log/proofs.jsonl"
	exhibitJSON    = "exhibit.json"

	bagitText = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
)

// tagFiles are the tag files that the tag manifest must list, in the order in which it does.
func tagFiles() []string {
	return []string{fileVerify, fileInfo, fileBagit, fileManifest256, fileManifest512}
}

// payloadFiles are the payload files that every bag has.
func payloadFiles() []string {
	return []string{fileReport, fileCoverage, fileCheckpoint, fileEnvelopes, fileBodies, fileProofs}
}

var (
	payloadName   = regexp.MustCompile(`^data(/[a-zA-Z0-9_-][a-zA-Z0-9._-]*)+$`)
	timestampName = regexp.MustCompile(`^tagmanifest-sha256\.txt(\.[A-Za-z0-9_-]+)?\.tsr$`)
	// provedName matches the files whose name is their digest, and captures it.
	provedName = regexp.MustCompile(`^data/(?:raw/([0-9a-f]{64})|exhibits/[0-9]{4,}/([0-9a-f]{64})(?:\.[a-z0-9]{1,16})?)$`)
	exhibitDir = regexp.MustCompile(`^data/exhibits/([0-9]{4,})/exhibit\.json$`)
	// anchorName captures the size and what the file is; .cosigned is the checkpoint with the lines of witnesses.
	anchorName = regexp.MustCompile(`^data/log/anchors/([1-9][0-9]{0,18})\.(checkpoint|consistency|cosigned|(?:[a-z0-9-]{1,64}\.)?tsr)$`)
)

// digestInName returns the digest that a file's name claims for its content.
func digestInName(path string) (evidence.Digest, bool) {
	m := provedName.FindStringSubmatch(path)
	if m == nil {
		return evidence.Digest{}, false
	}
	d, err := evidence.ParseDigest(m[1] + m[2])
	return d, err == nil
}

// inLayout reports whether DESIGN §6 has a place for a payload file.
func inLayout(path string) bool {
	switch path {
	case fileReport, "data/report.pdf", fileCoverage, fileCheckpoint, fileEnvelopes, fileBodies, fileProofs:
		return true
	}
	return provedName.MatchString(path) || exhibitDir.MatchString(path) || anchorName.MatchString(path)
}

// Exhibit roles in exhibit.json.
const (
	RoleExhibit   = "exhibit"
	RoleAlbum     = "album"
	RoleNeighbour = "neighbour"
)

// exhibitFile is data/exhibits/NNNN/exhibit.json.
type exhibitFile struct {
	Exhibit int              `json:"exhibit"` // the folder's number
	Post    evidence.Ordinal `json:"post"`
	Role    string           `json:"role"`           // exhibit, album, neighbour
	Of      []int            `json:"of,omitempty"`   // for an album's or neighbour's post: the exhibits that it stands beside
	Case    []caseExhibit    `json:"case,omitempty"` // the numbers under which signed statements cite it
	Records []int64          `json:"records"`
	Media   []mediaFile      `json:"media,omitempty"`
	Times   []recordTimes    `json:"times,omitempty"` // one for each version of the post
}

// recordTimes is when a version was captured, which is our claim, and the first outside anchor over its record, which can be proved.
type recordTimes struct {
	Record   int64         `json:"record"`
	Captured evidence.Span `json:"captured,omitzero"` // zero where the body is not supplied
	Anchored *anchor       `json:"anchored"`          // null where none covers it yet
}

// caseExhibit is a number under which a signed decision cites a version of the post.
type caseExhibit struct {
	Case   evidence.Ordinal `json:"case"`
	Number int              `json:"number"`
	Record int64            `json:"record"`
}

// mediaFile is a file of a post, or the reason why it is not in the bag.
type mediaFile struct {
	MediaID string          `json:"media_id"`
	Record  int64           `json:"record"`
	SHA256  evidence.Digest `json:"sha256,omitzero"`
	Size    int64           `json:"size,omitempty"`
	File    string          `json:"file,omitempty"` // beside exhibit.json
	MIME    string          `json:"mime,omitempty"`
	Absent  string          `json:"absent,omitempty"`
}

// proofLine is a line of proofs.jsonl.
type proofLine struct {
	Seq  int64    `json:"seq"`
	Path [][]byte `json:"path"`
}
