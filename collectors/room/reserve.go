package room

// Reserve is the room that is set aside, so that what must be written at the last level can be.
type Reserve struct {
	File  int64 `json:"file"`  // bytes of the file that is given up when they are needed
	Ahead int64 `json:"ahead"` // bytes that the database's own file has beyond its last page
}

// Reserved is what of it is there.
type Reserved struct {
	File  bool  `json:"file"`
	Ahead int64 `json:"ahead"`
}

// Missing returns how many bytes of a reserve are not there.
func (r Reserve) Missing(have Reserved) int64 {
	n := max(0, r.Ahead-have.Ahead)
	if !have.File {
		n += r.File
	}
	return n
}

// Step is what is to be done about a reserve.
type Step int

// The steps.
const (
	Stay    Step = iota
	Release      // the file goes, and its bytes are free for what must be written
	Make         // what is missing is made
)

// Step says what is to be done at a level with free bytes on the disk, those that make up the reserve not among them. It is made again only when
// that leaves clearly more than what would have it released.
func (r Reserve) Step(v Level, free int64, have Reserved) Step {
	missing := r.Missing(have)
	switch {
	case v == NoCollection && have.File && free < r.File:
		return Release
	case missing > 0 && free-missing >= 2*r.File && (v < NoCollection || !have.File):
		return Make
	}
	return Stay
}

// Free returns how much of the free bytes may be counted on: what is missing of the reserve comes first.
func (r Reserve) Free(free int64, have Reserved) int64 { return max(0, free-r.Missing(have)) }
