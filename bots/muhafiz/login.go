package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/muhafiz/muhafiz/bots/daemon"
)

type loginCmd struct {
	Platform     string `arg:"" enum:"telegram" help:"telegram."`
	Name         string `arg:"" help:"The account's name in the configuration."`
	CodeFrom     string `help:"Read the code from this file, or from standard input with -, instead of asking." placeholder:"FILE"`
	PasswordFile string `help:"Read the two-step verification password from this file." type:"path" placeholder:"FILE"`
}

func (loginCmd) Help() string {
	return "Asks the platform for a code, then for the two-step password where the account has one, and seals the session in the vault folder. Use dedicated accounts, one host each."
}

func (c loginCmd) Run(s *session) error {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	ask := daemon.LoginPrompts{
		Code: func(context.Context) (string, error) { return s.answer(c.CodeFrom, "Code that "+c.Platform+" sent: ") },
		Password: func(context.Context) (string, error) {
			if c.PasswordFile != "" {
				return s.answer(c.PasswordFile, "")
			}
			b, err := s.secret("Two-step verification password: ")
			return string(b), err
		},
	}
	if err := daemon.Login(s, daemon.Options{Config: cfg, Build: build(), Log: s.log}, c.Name, ask); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "logged in as %s; a running daemon uses the session after its next start\n", c.Name)
	return nil
}

// answer reads one line from a file, from standard input where file is -, or asks for it.
func (s *session) answer(file, prompt string) (string, error) {
	in := s.in
	switch file {
	case "-":
	case "":
		if !isTerminal(s.in) {
			return "", errors.New("there is no terminal to ask on: give --code-from")
		}
		fmt.Fprint(s.err, prompt)
	default:
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	if line = strings.TrimSpace(line); line != "" {
		return line, nil
	}
	return "", fmt.Errorf("no answer was given: %w", err)
}
