// Package chatexport imports files in which a person kept a public channel: the JSON export of Telegram Desktop, in its current
// form and in that of 2021, and the one-channel part of a full account export; the exported chat of a WhatsApp channel; and manual
// captures: a folder with what a person saw in a browser, described by a capture.json.
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
// A WhatsApp export is text that does not say what it is of, and most are of groups and conversations. It is read only for a channel
// that the log knows by its number and name, and only if every message is by that name, nobody else and no telephone number
// occurs as a sender, and every remark of the platform's own is one of a channel; else it is refused whole, before a byte is kept.
// Whether its dates have the day or the month first is told by the whole file, or by whoever imports it, never guessed; times have
// no zone. A post has no number there, so it gets one that no platform's number reaches, made of its minute, its kind and its
// text (see textPart): the same export, a longer one, or that of another phone with the same time zone and date gives the same numbers. Files are
// looked up by plain names, in an archive without unpacking it. Beside a text that was given alone only files under names that
// WhatsApp gives are read: whoever writes a post can name any file.
//
// What that cannot tell: an edit that changed the text is a post of its own, with the mark `edited`, and so is `message_deleted`, for
// the text does not say what stood there before; posts collected live and exported ones stand beside each other; of several messages
// with equal text in one minute, the count tells them apart, so an export that begins among them gives them other counts; and a
// message that quotes a whole line of an export, in the file's own form of dates, makes the file refused.
//
// What it does not promise: that the file is what Telegram wrote. An export is text that anybody can edit; the acquisition says
// who imported which bytes and when, not that they are genuine. A file that is older than what the vault has is a version like
// any other: importing exports out of order makes the older text the latest of this method, and importing one without files
// after one with files records them as missed, though the kept ones remain. An edit that leaves no edit date and changes a file
// for one of the same type, dimensions, duration and MIME type, without the file, is not seen.
package chatexport
