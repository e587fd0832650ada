package main

import (
	"fmt"
	"runtime"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/bots/demo"
)

type demoCmd struct {
	Dir string `help:"Keep everything in this folder; a second run continues. A temporary folder when not given." type:"path" placeholder:"DIR"`
	Day bool   `help:"Then play an analyst's day with the program's own commands, and print what each prints: a list of twelve arrives, two go down, one comes back, one was a journalist's."`
}

func (demoCmd) Help() string {
	return "Starts a loopback Telegram with fictional channels and a loopback mailbox, runs the real daemon against them, plays two people with their own keys, builds and verifies a bundle, runs fsck, and prints what happened. Exit 0 when every check held. Nothing leaves this machine."
}

func (c demoCmd) Run(s *session) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("the demo runs on Linux only")
	}
	log := s.log
	if log.GetLevel() == zerolog.WarnLevel {
		log = log.Level(zerolog.ErrorLevel) // the story is told by sentences; --log-level debug shows the daemon's own words
	}
	return demo.Run(s, demo.Options{
		Dir: c.Dir, Day: c.Day, Build: build(), Log: log, Out: s.out,
		Say: func(format string, args ...any) { fmt.Fprintf(s.out, "· "+format+"\n", args...) },
	})
}
