package main

import (
	"os"

	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter"
)

type checkCmd struct {
	WithoutSecrets bool `help:"Do not read secrets and private keys: for a machine that must not have them."`
}

func (checkCmd) Help() string {
	return "Prints every mistake at once as file:line:col: path: reason, and otherwise a summary with warnings, each route with its kind of notice, and what the law refuses there of the organisations that are listed. Exit 0 when the configuration can be used, 2 when not. Nothing is opened or contacted."
}

func (c checkCmd) Run(s *session) error {
	cfg, err := s.loadWith(config.Options{Getenv: os.Getenv, NoSecrets: c.WithoutSecrets})
	if err != nil {
		return err
	}
	sum := cfg.Summary()
	law := lawFindings(cfg)
	if s.json {
		return s.printJSON(struct {
			config.Summary
			Law []lawFinding `json:"law"`
		}{sum, law})
	}
	err = sum.Write(s.out)
	s.printLaw(law)
	return err
}

// load reads the configuration and what other packages have to say of it.
func (s *session) load() (*config.Config, error) {
	return s.loadWith(config.Options{Getenv: os.Getenv})
}

func (s *session) loadWith(o config.Options) (*config.Config, error) {
	cfg, err := config.Load(s.cfgPath, o)
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	if cfg.Reporter != nil {
		if _, err := reporter.ParseSchedule(cfg.Reporter.Schedule); err != nil {
			return nil, exit(exitUsage, config.Errors{cfg.ErrorAt("reporter.schedule", err.Error())})
		}
		if err := checkSenders(cfg); err != nil {
			return nil, exit(exitUsage, err)
		}
	}
	return cfg, nil
}
