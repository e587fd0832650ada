// Package vault is the log of DESIGN §3: records with their Merkle tree, the blobs that they name, and the views that are
// derived from them, in one folder that one process holds.
//
// It promises that what Put or Keep has acknowledged survives kill -9 and power loss as far as the disk keeps its word, that
// a batch is written whole or not at all, that a draft put twice is one record, and that sequence numbers have no holes.
// After a failed commit it refuses to go on rather than guess what reached the disk.
//
// It does not promise that a body is true, that a record cannot be rewritten by whoever holds both the folder and the log
// key (an earlier checkpoint elsewhere shows it), or that reading sees a batch before Put has returned.
package vault
