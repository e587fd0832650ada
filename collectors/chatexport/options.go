package chatexport

import (
	"errors"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// ErrRefused: the file is an export, and not one that may or should be imported here. Nothing of it was kept.
var ErrRefused = errors.New("not imported")

// MethodName is Acquisition.Method of an import.
const MethodName = "import telegram-export"

// MethodSkipped is Acquisition.Method of the records that list what an import could not read; their Request names the import.
const MethodSkipped = "import telegram-export skipped"

// vantage is where an import looks from: not at the platform, but at a file.
const vantage = "import"

// AllMedia are the kinds of media that a target can ask for.
func AllMedia() []string { return []string{"photo", "document", "video", "audio"} }

// Options say what to import, for whom and into what. Sink, Target and Path are needed.
type Options struct {
	Sink    collectors.Sink
	Target  string // the configured id; a target.set must have bound it where Bind is true
	Address string // the target's normalised address, such as https://t.me/name: to mention that name names nobody
	Path    string // result.json, or the folder that holds it

	// BoundAccount is the platform's bare id of the account that the target is known to be, as decimal digits. An export of another
	// channel is refused. Empty: not known, and the file's own claim is believed.
	BoundAccount string
	// Bind writes the target.bound record, for a target that no collector resolves.
	Bind bool

	Actor    evidence.Name // who acts in the log; zero: the source `chatexport`, bound by a collector record
	Operator string        // who ran the import: a person's id or a login name
	Build    string        // of the program

	Media         []string // kinds of files to keep: photo, document, video, audio; others are media.missed, not-collected
	MaxMediaBytes int64    // of one media file; 0: 4 GiB
	MaxFileBytes  int64    // of the export's JSON; 0: 64 GiB

	Now      func() time.Time // nil: time.Now
	Log      zerolog.Logger
	Progress func(Progress) // called from one goroutine at a time, at most once a page
}

// Progress is how far an import is. Stage is `keep`, while the file itself is stored, and then `read`.
type Progress struct {
	Stage      string
	Bytes      int64
	TotalBytes int64
	Messages   int
}

// Report accounts for everything in the file: Messages = Posts + Service + Unchanged + Skipped.
type Report struct {
	Account string          // the channel's bare id
	Name    string          // as the file gives it
	File    string          // base name
	Bytes   int64           // kept as the acquisition's reply
	SHA256  evidence.Digest // of those bytes
	ID      evidence.ID     // of the acquisition; it is in the log only if Records is not 0

	Messages  int            // entries of the file
	Posts     int            // new versions of posts
	Service   int            // new versions of service messages
	Unchanged int            // entries that are as the vault has them already
	Skipped   int            // entries that became no record
	Reasons   map[string]int // of Skipped
	Parts     int            // parts of kept entries that could not be read, whose posts are marked `incomplete`, and what stands between entries

	MediaKept      int            // files that are new to their post
	MediaUnchanged int            // files that the vault had for their post
	MediaMissed    map[string]int // files not kept, by reason, whether or not the log knew

	Records       int   // written to the log
	Truncated     bool  // the file ends in the middle
	TruncatedAt   int64 // the byte at which it does
	TimesAreLocal bool  // the 2021 form, and WhatsApp's: dates without a zone

	DateOrder string `json:",omitempty"` // of a WhatsApp export: DayFirst, MonthFirst or YearFirst
}

// Missed is the number of files that were not kept.
func (r *Report) Missed() int {
	n := 0
	for _, c := range r.MediaMissed {
		n += c
	}
	return n
}

// Complete reports whether everything in the file was read.
func (r *Report) Complete() bool { return r.Skipped == 0 && r.Parts == 0 && !r.Truncated }

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxMediaBytes == 0 {
		o.MaxMediaBytes = 4 << 30
	}
	if o.MaxFileBytes == 0 {
		o.MaxFileBytes = 64 << 30
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return o
}
