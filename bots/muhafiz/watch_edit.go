package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/config/intake"
	"github.com/muhafiz/muhafiz/reporter/review"
)

type watchRemoveCmd struct {
	Target string `arg:"" help:"The target's id."`
	who
	Reason string `required:"" help:"Why; it is recorded."`
}

func (watchRemoveCmd) Help() string {
	return "Takes the entry, with the comment right above it, out of its watchlist; all else in the file stays as it is. What was collected stays. A target that was listed by mistake is suspended or marked instead, so that the mistake and its correction stay in sight."
}

func (c watchRemoveCmd) Run(s *session) error {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	edit, err := intake.Edit{Config: cfg, ConfigPath: s.cfgPath, Load: config.Options{NoSecrets: true}, Target: c.Target}.Remove()
	if err != nil {
		return err
	}
	// The record comes first and the file right after it: were it the other way round, a daemon that watches the file would record a
	// removal without a reason.
	if _, err := os.Stat(filepath.Join(cfg.Vault, "vault.db")); err == nil {
		err = s.with("watch remove", func(cl *daemon.Client) error {
			return cl.Call(s, "POST", "/v1/targets/remove", daemon.TargetRequest{Person: c.As, Target: c.Target, Reason: c.Reason}, &review.Target{})
		})
		if err != nil {
			return err
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := edit.Apply(); err != nil {
		return fmt.Errorf("the removal is recorded and nothing more is collected, but the watchlist still has the entry: %w", err)
	}
	return c.done(s, cfg, edit)
}

func (c watchRemoveCmd) done(s *session, cfg *config.Config, e *intake.Edited) error {
	reloaded, err := s.reloadDaemon(cfg)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(e)
	}
	fmt.Fprintf(s.out, "%s is taken out of %s; %s\n", e.ID, e.File, reloaded)
	return nil
}

type watchSuccessorCmd struct {
	Target  string `arg:"" help:"The id of the target that went away."`
	Address string `arg:"" help:"The address of the account that came in its place."`
	signs
	Basis  string `required:"" help:"Why it is the successor, in words."`
	Source string `help:"What shows it: a file of which a copy is kept, or a title and link. Default: your own words." placeholder:"FILE|TEXT"`
}

func (c watchSuccessorCmd) Run(s *session) error {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	if p, ok := cfg.Person(c.As); !ok || !p.CanDecide() {
		return exit(exitUsage, fmt.Errorf("%q may not list targets: that takes a person of the configuration with the role analyst, reviewer or senior", c.As))
	}
	if err := c.checkKnown(s, cfg); err != nil {
		return err
	}
	edit, err := intake.Edit{Config: cfg, ConfigPath: s.cfgPath, Load: config.Options{NoSecrets: true}, Target: c.Target}.Successor(c.Address, c.Basis, c.Source, c.As, time.Now())
	if err != nil {
		return err
	}
	listed, err := c.listNew(s, "watch successor", edit.Config, map[string]bool{edit.ID: true}, edit.Apply)
	if err != nil {
		return err
	}
	reloaded, err := s.reloadDaemon(cfg)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(edit)
	}
	fmt.Fprintf(s.out, "%s is listed in %s as the successor of %s; %s\n%s\na second person approves: muhafiz watch approve --as THEM %s\n", edit.ID, edit.File, c.Target, reloaded, listed, edit.ID)
	return nil
}

// checkKnown refuses an account that the log knows as innocent.
func (c watchSuccessorCmd) checkKnown(s *session, cfg *config.Config) error {
	a, err := config.ParseAddress(c.Address)
	if err != nil {
		return err
	}
	prior, err := watchAddCmd{}.known(s, cfg)
	if err != nil {
		return err
	}
	for _, p := range prior {
		if p.Address == a.Canonical && p.State == intake.StateInnocent {
			return fmt.Errorf("%s is the target %s, which was found innocent (%s): see `muhafiz watch relist`", a, p.ID, strings.TrimSpace(p.Reason))
		}
	}
	return nil
}
