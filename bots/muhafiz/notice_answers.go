package main

import (
	"cmp"
	"fmt"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
)

// lastWord returns the newest ticket number, and the newest thing that is known of a notice.
func lastWord(n notice.State) (ticket, last string) {
	last = n.Receipt + n.Reason
	if n.Senior != "" && n.Approved == nil && !n.Left() && n.Status != notice.Withdrawn {
		last = n.Senior
	}
	for _, a := range n.Answers {
		ticket = cmp.Or(a.Ticket, ticket)
		last = a.Outcome
		if a.Ground != "" {
			last += ": " + a.Ground
		}
	}
	switch {
	case len(n.Corrections) > 0:
		last = "put right by notice " + string(n.Corrections[len(n.Corrections)-1].Correction)
	case n.Status == notice.Disputed:
		last = "disputed by " + n.Disputes[len(n.Disputes)-1].From
	case n.Corrects != nil && !n.Released && n.Status == notice.Drafted:
		last = "draft for notice " + string(n.Corrects.Notice) + "; a person sends it with: notice correct " + string(n.Corrects.Notice)
	}
	return ticket, last
}

// noticeHead prints what stands around a notice's own words.
func (s *session) noticeHead(n notice.State) {
	fmt.Fprintf(s.out, "notice %s, %s, %s\n", n.Ordinal, cmp.Or(n.NoticeKind, notice.KindPlatformRules), n.Status)
	if n.Corrects != nil {
		fmt.Fprintf(s.out, "it puts notice %s right\n", n.Corrects.Notice)
	}
	if n.Senior != "" {
		fmt.Fprintln(s.out, safe(n.Senior))
	}
	for _, c := range n.Counsel {
		fmt.Fprintln(s.out, safe(c))
	}
	if n.Approved != nil {
		fmt.Fprintf(s.out, "approved by %s as record %d\n", n.Approved.Person, n.Approved.Seq)
	}
	for _, a := range n.Answers {
		fmt.Fprintf(s.out, "%s answer: %s", a.At.Format("2006-01-02 15:04Z"), a.Outcome)
		for _, p := range [][2]string{{"ground", a.Ground}, {"ticket", a.Ticket}, {"by", a.By}, {"text", a.Text}} {
			if p[1] != "" {
				fmt.Fprintf(s.out, "; %s: %s", p[0], safe(p[1]))
			}
		}
		fmt.Fprintln(s.out)
	}
	for _, d := range n.Disputes {
		fmt.Fprintf(s.out, "%s disputed by %s: %s\n", d.At.Format("2006-01-02 15:04Z"), safe(d.From), safe(d.Text))
	}
	for _, c := range n.Corrections {
		fmt.Fprintf(s.out, "%s put right by notice %s: %s\n", c.At.Format("2006-01-02 15:04Z"), c.Correction, safe(c.Reason))
	}
	fmt.Fprintln(s.out)
}

// act sends a request about a notice and prints what became of it.
func (s *session) noticeAct(command, path string, in any, say func(notice.State)) error {
	return s.with("notice "+command, func(cl *daemon.Client) error {
		var n notice.State
		if err := cl.Call(s, "POST", path, in, &n); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(n)
		}
		say(n)
		return nil
	})
}

type noticeApproveCmd struct {
	Notice string `arg:"" help:"The notice, such as n1."`
	signs
	Comment string `help:"A comment that is signed with it."`
}

func (c noticeApproveCmd) Run(s *session) error {
	return s.with("notice approve", func(cl *daemon.Client) error {
		var p daemon.Prepared
		req := daemon.NoticeRequest{Person: c.As, Notice: evidence.Ordinal(c.Notice), Reason: c.Comment}
		if err := cl.Call(s, "POST", "/v1/notices/approval/prepare", req, &p); err != nil {
			return err
		}
		signed, err := c.sign(s, s, p.Payload, evidence.StatementNoticeApproval)
		if err != nil {
			return err
		}
		var n notice.State
		if err := cl.Call(s, "POST", "/v1/notices/approval", daemon.SignedBy{Person: c.As, Signed: signed}, &n); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(n)
		}
		fmt.Fprintf(s.out, "notice %s is approved as record %d drafted it; it leaves with the next run of the reporter\n", n.Ordinal, n.Record.Seq)
		return nil
	})
}

