package vault

import "github.com/muhafiz/muhafiz/collectors/evidence"

// The classes of keys that no record's subject gives.
const (
	classState = "state" // names and cursors
	classBlobs = "blobs"
	classView  = "view." // and the view's name
)

// content are the kinds that hold what a channel published: they are sealed per channel and month, so that retention can destroy a
// month of a channel, and what is known of its collection stays readable.
func content(k evidence.Kind) bool {
	switch k {
	case evidence.KindPostSeen, evidence.KindPostCounts, evidence.KindPostGone, evidence.KindMediaKept, evidence.KindMediaMissed,
		evidence.KindAccountSeen, evidence.KindFinding:
		return true
	}
	return false
}

// inTheClear says which are the kinds that are never sealed: who checks the log without a key needs them, and they hold nothing that was collected.
func inTheClear(k evidence.Kind) bool {
	switch k {
	case evidence.KindVaultCreated, evidence.KindKeyRotated, evidence.KindCheckpoint, evidence.KindErased, evidence.KindVaultCompacted:
		return true
	}
	return false
}

// class returns the class of a record.
func class(e evidence.Envelope) string {
	if e.Subject.Space() == evidence.SpaceAccount && content(e.Kind) {
		return string(e.Subject.Whole())
	}
	return string([]byte{byte(e.Subject.Space())})
}
