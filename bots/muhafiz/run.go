package main

import (
	"github.com/muhafiz/muhafiz/bots/daemon"
)

type runCmd struct{}

func (runCmd) Help() string {
	return "Makes the vault when it is not there, makes the configuration true, collects approved targets, reports on schedule, and serves the control socket until it is told to stop. SIGHUP or a changed file reloads the configuration; one with mistakes changes nothing. It stops when it can no longer write."
}

func (runCmd) Run(s *session) error {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	return daemon.New(daemon.Options{Config: cfg, Build: build(), Log: s.log, Passphrase: s.logKeyPassphrase()}).Run(s)
}
