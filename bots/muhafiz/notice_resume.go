package main

import (
	"fmt"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/reporter"
)

type noticeResumeCmd struct {
	who
	Reason string `required:"" help:"How you know what had been sent after the backup."`
}

func (noticeResumeCmd) Help() string {
	return "A restored vault holds as unsent what left after the backup, so nothing is sent by itself until a reviewer, senior or operator has compared it with the mail server's log, taken back what had left (muhafiz notice withdraw) and says so here."
}

func (c noticeResumeCmd) Run(s *session) error {
	return s.with("notice resume", func(cl *daemon.Client) error {
		var h reporter.Hold
		if err := cl.Call(s, "POST", "/v1/notices/release", daemon.NoticeRequest{Person: c.As, Reason: c.Reason}, &h); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(h)
		}
		fmt.Fprintf(s.out, "the reporter sends again; it had been held since the restore of %s\n", h.At.UTC().Format("2006-01-02 15:04Z"))
		return nil
	})
}
