// Package daemon is the only room that sees all others: it translates the configuration into each package's own options,
// opens the vault with the one list of views, runs the sources and the reporter, and serves the control socket.
//
// It promises that a command gets the same answer, the same refusals and the same `access` records whether it speaks to a
// running daemon or opens the vault itself, since both go through the same handlers; and that a daemon which can no longer
// write stops. It does not promise that a person who holds the machine's root account cannot reach the vault past it.
package daemon
