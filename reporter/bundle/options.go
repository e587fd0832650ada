package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Edition says how much a bundle holds.
type Edition string

// The editions. Standard withholds bodies that name a private person, and holds no raw replies, since those name everyone.
// Full is for the legal team alone.
const (
	Standard Edition = "standard"
	Full     Edition = "full"
)

// DefaultNeighbours is how many posts before and after an exhibit are packed with it.
const DefaultNeighbours = 2

// Options say what to bundle, for whom and where. Exactly one of Case, Posts and Account is set.
type Options struct {
	Log     Log
	Case    evidence.Ordinal   // cN: the posts that its decisions cite
	Posts   []evidence.Ordinal // aN/POST
	Account evidence.Ordinal   // aN: all of its posts

	Out        string // folder that holds bundles; it is made if absent
	Name       string // the bag's folder within Out; empty: made from subject and time. Nothing is ever overwritten
	Edition    Edition
	Neighbours int // posts before and after each exhibit; 0 is DefaultNeighbours, negative is none

	Signer       ssh.Signer // a key file or an agent's key; not the log's key
	Identity     string     // the signer's principal in allowed_signers
	Organisation string     // who makes the bundle, for bag-info.txt and the report
	Actor        evidence.Name
	Purpose      string
	Recipient    age.Recipient // if set, BAG.tar.age is written beside the bag

	Anchors     Anchors     // nil: the bundle says that nobody outside confirmed the log
	Authorities []Authority // each stamps the tag manifest; one that fails is a warning

	Now      func() time.Time
	Build    string
	Progress func(done, total int64) // records and files written; total may grow
}

// Result says what was built.
type Result struct {
	Path        string          `json:"path"`
	Sealed      string          `json:"sealed,omitempty"` // BAG.tar.age
	Exhibits    int             `json:"exhibits"`         // posts asked for
	Posts       int             `json:"posts"`            // with album and neighbours
	Records     int             `json:"records"`
	Withheld    int             `json:"withheld"` // bodies, withheld or erased
	Media       int             `json:"media"`
	MediaAbsent int             `json:"media_absent"`
	Raw         int             `json:"raw"`
	TreeSize    int64           `json:"tree_size"`
	TagManifest evidence.Digest `json:"tagmanifest"`
	Stamped     []string        `json:"stamped,omitempty"` // the authorities that stamped the tag manifest
	Warnings    []string        `json:"warnings,omitempty"`
}

// ErrOptions is wrapped by what is wrong with Options.
var ErrOptions = errors.New("bundle cannot be built")

func (o *Options) complete() error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Edition == "" {
		o.Edition = Standard
	}
	if o.Neighbours == 0 {
		o.Neighbours = DefaultNeighbours
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	asked := 0
	for _, set := range []bool{o.Case != "", len(o.Posts) > 0, o.Account != ""} {
		if set {
			asked++
		}
	}
	if o.Name == "" && asked == 1 {
		o.Name = strings.ReplaceAll(string(o.subject()), "/", "-") + "-" + o.Now().UTC().Format("20060102T150405Z")
	}
	switch {
	case o.Log == nil || o.Signer == nil || o.Identity == "" || o.Out == "" || o.Actor.Space == 0:
		return fmt.Errorf("%w: it needs a log, a folder, an actor, a signer and the signer's identity", ErrOptions)
	case asked != 1:
		return fmt.Errorf("%w: name a case, posts or an account, and only one of them", ErrOptions)
	case o.Edition != Standard && o.Edition != Full:
		return fmt.Errorf("%w: %q is no edition; choose standard or full", ErrOptions, o.Edition)
	case !plainName.MatchString(o.Name) || strings.HasPrefix(o.Name, "-"):
		return fmt.Errorf("%w: %q cannot name a bag; use letters, digits, dot, dash and underscore", ErrOptions, o.Name)
	case o.Case != "" && (o.Case.Space() != evidence.SpaceCase || o.Case.Part() != ""):
		return fmt.Errorf("%w: %q is not a case such as c3", ErrOptions, o.Case)
	case o.Account != "" && (o.Account.Space() != evidence.SpaceAccount || o.Account.Part() != ""):
		return fmt.Errorf("%w: %q is not an account such as a12", ErrOptions, o.Account)
	}
	for _, p := range o.Posts {
		if _, err := evidence.ParseOrdinal(string(p)); err != nil || p.Space() != evidence.SpaceAccount || p.Part() == "" {
			return fmt.Errorf("%w: %q is not a post such as a12/456", ErrOptions, p)
		}
	}
	return o.vacant()
}

// vacant makes sure that nothing lies where the bag will.
func (o *Options) vacant() error {
	for _, p := range []string{o.path(), o.path() + sealedSuffix} {
		if _, err := os.Lstat(p); err == nil {
			return fmt.Errorf("%w: %s exists and is not overwritten; choose another name", ErrOptions, p)
		} else if !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("build bundle: %w", err)
		}
	}
	return nil
}

const sealedSuffix = ".tar.age"

func (o *Options) path() string { return filepath.Join(o.Out, o.Name) }

// subject is what the record of the bundle is about.
func (o *Options) subject() evidence.Ordinal {
	switch {
	case o.Case != "":
		return o.Case
	case o.Account != "":
		return o.Account
	}
	for _, p := range o.Posts[1:] {
		if p.Whole() != o.Posts[0].Whole() {
			return "v0"
		}
	}
	return o.Posts[0].Whole()
}
