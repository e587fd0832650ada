package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter"
	"github.com/muhafiz/muhafiz/reporter/notice"
)

type noticeCmd struct {
	List    noticeListCmd    `cmd:"" default:"withargs" help:"List the notices and what became of them."`
	Show    noticeShowCmd    `cmd:"" help:"Show a notice as it was or will be sent. The look is recorded."`
	Run     noticeRunCmd     `cmd:"" help:"Send what is due now, without waiting for the schedule."`
	Resume  noticeResumeCmd  `cmd:"" help:"After a restore, let the reporter send again."`
	Resolve noticeResolveCmd `cmd:"" help:"Say what you found out about an uncertain notice."`

	Approve    noticeApproveCmd    `cmd:"" help:"Sign, as a senior, that a drafted notice may leave."`
	Answer     noticeAnswerCmd     `cmd:"" help:"Record what the addressee answered."`
	Dispute    noticeDisputeCmd    `cmd:"" help:"Record that the account's side objects."`
	Correct    noticeCorrectCmd    `cmd:"" help:"Tell everyone who got a notice that it was wrong, at once. One person is enough."`
	Withdraw   noticeWithdrawCmd   `cmd:"" help:"Take a notice back: an unsent one never leaves; for one that left, everyone who got it is told."`
	Admissible noticeAdmissibleCmd `cmd:"" help:"Print which kind of notice may rest on which ground from whom, and why not. Needs no vault."`
}

type noticeListCmd struct{}

func (noticeListCmd) Run(s *session) error {
	return s.with("notice list", func(c *daemon.Client) error {
		var ns []notice.State
		if err := c.Call(s, "GET", "/v1/notices", nil, &ns); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(ns)
		}
		rows := [][]string{{"NOTICE", "KIND", "PLATFORM", "STATE", "CASES", "TO", "TICKET", "ANSWER, RECEIPT OR REASON"}}
		for _, n := range ns {
			var cases []string
			for _, k := range n.Cases {
				cases = append(cases, string(k.Case))
			}
			ticket, last := lastWord(n)
			rows = append(rows, []string{
				string(n.Ordinal), cmp.Or(n.NoticeKind, notice.KindPlatformRules), n.Platform, n.Status, orDash(strings.Join(cases, ",")),
				orDash(strings.Join(n.To, ",")), orDash(ticket), last,
			})
		}
		s.table(rows)
		return nil
	})
}

type noticeShowCmd struct {
	who
	Notice string `arg:"" help:"The notice, such as n1."`
}

func (c noticeShowCmd) Run(s *session) error {
	return s.with("notice show", func(cl *daemon.Client) error {
		var n daemon.NoticeText
		q := url.Values{"person": {c.As}, "notice": {c.Notice}}
		if err := cl.Call(s, "GET", "/v1/notices/show?"+q.Encode(), nil, &n); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(n)
		}
		s.noticeHead(n.State)
		for _, l := range strings.Split(n.Text, "\n") {
			fmt.Fprintln(s.out, safe(strings.TrimRight(l, "\r")))
		}
		return nil
	})
}

type noticeRunCmd struct{ who }

func (c noticeRunCmd) Run(s *session) error {
	return s.with("notice run", func(cl *daemon.Client) error {
		var r reporter.Report
		if err := cl.Call(s, "POST", "/v1/notices/run", daemon.NoticeRequest{Person: c.As}, &r); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(r)
		}
		fmt.Fprintf(s.out, "%d drafted, %d sent, %d failed, %d uncertain, %d cases wait\n", r.Drafted, r.Sent, r.Failed, r.Uncertain, r.Waiting)
		for _, b := range r.Blocked {
			fmt.Fprintf(s.out, "%s waits: %s\n", cmp.Or(b.Case, b.Notice), safe(b.Reason))
		}
		return nil
	})
}

type noticeResolveCmd struct {
	Notice string `arg:"" help:"The notice, such as n1."`
	who
	Sent    bool   `help:"The other side has it." xor:"outcome" required:""`
	NotSent bool   `help:"The other side does not have it: it is sent again." xor:"outcome" required:""`
	Reason  string `required:"" help:"How you found out."`
}

func (c noticeResolveCmd) Run(s *session) error {
	if c.Sent == c.NotSent {
		return exit(exitUsage, errors.New("say --sent or --not-sent"))
	}
	return s.with("notice resolve", func(cl *daemon.Client) error {
		var n notice.State
		req := daemon.NoticeRequest{Person: c.As, Notice: evidence.Ordinal(c.Notice), Sent: c.Sent, Reason: c.Reason}
		if err := cl.Call(s, "POST", "/v1/notices/resolve", req, &n); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(n)
		}
		fmt.Fprintf(s.out, "notice %s is %s now\n", n.Ordinal, n.Status)
		return nil
	})
}
