// Package room decides what may still be taken in as a disk gets full, and forecasts when it will be. It is arithmetic alone: whoever
// uses it measures the disk, acts on the level and tells people.
//
// It promises an order: first files over a size are left out, then history backwards waits, then collection stops; and that a level is
// left only when clearly more room has returned than it was entered with. It does not promise that what was let in still fits when it
// arrives: other programs fill disks too.
package room
