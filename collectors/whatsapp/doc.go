// Package whatsapp observes public WhatsApp Channels ("newsletters" in the protocol) as one of our own linked devices, over the
// unmodified client go.mau.fi/whatsmeow.
//
// It promises:
//
//   - A channel's position (how far down its history was read, which posts are known) moves only in the same Put that makes the posts
//     durable, so a crash at any moment repeats work and loses none.
//   - The history is asked for as raw elements, page by page to an empty one, trusting no order. The library hands over decoded elements,
//     so what is kept is our own encoding of them, one JSON object a line, and every acquisition and post says so.
//   - A push is a hint: it is made durable as it came before it is acknowledged, and the same posts are then asked for. The answer's raw
//     elements are kept even where they change nothing; they make no second version.
//   - A deletion that the platform announces and a post that is no longer there are different records.
//   - Files come from WhatsApp's own hosts alone, by the path in the post and never by its URL, as a stream whose length and SHA-256 are
//     checked on its way into the Sink; what does not fit is not kept.
//   - The requests of Requests are the only ones that are made. Nothing is marked as viewed, no reaction, vote or message is sent, nobody is
//     listed, no group joined. A channel is followed only when its target's mode is "joined", and unfollowed when that is no longer so or
//     the target is removed while the source runs; what the phone's owner follows is left alone. Counters are asked to be told for followed
//     channels alone: there it reveals nothing that the following does not.
//   - The account's files are fetched several at once, those first whose time on the server runs out first, whichever channel they are of.
//   - In rotation busy channels are read more often than silent ones, by what was learned of them; together no more than the options say.
//   - Whatever ends our account's use is a `collector` record that says what to do, and a `gap` of each target. It is never told as
//     something that happened to a channel.
//
// A target that is removed while no source runs stays followed; it can be left on the phone.
//
// It does not promise to see everything: what came and went between two looks, and files that the platform no longer serves
// (after about 30 days), are lost, which is what `gap` and media.missed record. The library answers on its own where the protocol asks for it:
// keep-alive, prekeys, and delivery receipts for messages that strangers send to our number. A 16 MB limit on the platform's frames bounds what a
// post can be.
//
// All other packages speak to WhatsApp through this one: it is the only owner of go.mau.fi/whatsmeow and its key store.
package whatsapp
