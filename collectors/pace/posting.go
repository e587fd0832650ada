package pace

import (
	"math"
	"time"
)

// Posting is how often a target posts, learned from what was seen of it: the posts and the hours that were observed, both fading. The
// zero value knows nothing and answers with the prior. It is small and plain so that it can be kept in a cursor.
type Posting struct {
	Posts float64 `json:"n"`
	Hours float64 `json:"h"`
}

// The fading and the prior. A day's half-life follows a channel's habits without forgetting over night; the prior is worth four hours
// in which two posts were seen, so that a new target is neither hammered nor left.
const (
	halfLife   = 24.0 // hours
	priorPosts = 2.0
	priorHours = 4.0
)

// Seen returns what is known after n posts were seen in a stretch of observation.
func (p Posting) Seen(n int, over time.Duration) Posting {
	h := over.Hours()
	if !(h > 0) || n < 0 {
		return p
	}
	fade := math.Exp2(-h / halfLife)
	// Posts of the stretch itself fade by half of it in the mean, and so does its length; a long stretch counts no more than it can.
	weight := halfLife / math.Ln2 * (1 - fade) / h
	return Posting{Posts: p.Posts*fade + float64(n)*weight, Hours: p.Hours*fade + h*weight}
}

// PerHour returns the expected number of posts an hour, always above 0: the mean of a gamma distribution that the observations
// sharpen.
func (p Posting) PerHour() float64 {
	if !(p.Posts >= 0) || !(p.Hours >= 0) || math.IsInf(p.Posts, 0) || math.IsInf(p.Hours, 0) {
		return priorPosts / priorHours
	}
	// The prior's posts weigh less the longer nothing contradicts a silent target.
	return (p.Posts + priorPosts*priorHours/(priorHours+p.Hours)) / (p.Hours + priorHours)
}
