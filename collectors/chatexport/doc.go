// Package chatexport imports files in which a person kept a public channel: the JSON export of Telegram Desktop, in its current
// form and in that of 2021, and the one-channel part of a full account export; and manual captures: a folder with what a person saw in a
// browser, described by a capture.json.
//
// It promises that every entry of the file is accounted for: it became a version, was the same as the latest one, or is listed
// with its reason, both in the report and in the log; that importing the same file again writes nothing; that memory does not
// grow with the file; and that nothing in the file, nor in the folder beside it, makes it read outside of that folder. The
// chat's bytes are kept as the acquisition's reply, and each post says where it stands in them.
//
// Only public broadcast channels are read. Groups, private channels and conversations are refused before a byte is kept; of a
// full account export, which holds an account's private life, only the stretch of the one channel is kept.
//
// A capture is strict: one that is malformed, of another account or that leads out of its folder, also by a symbolic link, is refused
// whole, before a byte is kept; a file that it names and that is not there is recorded as missed. Its posts are named by the
// platform's numbers. Who captured it, when and with what is the capture's own claim; a post's stretch of capture.json is a person's
// transcription and so never RawExact; the account is known by the platform's number where the capture gives one, else by its name.
//
// What it does not promise: that the file is what Telegram wrote. An export is text that anybody can edit; the acquisition says
// who imported which bytes and when, not that they are genuine. A file that is older than what the vault has is a version like
// any other: importing exports out of order makes the older text the latest of this method, and importing one without files
// after one with files records them as missed, though the kept ones remain. An edit that leaves no edit date and changes a file
// for one of the same type, dimensions, duration and MIME type, without the file, is not seen.
package chatexport
