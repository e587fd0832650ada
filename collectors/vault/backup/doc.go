// Package backup copies a vault, while it runs, to a folder or to S3-compatible storage, checks such a copy where it lies, and makes a
// vault of it again that continues the same log.
//
// A place holds `muhafiz-backup.json` (whose backup this is), `objects/ab/DIGEST` (each named by the SHA-256 of its bytes as they lie
// there, so that sha256sum checks them), and `manifests/NAME.json`, which is written last and lists the objects of one backup. An object
// that is there is never written again, so that each run adds what is new and an interrupted one costs nothing but its own time. Where
// recipients are given, every object is an age file.
//
// It promises that a manifest, once there, is complete and consistent: the log up to one record, and the indexes and cursors of exactly
// that moment. It keeps bodies and blobs as they lie in the vault, sealed where they are sealed, and never a key.
//
// It does not promise that nothing happened after the backup (acts since then are not in it), or that whoever can write to the place
// cannot take objects away: verify finds that, it does not prevent it.
package backup
