package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/config/intake"
)

type watchAddCmd struct {
	File string `arg:"" help:"The list: CSV, XLSX, HTML or text with one link a line; - reads what is piped in."`
	signs
	Organisation string `required:"" help:"The organisation's id in the organisations file." placeholder:"ID"`
	Source       string `required:"" help:"What named these accounts: a file of which a copy is kept, or the source's title and link." placeholder:"FILE|TEXT"`
	Basis        string `help:"Why these accounts are the organisation's, in words. Default: that the cited list names them." placeholder:"TEXT"`
	Report       bool   `help:"Approved cases of these targets may become notices."`
	To           string `help:"The watchlist to make or to add to. Default: a new file beside the others." type:"path" placeholder:"FILE"`
	DryRun       bool   `help:"Say what would be done, and do nothing."`
	All          bool   `help:"Print a line for new rows as well."`
}

func (watchAddCmd) Help() string {
	return fmt.Sprintf("Every row is accounted for with its number: new, known, duplicate, renamed, suspended, past (removed), rejected (marked innocent), or refused with the reason. Good rows are kept when others fail. Formulas are never evaluated. With a key to sign with, you sign the whole list at once; without one, `muhafiz watch sign` does it later, and nobody can approve before. A list has at most %d rows and %d MiB. Exit 0 when every row was understood, 4 when some were refused.", intake.MaxRows, intake.MaxBytes>>20)
}

func (c watchAddCmd) Run(s *session) error {
	list, err := c.read(s)
	if err != nil {
		return err
	}
	cfg, err := s.load()
	if err != nil {
		return err
	}
	prior, err := c.known(s, cfg)
	if err != nil {
		return err
	}
	// A long list is many small pieces that all live until the end: the collector would go through them again and again.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	plan, err := intake.Add{
		Config: cfg, ConfigPath: s.cfgPath, Load: config.Options{NoSecrets: true}, ListName: c.File, List: list,
		Organisation: c.Organisation, Source: c.Source, As: c.As, Basis: c.Basis, Report: c.Report, To: c.To, Prior: prior, Now: time.Now(),
	}.Plan()
	if err != nil {
		return err
	}
	reloaded, listed := "", ""
	if !c.DryRun && len(plan.Files) > 0 {
		if listed, err = c.listNew(s, "watch add", plan.Config, fresh(plan), plan.Apply); err != nil {
			return err
		}
		if reloaded, err = s.reloadDaemon(cfg); err != nil {
			return err
		}
	}
	if s.json {
		err = s.printJSON(struct {
			*intake.Plan
			DryRun bool `json:"dry_run"`
		}{plan, c.DryRun})
	} else {
		c.print(s, plan, reloaded, listed)
	}
	if err == nil && plan.Counts[intake.Refused] > 0 {
		return exit(exitIncomplete, nil)
	}
	return err
}

// fresh is the ids of the new targets.
func fresh(p *intake.Plan) map[string]bool {
	ids := map[string]bool{}
	for _, o := range p.Outcomes {
		if o.Status == intake.New {
			ids[o.ID] = true
		}
	}
	return ids
}

func (c watchAddCmd) read(s *session) ([]byte, error) {
	in := s.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, fmt.Errorf("read the list: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, intake.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the list: %w", err)
	}
	return b, nil
}

// known asks the log what it knows of accounts. A vault that was not made yet knows nothing.
func (c watchAddCmd) known(s *session, cfg *config.Config) ([]intake.Prior, error) {
	if _, err := os.Stat(filepath.Join(cfg.Vault, "vault.db")); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var prior []intake.Prior
	return prior, s.with("watch add", func(cl *daemon.Client) error {
		return cl.Call(s, "GET", "/v1/targets/known", nil, &prior)
	})
}

// reloadDaemon makes a running daemon read the configuration, and says what happened.
func (s *session) reloadDaemon(cfg *config.Config) (string, error) {
	none := errors.New("no daemon")
	cl, err := daemon.Connect(s, cfg.Vault, func() (*daemon.Rooms, error) { return nil, none })
	if errors.Is(err, none) {
		return "no daemon runs; the next start reads it", nil
	}
	if err != nil {
		return "", fmt.Errorf("the watchlist is written, but the running daemon cannot be told (%w): send it SIGHUP", err)
	}
	if err := errors.Join(cl.Call(s, "POST", "/v1/reload", struct{}{}, nil), cl.Close()); err != nil {
		return "", fmt.Errorf("the watchlist is written, but the running daemon did not take it: %w", err)
	}
	return "the running daemon has read it", nil
}

func (c watchAddCmd) print(s *session, p *intake.Plan, reloaded, listed string) {
	rows := [][]string{{"ROW", "CELL", "STATUS", "ACCOUNT", "REASON"}}
	for _, o := range p.Outcomes {
		if o.Status == intake.Header || o.Status == intake.New && o.Note == "" && !c.All {
			continue
		}
		what := o.Address
		if what == "" {
			what = o.Text
		}
		reason := o.Reason
		if o.Note != "" {
			reason = strings.TrimPrefix(reason+"; "+o.Note, "; ")
		}
		rows = append(rows, []string{fmt.Sprint(o.Row), orDash(o.Cell), string(o.Status), shorten(what), reason})
	}
	if len(rows) > 1 {
		s.table(rows)
		fmt.Fprintln(s.out)
	}
	var parts []string
	for _, st := range intake.Statuses() {
		if n := p.Counts[st]; n > 0 && st != intake.Header {
			parts = append(parts, fmt.Sprintf("%d %s", n, st))
		}
	}
	fmt.Fprintf(s.out, "%d rows (%s): %s\n", p.Rows, p.Format, strings.Join(parts, ", "))
	for _, n := range p.Notes {
		fmt.Fprintln(s.out, "note:", safe(n))
	}
	verb := "wrote"
	if c.DryRun {
		verb = "would write"
	}
	for _, f := range p.Files {
		fmt.Fprintln(s.out, verb, f)
	}
	switch {
	case len(p.Files) == 0:
		fmt.Fprintln(s.out, "nothing is new; no file was written")
	case !c.DryRun:
		fmt.Fprintf(s.out, "the source is kept as %s; %s\n%s\na second person approves: muhafiz watch approve --as THEM ID …\n", p.Source, reloaded, listed)
	}
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
