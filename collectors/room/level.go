package room

// Level says what is taken in.
type Level int

// The levels, in the order in which a filling disk reaches them. Each includes what the ones before it leave out.
const (
	Ample        Level = iota // everything
	MediaLimited              // no file over Limits.MediaOver
	NoBackfill                // nor history backwards; what is new is read
	NoCollection              // nothing; people's acts and what we record about ourselves are written still
)

// Levels returns all levels in their order.
func Levels() []Level { return []Level{Ample, MediaLimited, NoBackfill, NoCollection} }

// String returns the level's name in records, metrics and status.
func (l Level) String() string {
	switch l {
	case MediaLimited:
		return "media-limited"
	case NoBackfill:
		return "no-backfill"
	case NoCollection:
		return "no-collection"
	}
	return "ample"
}

// Limits are the sizes of free room, in bytes, under which each level begins.
type Limits struct {
	Media      int64 `json:"media"`
	History    int64 `json:"history"`
	Collection int64 `json:"collection"`
	MediaOver  int64 `json:"media_over"` // the largest file that is fetched while room is short
}

// Ordered returns the limits with each one at least as high as the next, so that the levels come in their order whatever units they
// were given in.
func (l Limits) Ordered() Limits {
	l.History = max(l.History, l.Collection)
	l.Media = max(l.Media, l.History)
	return l
}

// of returns the free room under which a level begins.
func (l Limits) of(v Level) int64 {
	switch v {
	case MediaLimited:
		return l.Media
	case NoBackfill:
		return l.History
	case NoCollection:
		return l.Collection
	}
	return 0
}

// margin is how much of a limit must be free beyond it before its level is left: a quarter. Without it a disk at a limit would have
// sources stop and start with every file.
const margin = 4

// Leave returns the free room at which a level is left.
func (l Limits) Leave(v Level) int64 { return l.of(v) + l.of(v)/margin }

// Next returns the level with free bytes left, which may depend on the one before. A level is entered at once, several at a time if need
// be, and left with a margin.
func (l Limits) Next(was Level, free int64) Level {
	for v := NoCollection; v > Ample; v-- {
		if free < l.of(v) || v <= was && free < l.Leave(v) {
			return v
		}
	}
	return Ample
}

// Admits reports whether a file of size bytes may be fetched with free bytes left. One that alone would bring the next level about is left out as
// well. Of size 0 nobody knows how large it is: it is taken for large.
func (l Limits) Admits(v Level, free, size int64) bool {
	switch {
	case v == NoCollection:
		return false
	case size > 0 && size <= l.MediaOver:
		return true
	}
	return v == Ample && free-size >= l.Media
}
