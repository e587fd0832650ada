package main

import (
	"fmt"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

type reviewAdjudicateCmd struct {
	Case string `arg:"" help:"The case, such as c1, whose decision a second person refused."`
	signs
	Agree   bool   `help:"The decision stands: the case is approved, or closed where it was no action." xor:"word" required:""`
	Refuse  bool   `help:"The refusal stands: the case is closed, or open again where the decision was no action." xor:"word" required:""`
	Comment string `required:"" help:"Why; it is signed."`
}

func (c reviewAdjudicateCmd) Run(s *session) error {
	return s.with("review adjudicate", func(cl *daemon.Client) error {
		req := daemon.ApprovalRequest{Person: c.As, Case: evidence.Ordinal(c.Case), Agree: c.Agree, Comment: c.Comment}
		var k review.Case
		if err := c.handIn(s, cl, "/v1/review/adjudication", req, evidence.StatementAdjudication, "", &k); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(k)
		}
		switch k.Status {
		case review.CaseApproved:
			fmt.Fprintf(s.out, "case %s is approved; it leaves with the next run of the reporter\n", k.Ordinal)
		case review.CaseOpen:
			fmt.Fprintf(s.out, "case %s is open again; whoever would report it decides it with the passages: muhafiz review decide\n", k.Ordinal)
		default:
			fmt.Fprintf(s.out, "case %s is closed; nothing of it is reported\n", k.Ordinal)
		}
		return nil
	})
}
