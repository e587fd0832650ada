package main

import (
	"fmt"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

type watchConfirmCmd struct {
	Target  string `arg:"" help:"The target's id."`
	Channel string `required:"" help:"The number of the channel that it is now, as the finding has it: muhafiz watch show TARGET." placeholder:"ID"`
	signs
	Comment string `help:"Why you know; it is signed."`
}

func (watchConfirmCmd) Help() string {
	return "When a target's address is found to lead to another channel, nothing is collected of either. One person signs that the target is that other channel now; a second person approves the target anew; only then does collection go on."
}

func (c watchConfirmCmd) Run(s *session) error {
	return s.with("watch confirm", func(cl *daemon.Client) error {
		var t review.Target
		req := daemon.IdentityRequest{Person: c.As, Target: c.Target, Channel: c.Channel, Comment: c.Comment}
		if err := c.handIn(s, cl, "/v1/targets/confirm", req, evidence.StatementIdentity, c.Target, &t); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(t)
		}
		fmt.Fprintf(s.out, "%s is %s (%s) by the word of %s; a second person approves it anew: muhafiz watch approve %s --as THEM\n", t.ID, t.Confirmed, t.Account, c.As, t.ID)
		return nil
	})
}
