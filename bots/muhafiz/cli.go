package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
)

// The exit codes, see the package comment.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitIntegrity  = 3
	exitIncomplete = 4
)

// grammar is the command line; kong fills it.
type grammar struct {
	Config   string `short:"c" help:"Configuration file." default:"muhafiz.yaml" env:"MUHAFIZ_CONFIG" type:"path"`
	JSON     bool   `name:"json" help:"Print data as JSON, for programs."`
	LogLevel string `help:"What the log on standard error holds: debug, info, warn or error; auto is info for run and warn for the rest." enum:"auto,debug,info,warn,error" default:"auto"`

	Demo       demoCmd       `cmd:"" help:"Play the whole story on this machine: loopback platforms, two people, a notice, a bundle. No account, no network."`
	Check      checkCmd      `cmd:"" help:"Validate the configuration and say what it would do."`
	Run        runCmd        `cmd:"" help:"Run the daemon: collect, report, serve the control socket."`
	Login      loginCmd      `cmd:"" help:"Log one of our own platform accounts in."`
	Watch      watchCmd      `cmd:"" help:"List targets; approve one as the second person; suspend one at once."`
	Today      todayCmd      `cmd:"" help:"Say what changed and what waits: what a person needs in the morning."`
	Review     reviewCmd     `cmd:"" help:"Work the queue: look, decide, approve."`
	Notice     noticeCmd     `cmd:"" help:"List notices, send what is due, settle what is uncertain."`
	Import     importCmd     `cmd:"" help:"Import a Telegram Desktop or WhatsApp export of a target's channel, or a manual capture of its account."`
	Plan       planCmd       `cmd:"" help:"Say how each target is observed, by which account, with what delay."`
	Coverage   coverageCmd   `cmd:"" help:"Say how much of the time each target was observed, and list the gaps."`
	Status     statusCmd     `cmd:"" help:"Say what the vault holds and whether anything is blind."`
	Alerts     alertsCmd     `cmd:"" help:"List what keeps us from seeing; try out how people are told."`
	Log        logCmd        `cmd:"" help:"Read the record trail in plain language. The look is recorded."`
	Audit      auditCmd      `cmd:"" help:"Export every act with proofs; verify such an export."`
	Bundle     bundleCmd     `cmd:"" help:"Build an evidence bundle of a case, an account or single posts."`
	Verify     verifyCmd     `cmd:"" help:"Verify a bundle. Needs no vault and no configuration."`
	Backup     backupCmd     `cmd:"" help:"Copy the vault while it runs; list and verify such copies; copy the keys apart."`
	Restore    restoreCmd    `cmd:"" help:"Make a vault of a backup. It continues the same log."`
	Scrub      scrubCmd      `cmd:"" help:"Read everything on the disk again, name what is damaged, bring blobs back from a backup."`
	Fsck       fsckCmd       `cmd:"" help:"Recompute everything in a vault and name what is wrong. Needs the vault to itself."`
	Hold       holdCmd       `cmd:"" help:"Keep something from being erased: place, release, list holds."`
	Retain     retainCmd     `cmd:"" help:"Say what retention would erase, or run it now."`
	Quarantine quarantineCmd `cmd:"" help:"Put a post out of sight at once; hand it to a hotline, destroy or release it as two people."`
	Compact    compactCmd    `cmd:"" help:"Write the vault's file anew without what was erased. Needs the vault to itself."`
	Checkpoint checkpointCmd `cmd:"" help:"Show the log's signed head and who outside confirmed it; export, verify, stamp, accept."`
	Key        keyCmd        `cmd:"" help:"Make a log key, a vault key or a person's signing key."`
}

// session is what a command gets beside its own flags.
type session struct {
	context.Context
	in      io.Reader
	out     io.Writer
	err     io.Writer
	json    bool
	cfgPath string
	log     zerolog.Logger
}

// exitError carries an exit code with an error that is, or is not, to be printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}
func (e *exitError) Unwrap() error { return e.err }

func exit(code int, err error) error { return &exitError{code, err} }

// Main runs one command and returns its exit code. It is what the program is, so that tests can run it.
func Main(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	var g grammar
	code := -1
	parser, err := kong.New(&g, kong.Name("muhafiz"),
		kong.Description("Muhafiz keeps what public channels of designated terrorist organisations publish, as evidence that anyone can check, and reports it until it is gone.\n\nExit codes: 0 done, 1 failed, 2 usage or configuration, 3 integrity violation, 4 done but something could not be checked or is missing."),
		kong.Writers(out, errOut), kong.Exit(func(c int) { code = c; panic(exited{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}), kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(errOut, "muhafiz:", err)
		return exitFailed
	}
	k, done := parse(parser, bareQR(args))
	if done {
		return code
	}
	if k.err != nil {
		fmt.Fprintf(errOut, "muhafiz: %v\nRun `muhafiz -h`, or `muhafiz COMMAND -h`, for what can be said.\n", k.err)
		return exitUsage
	}
	level, err := zerolog.ParseLevel(g.LogLevel)
	if err != nil { // auto
		level = zerolog.WarnLevel
		if k.ctx.Command() == "run" {
			level = zerolog.InfoLevel
		}
	}
	s := &session{
		Context: ctx, in: in, out: out, err: errOut, json: g.JSON, cfgPath: g.Config,
		log: zerolog.New(logWriter(errOut)).Level(level).With().Timestamp().Logger(),
	}
	return exitCode(errOut, k.ctx.Run(s))
}

// exited is how kong's own exits, such as help, come back out of Parse.
type exited struct{}

type parsed struct {
	ctx *kong.Context
	err error
}

func parse(p *kong.Kong, args []string) (res parsed, done bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(exited); !ok {
				panic(r)
			}
			done = true
		}
	}()
	c, err := p.Parse(args)
	return parsed{c, err}, false
}

// exitCode prints an error for people and maps it to an exit code, once, here.
func exitCode(errOut io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	if msg := daemon.Advised(err).Error(); msg != "" {
		fmt.Fprintln(errOut, "muhafiz:", strings.TrimRight(msg, "\n"))
	}
	var ee *exitError
	var api *daemon.APIError
	var cfg config.Errors
	switch {
	case errors.As(err, &ee):
		return ee.code
	case errors.As(err, &cfg):
		return exitUsage
	case errors.As(err, &api) && api.Code == "usage":
		return exitUsage
	case errors.As(err, &api) && api.Code == "integrity":
		return exitIntegrity
	case errors.Is(err, vault.ErrOlder), errors.Is(err, vault.ErrDamaged):
		return exitIntegrity
	case errors.Is(err, vault.ErrVaultKey), errors.Is(err, vault.ErrSealed), errors.Is(err, vault.ErrFormat), errors.Is(err, vault.ErrFolder), errors.Is(err, daemon.ErrLogKey):
		return exitUsage
	case errors.Is(err, vault.ErrLocked), errors.Is(err, context.Canceled):
		return exitFailed
	}
	return exitFailed
}

func logWriter(w io.Writer) io.Writer {
	if isTerminal(w) {
		return zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly}
	}
	return w
}
