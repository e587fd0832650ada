// Package secrets keeps private keys and platform sessions: the key that signs the log's checkpoints, the sessions of our own
// accounts, sealed at rest, and SSH keys for people who are only played (a demo).
//
// It promises that what it writes is readable by its owner only, is complete and on disk when the call returns, and never replaces a
// key that is there; that a key file which others can read or own is refused with the command that mends it; that no error says anything of a key or a
// passphrase; and that a session is used by
// one process at a time.
//
// It does not promise anything against who can read this process's memory or is this user: the sealed sessions are worth nothing
// without the identity file, and everything with it. The lock is advisory (flock) and holds on one machine.
package secrets
