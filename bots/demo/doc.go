// Package demo plays the whole story on one machine: a loopback Telegram with fictional channels, the real daemon, two people
// with their own keys, a loopback mailbox, a bundle that is built and verified, and fsck. Everything that it shows is about
// fictional organisations, bland, and says that it is simulated.
//
// It promises that what it prints was looked up in the vault and compared with what the loopback platform knows it published;
// a check that does not hold makes it fail. It contacts nothing outside 127.0.0.1. It does not promise that a real platform
// behaves like the loopback one.
package demo
