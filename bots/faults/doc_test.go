// Package faults holds tests and nothing else: the program as it is built, killed and let down by the disk, while somebody outside
// keeps his own list of what it acknowledged.
//
// They promise that what the program answered, or told the platform that it has, is there afterwards, once, with the bytes that it had;
// that it stops with a sentence and a next step where a write on the evidence's path fails, and syncs nothing again; and that blobs,
// keys and records reach the disk in the order that makes this so.
//
// They do not cut the power: what a disk loses that had acknowledged a sync is beyond them. strace makes the calls fail, and fails each once a
// thread; where it cannot tell one file from another, the kernel's own limits do it.
package faults
