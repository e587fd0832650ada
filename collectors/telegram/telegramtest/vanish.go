package telegramtest

// Hiding is what a channel that is there does not show.
type Hiding string

// The ways of hiding.
const (
	HideNothing Hiding = ""
	HidePosts   Hiding = "posts"       // no post, however it is asked for
	HideByID    Hiding = "posts-by-id" // posts that are asked for by number; the history shows them
)

// Restrict marks a channel as withheld, as the platform does before or instead of removing it; without reasons it takes the mark away.
func (ch *Channel) Restrict(reasons ...Restriction) {
	ch.Change(func(p *Profile) { p.Restriction = reasons })
}

// MakePrivate closes a channel to everybody who is not in it, and frees its names.
func (ch *Channel) MakePrivate() {
	ch.Change(func(p *Profile) { p.Private, p.Username, p.Usernames = true, "", nil })
}

// Vanish deletes a channel and frees its names. The platform does not tell whether its owner or the platform itself did it.
func (ch *Channel) Vanish() {
	ch.Change(func(p *Profile) { p.Gone, p.Username, p.Usernames = true, "", nil })
}

// Return undoes MakePrivate and Vanish, under a name.
func (ch *Channel) Return(username string) {
	ch.Change(func(p *Profile) { p.Private, p.Gone, p.Username = false, false, username })
}

// Hide stops showing posts that are there, to everybody and without a word.
func (ch *Channel) Hide(h Hiding) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	ch.profile.Hidden = h
	ch.w.save()
}
