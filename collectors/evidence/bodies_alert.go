package evidence

// The events of an Alert.
const (
	AlertRaised   = "raised"
	AlertRepeated = "repeated"
	AlertWidened  = "widened" // more people are told, since it lasts
	AlertEnded    = "ended"   // sight returned, or the target is no longer watched
)

// Alert says that people were told, or could not be told, of something that keeps us from seeing, or of its end. Subject: v0.
type Alert struct {
	Event string `json:"event"`
	Key   string `json:"key"`  // what it is about: sight, account/SOURCE, target/ID
	What  string `json:"what"` // in a sentence, without a word of a post
	Do    string `json:"do,omitempty"`
	Since Time   `json:"since"`
	Count int    `json:"count"` // messages about it so far, this one included
	Wide  bool   `json:"wide,omitempty"`
	Told  []Told `json:"told"`
}

// Told is one way by which an alert went, or did not.
type Told struct {
	Way   string `json:"way"`          // mail, command
	To    int    `json:"to,omitempty"` // recipients of mail
	Error string `json:"error,omitempty"`
}

// Arrived reports whether at least one way worked.
func (a *Alert) Arrived() bool {
	for _, t := range a.Told {
		if t.Error == "" {
			return true
		}
	}
	return false
}

// Kind implements Body.
func (*Alert) Kind() Kind { return KindAlert }

// Schema implements Body.
func (*Alert) Schema() int { return 1 }