type noticeAnswerCmd struct {
	Notice string `arg:"" help:"The notice, such as n1."`
	who
	Outcome string `required:"" enum:"removed,restricted,refused,needs_more,duplicate" help:"removed, restricted, refused, needs_more or duplicate." placeholder:"WORD"`
	Ground  string `help:"Of a refusal: on which ground, in their words."`
	Ticket  string `help:"The addressee's own number."`
	Text    string `help:"The answer."`
	By      string `help:"The desk or function that answered."`
}

func (c noticeAnswerCmd) Run(s *session) error {
	in := daemon.AnswerRequest{Person: c.As, Notice: evidence.Ordinal(c.Notice), NoticeAnswered: evidence.NoticeAnswered{
		Outcome: c.Outcome, Ground: c.Ground, Ticket: c.Ticket, Text: c.Text, By: c.By,
	}}
	return s.noticeAct("answer", "/v1/notices/answer", in, func(n notice.State) {
		fmt.Fprintf(s.out, "notice %s: the answer %q is recorded\n", n.Ordinal, c.Outcome)
	})
}

type noticeDisputeCmd struct {
	Notice string `arg:"" help:"The notice, such as n1."`
	who
	From string `required:"" help:"Who objects, as far as they say."`
	Text string `required:"" help:"What they say."`
}

func (c noticeDisputeCmd) Run(s *session) error {
	in := daemon.DisputeRequest{Person: c.As, Notice: evidence.Ordinal(c.Notice), NoticeDisputed: evidence.NoticeDisputed{From: c.From, Text: c.Text}}
	return s.noticeAct("dispute", "/v1/notices/dispute", in, func(n notice.State) {
		fmt.Fprintf(s.out, "notice %s is disputed; if it was wrong: muhafiz notice correct %s\n", n.Ordinal, n.Ordinal)
	})
}

type noticeCorrectCmd struct {
	Notice string `arg:"" help:"The wrong notice, such as n1."`
	who
	Account string `help:"One of the notice's accounts, such as a12. Without it the whole notice is wrong." placeholder:"ACCOUNT"`
	Reason  string `required:"" help:"What was wrong. Whoever got the notice reads it."`
}

func (c noticeCorrectCmd) Run(s *session) error {
	in := daemon.CorrectionRequest{Person: c.As, Notice: evidence.Ordinal(c.Notice), Account: evidence.Ordinal(c.Account), Reason: c.Reason}
	return s.noticeAct("correct", "/v1/notices/correct", in, s.told)
}

type noticeWithdrawCmd struct {
	Notice string `arg:"" help:"The notice, such as n1."`
	who
	Reason string `required:"" help:"Why. Whoever got the notice reads it."`
}

func (c noticeWithdrawCmd) Run(s *session) error {
	in := daemon.CorrectionRequest{Person: c.As, Notice: evidence.Ordinal(c.Notice), Reason: c.Reason}
	return s.noticeAct("withdraw", "/v1/notices/withdraw", in, func(n notice.State) {
		if n.Redresses() {
			s.told(n)
			return
		}
		fmt.Fprintf(s.out, "notice %s is withdrawn and never leaves; its cases wait for a second person again\n", n.Ordinal)
	})
}

// told says how far a correction came.
func (s *session) told(n notice.State) {
	fmt.Fprintf(s.out, "notice %s (%s of notice %s) is %s\n", n.Ordinal, n.NoticeKind, n.Corrects.Notice, n.Status)
	if n.Status != notice.Sent {
		fmt.Fprintf(s.out, "%s; the schedule tries it again unless it is uncertain\n", safe(cmp.Or(n.Reason, "it has not left yet")))
	}
}

type noticeAdmissibleCmd struct{}

func (noticeAdmissibleCmd) Run(s *session) error {
	if s.json {
		return s.printJSON(notice.Table())
	}
	s.table(notice.Folded())
	return nil
}
