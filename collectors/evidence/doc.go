// Package evidence is the vocabulary of the house: ordinals, record kinds, bodies, digests, drafts and views. Collectors,
// the vault, the reporter and the console all speak it, and it imports nothing of ours.
//
// The formats here are final once data exist: the envelope's exact bytes are Merkle leaves, and a body's exact bytes are
// hashed into its envelope. A change of a body's meaning is a new schema number of its kind, never a change of an old one.
// Readers keep records of kinds and schemas that they do not know and skip them.
//
// What this package does not promise: that a body is true. It says what was observed, when, how and by which of our own
// accounts; the claims of a platform or of an author are marked as claims.
package evidence
