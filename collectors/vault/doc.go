// Package vault is the log of DESIGN §3: records with their Merkle tree, the blobs that they name, and the views that are
// derived from them, in one folder that one process holds.
//
// It promises that what Put or Keep has acknowledged survives kill -9 and power loss as far as the disk keeps its word, that
// a batch is written whole or not at all, that a draft put twice is one record, and that sequence numbers have no holes.
// After a failed commit it refuses to go on rather than guess what reached the disk.
//
// A vault with Keys is sealed: bodies, facets, names, cursors, the values of views and blobs are encrypted under data keys that lie in a key
// ring outside vault.db, per channel and month where they are what a channel published. Envelopes, tree, checkpoints and the records of
// erasures stay readable, so that the log can be checked without a key. What Erase took out no reader sees when it returns; its bytes leave
// the disk with the data key where nothing else needs that, else when Compact has run.
//
// It does not promise that a body is true, that sealing hides how much was recorded when, about which numbers, which keys the views use and
// which SHA-256 a blob has, that a disk forgets what was overwritten or a copy made by others is ever erased, that an older vault.db is
// noticed beyond what the key ring saw at the last checkpoint or close, that a record cannot be rewritten by whoever holds both the folder and the log
// key (an earlier checkpoint elsewhere shows it), or that reading sees a batch before Put has returned.
package vault
