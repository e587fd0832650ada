package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/config"
)

type loginCmd struct {
	Platform     string `arg:"" enum:"telegram,whatsapp" help:"telegram or whatsapp."`
	Name         string `arg:"" help:"The account's name in the configuration."`
	CodeFrom     string `help:"Telegram: read the code from this file, from standard input with -, or from the first line that a program prints with cmd:/PROGRAM ARGUMENTS, instead of asking." placeholder:"FILE"`
	PasswordFile string `help:"Telegram: read the two-step verification password from this file, without its line end." type:"path" placeholder:"FILE"`
	QR           string `name:"qr" help:"Log in by scanning: draw the code on the terminal with --qr alone, print its text with --qr text, or write a picture with --qr FILE.png. The default for WhatsApp." placeholder:"HOW"`
	Code         string `help:"WhatsApp: link by a code that is typed on the phone of this number, or with --code alone of the configuration's." placeholder:"NUMBER"`
	Anew         bool   `help:"Throw the stored session away first; on WhatsApp the device is unlinked."`

	LatestVersion bool `help:"WhatsApp: only ask which version of the web client is served now. It is one request without the account, by its way out."`
}

func (loginCmd) Help() string {
	return "Telegram: asks the platform for a code, or shows a QR code to scan with an app that is logged in, then asks for the two-step password where the account has one, and seals the session in the vault folder. WhatsApp: shows a QR code to scan with the account's phone, and a new one as each expires, or a code to type there; the device's keys are kept encrypted in the vault folder. Use at least two numbers for WhatsApp, which locks them out without asking. Use dedicated accounts, one host each. A daemon must not be using the account; one that lost it lets go of it by itself, and takes it up again after the login."
}

func (c loginCmd) Run(s *session) error {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	if c.Platform == config.PlatformWhatsApp {
		return c.whatsApp(s, cfg)
	}
	if c.Code != "" || c.LatestVersion {
		return exit(exitUsage, errors.New("--code and --latest-version are for WhatsApp"))
	}
	if c.Anew {
		if err := daemon.ForgetSession(cfg, c.Name); err != nil {
			return err
		}
	}
	ask := daemon.LoginPrompts{
		Code: func(ctx context.Context) (string, error) {
			return s.code(ctx, c.CodeFrom, "Code that "+c.Platform+" sent: ")
		},
		Password: func(context.Context) (string, error) {
			if c.PasswordFile != "" {
				return passwordFrom(c.PasswordFile)
			}
			b, err := s.secret("Two-step verification password: ")
			return string(b), err
		},
		CodeSent: func(where string) { fmt.Fprintf(s.err, "the code comes by %s\n", safe(where)) },
	}
	if c.QR != "" {
		show, err := s.showQR(c.QR, "Scan with the Telegram app of the account: Settings, Devices, Link Desktop Device.")
		if err != nil {
			return err
		}
		ask.ShowQR = func(_ context.Context, link string, until time.Time) error { return show(link, until) }
		if strings.HasSuffix(c.QR, ".png") {
			defer os.Remove(c.QR) // whoever opens an unused code gives the account away
		}
	}
	if err := daemon.Login(s, daemon.Options{Config: cfg, Build: build(), Log: s.log}, c.Name, ask); err != nil {
		return err
	}
	return c.resume(s, cfg, "logged in as "+c.Name)
}

// resume tells a daemon that the account can be used again, and people what was done.
func (c loginCmd) resume(s *session, cfg *config.Config, done string) error {
	running, err := daemon.Resume(s, cfg, c.Platform, c.Name)
	switch {
	case err != nil:
		return exit(exitIncomplete, fmt.Errorf("%s, but the daemon does not use the account yet: %w", done, err))
	case running:
		fmt.Fprintf(s.out, "%s; the daemon uses the account again\n", done)
	default:
		fmt.Fprintf(s.out, "%s; the daemon uses the session when it starts\n", done)
	}
	return nil
}

// codeCommand introduces a program in --code-from.
const codeCommand = "cmd:"

// code gets the login code from where the flag says.
func (s *session) code(ctx context.Context, from, prompt string) (string, error) {
	line, ok := strings.CutPrefix(from, codeCommand)
	if !ok {
		return s.answer(from, prompt)
	}
	args := strings.Fields(line)
	if len(args) == 0 {
		return "", errors.New("--code-from cmd: names no program")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute) // codes are good for about that long
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stderr, cmd.WaitDelay = s.err, time.Second
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("the program of --code-from: %w", err)
	}
	return firstLine(&out)
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
	return firstLine(in)
}

func firstLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if line = strings.TrimSpace(line); line != "" {
		return line, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return "", errors.New("no answer was given: its first line is empty")
	}
	return "", fmt.Errorf("no answer was given: %w", err)
}

// passwordFrom reads a password, in which spaces count.
func passwordFrom(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if b = bytes.TrimRight(b, "\r\n"); len(b) == 0 {
		return "", fmt.Errorf("the password file %s is empty", file)
	}
	return string(b), nil
}
