package main

import (
	"fmt"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

type alertsCmd struct {
	List alertsListCmd `cmd:"" default:"1" help:"List the troubles of which people were told and that are not over."`
	Test alertsTestCmd `cmd:"" help:"Tell everybody whom the configuration names that this is a test."`
}

type alertsListCmd struct{}

func (alertsListCmd) Run(s *session) error {
	return s.with("alerts", func(c *daemon.Client) error {
		var st daemon.Status
		if err := c.Call(s, "GET", "/v1/status", nil, &st); err != nil {
			return err
		}
		if s.json {
			if st.Alerts == nil {
				st.Alerts = []daemon.OpenAlert{}
			}
			return s.printJSON(st.Alerts)
		}
		if len(st.Alerts) == 0 {
			fmt.Fprintln(s.out, "no alert is open")
			return nil
		}
		s.table(alertRows(st.Alerts))
		return nil
	})
}

type alertsTestCmd struct{}

func (alertsTestCmd) Help() string {
	return "Sends one message by every way that the configuration's alerts section names, and says what became of it. Exit 0 when all arrived, 4 when some did, 1 when none did."
}

func (alertsTestCmd) Run(s *session) error {
	return s.with("alerts", func(c *daemon.Client) error {
		var told []evidence.Told
		if err := c.Call(s, "POST", "/v1/alerts/test", struct{}{}, &told); err != nil {
			return err
		}
		if s.json {
			if err := s.printJSON(told); err != nil {
				return err
			}
		}
		failed := 0
		for _, t := range told {
			said := "arrived"
			if t.Error != "" {
				failed++
				said = "did not arrive: " + safe(t.Error)
			}
			if !s.json {
				fmt.Fprintf(s.out, "%s: %s\n", t.Way, said)
			}
		}
		switch failed {
		case 0:
			return nil
		case len(told):
			return exit(exitFailed, fmt.Errorf("nobody was told: look at alerts in the configuration"))
		}
		return exit(exitIncomplete, fmt.Errorf("%d of %d ways failed", failed, len(told)))
	})
}
