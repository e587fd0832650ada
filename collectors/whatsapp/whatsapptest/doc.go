// Package whatsapptest is a loopback WhatsApp: a scripted world of channels ("newsletters"), served on 127.0.0.1 to the unmodified
// whatsmeow client, in this process or another. Tests, the demo and the benchmark use it; it never reaches the network.
//
// # Promises
//
// What a linked device can do with a public channel is played as the client library speaks it: the Noise handshake under a root key of
// our own, pairing by QR code and by phone number, login, prekeys, keep-alive, metadata by invite and by id, following, pages of history,
// counts, pushed posts, edits and deletions with acknowledgements, and media. A push that nobody acknowledged is sent again when the
// device comes back. Every node and every media request is in Calls, whether it was answered or not; what is not played is an IQ
// error 501. Trouble (rate limits, errors, mangled and late answers, cut connections, refused logins, tampered media) happens when the
// script says so and not otherwise. Nothing that a client sends ends the server.
//
// # Limitations
//
// Connections are plain TCP: a client has to be redirected without TLS. No groups, people, messages between them, history
// sync, presence, app state, channel directories, polls' votes, or uploads; there are no subscribers to list, only a number. The phone that scans a code
// is played by Scan and EnterCode. Guesses, since the platform documents nothing: that posts are pushed to
// followers alone and counts to subscribers of live updates; what a suspended, a removed and an unknown channel answer; in which order pages come (SetOrder
// changes it); how long an unacknowledged push is kept. Rate limits exist only where the script plays them.
package whatsapptest
