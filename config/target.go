package config

import "crypto/sha256"

// watchlistFile is a file that `watchlists` names.
type watchlistFile struct {
	Targets []Target `yaml:"targets,required,empty"`
}

// Target is a public channel to watch, with the ground for doing so.
type Target struct {
	// ID is a short name in lower case under which the log keeps the target. Default: platform and name of the address, such as
	// telegram-example_news. Another id is another target.
	ID string `yaml:"id"`
	// Address is the public channel, in any form that ParseAddress takes: https://t.me/NAME, @NAME, tg://resolve?domain=NAME,
	// or https://whatsapp.com/channel/CODE. Accounts on X, Facebook and Instagram are listed only: reviewed and reported from captures.
	Address Address `yaml:"address,required"`
	// Organisation is the id of an organisation in the organisations file.
	Organisation string `yaml:"organisation,required"`
	// Affiliation says why this account is that organisation's.
	Affiliation Affiliation `yaml:"affiliation,required"`
	// Collect says what is kept. Not for targets that are listed only.
	Collect Collect `yaml:"collect"`
	// Report says whether approved cases may become notices. Default false: collect only.
	Report bool `yaml:"report"`
	// Retain is how long what is collected of it is kept, such as 365d. Default: its organisation's term, or retention.default.
	Retain Days `yaml:"retain"`
	// ListedBy is the id of the analyst, reviewer or senior who put the target here, and who signs that with `muhafiz watch sign`, again
	// after each change. A second person approves it before collection begins.
	ListedBy string `yaml:"listed_by,required"`
	// Note is for colleagues; it is not written to the log.
	Note string `yaml:"note"`

	File       string            `yaml:"-"` // base name of the watchlist
	FileSHA256 [sha256.Size]byte `yaml:"-"`
	Pos        Position          `yaml:"-"`
}

// Affiliation says why an account is an organisation's: who says so, where.
type Affiliation struct {
	// Basis is the reason in words.
	Basis string `yaml:"basis,required"`
	// Citation is the source that named the account.
	Citation Citation `yaml:"citation,required"`
}

// Citation is a source. One of URL and File is needed.
type Citation struct {
	Title string `yaml:"title,required"`
	// URL is an http or https link.
	URL string `yaml:"url"`
	// Date is when it was published or read: 2026-01-31, 2026-01 or 2026.
	Date string `yaml:"date"`
	// File is a copy of the cited document. Its SHA-256 goes into the target's record.
	File string `yaml:"file"`

	SHA256 [sha256.Size]byte `yaml:"-"` // of File; zero without one
}

// Collect says what is kept of a target.
type Collect struct {
	// Backfill reads the history to its start. Default true.
	Backfill bool `yaml:"backfill"`
	// Media are the kinds of files to keep: photo, document, video, audio. Default all four; [] keeps none. What is not kept is
	// recorded as missed.
	Media []string `yaml:"media"`
	// MaxBytes is the largest file to keep: a number of bytes, or with kB, MB, GB, KiB, MiB, GiB. Default 20MB. Larger ones are
	// recorded as missed.
	MaxBytes Size `yaml:"max_bytes"`
	// MaxBytesOf sets another limit than max_bytes for a kind of media. Unset kinds have max_bytes.
	MaxBytesOf KindSizes `yaml:"max_bytes_of"`
	// MIME says which types of files are kept.
	MIME TypeRules `yaml:"mime"`
	// Thumbnails keeps, of a file that is over its limit, the largest smaller rendering that is under it, and marks it as such. Default
	// true.
	Thumbnails bool `yaml:"thumbnails"`
	// Mode is how the channel is observed. rotation (default) reads it now and then without joining, busy channels more often; its
	// administrators cannot see that. poll asks for changes at least every 50 seconds on Telegram, for at most ten targets of an account:
	// more are read in rotation, as often as that allows; on WhatsApp every whatsapp.poll_every. joined has our account join the channel
	// (on WhatsApp: follow it), which its administrators may see, and is told of changes at once. `muhafiz plan` prints what delay each
	// target can expect.
	Mode string `yaml:"mode"`
}

// The modes of Collect.Mode.
const (
	ModeRotation = "rotation"
	ModePoll     = "poll"
	ModeJoined   = "joined"
)

// Modes returns the modes of Collect.Mode, the default first.
func Modes() []string { return []string{ModeRotation, ModePoll, ModeJoined} }

// KindSizes is a size for each kind of media; zero is unset.
type KindSizes struct {
	Photo    Size `yaml:"photo"`
	Document Size `yaml:"document"`
	Video    Size `yaml:"video"`
	Audio    Size `yaml:"audio"`
}

// Map returns the sizes that are set, by kind; nil where none is.
func (k KindSizes) Map() map[string]int64 {
	var out map[string]int64
	for kind, n := range map[string]Size{"photo": k.Photo, "document": k.Document, "video": k.Video, "audio": k.Audio} {
		if n == 0 {
			continue
		}
		if out == nil {
			out = map[string]int64{}
		}
		out[kind] = int64(n)
	}
	return out
}

// TypeRules are media types such as application/pdf or image/*.
type TypeRules struct {
	// Allow keeps these types only. Default: all.
	Allow []string `yaml:"allow"`
	// Deny keeps none of these, by what the platform says and by what the bytes show. It outranks allow.
	Deny []string `yaml:"deny"`
}

// MediaKinds returns the kinds of media that can be collected.
func MediaKinds() []string { return []string{"photo", "document", "video", "audio"} }

// DefaultMaxBytes is the default of Collect.MaxBytes.
const DefaultMaxBytes Size = 20_000_000

func (c *Collect) setDefaults() {
	*c = Collect{Backfill: true, Media: MediaKinds(), MaxBytes: DefaultMaxBytes, Mode: ModeRotation, Thumbnails: true}
}
