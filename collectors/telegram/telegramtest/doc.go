// Package telegramtest is a loopback Telegram: a scripted world of channels, served over the real MTProto on 127.0.0.1 to the
// unmodified gotd client, in this process or another. Tests, the demo and the benchmark use it; it never reaches the network.
//
// # Promises
//
// What a client can do with a public broadcast channel is played as the API documents it: login by code or QR code and two-step password,
// resolving, metadata, history, messages by number, channel differences, pushed updates, files by part, in this data centre or in
// another. Every event raises the channel's pts. Every request is in Calls, whether it was answered or not; a method that is not
// played is an RPC error. Trouble (flood waits, errors, latency, cut and stalled calls, expired file references, differences that are
// too long, short pages, restarts) happens when the script says so and not otherwise.
//
// # Limitations
//
// No CDN, web sockets or temporary keys, and no migration of accounts but that of a scanned QR code. Auth keys live in memory, so after a
// restart of the process a client logs in again; a client that finds its key unknown makes a new one and repeats what it asked
// after telegram.Options.RetryInterval, 5 s by default. Groups, forums, bots and people can be resolved and nothing else; there are
// no members, dialogs, joining, stories, comments, search, reactions of single people, or scheduled posts. Updates of every channel
// are pushed to every session that is logged in, though the real platform pushes only joined channels. Numbers that the
// documentation leaves open (how long a log is kept, the time-out of a poll, the size of a too-long answer) are guesses. Rate limits
// exist only where the script plays them. A login code never expires, and a repeated request is answered again.
package telegramtest
