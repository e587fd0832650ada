// Package telegram observes public broadcast channels on Telegram with one of our own accounts, over MTProto.
//
// It promises:
//
//   - A channel's position (pts, lowest id of the backfill) moves only in the same Put that makes the posts durable, so a
//     crash at any moment repeats work and loses none.
//   - Every reply that brings something is kept byte for byte, and a post says where in it its own bytes stand.
//   - The history is read to an empty page, live changes through our own poller; pushes only say "poll now", so that what
//     the client library drops on its way costs time and not evidence.
//   - Losing our own account is a state of its own (logged-out, needs-password, frozen, banned), with what to do about it, and a gap on
//     its targets; it is never waited for, and never taken for something that happened to a target.
//   - An account with a proxy reaches the platform through it and not past it, and says truly what program it is.
//   - Nothing but the methods of Methods is ever invoked: no joining, sending, reacting, marking as read, counting a view or
//     listing of people.
//
// It does not promise to see everything: a post that came and went between two polls, or an edit that the platform did not
// announce and the recheck of the recent posts did not reach, is lost. That is what `gap` records and the interval of
// the rechecks are for. The platform does not say when a reaction or a link preview changed a post; such changes alone make
// no version.
//
// All other packages speak to Telegram through this one: it is the only owner of github.com/gotd/td.
package telegram
