package main

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/reporter/diary"
)

type logCmd struct {
	who
	Subject string `help:"Only what is about this: a target or person by id, or an ordinal: target (t7), account (a12), post (a12/456), case (c9), notice (n3), person (u2) or the vault (v0)." placeholder:"O"`
	Person  string `help:"Only what this person did, by id." placeholder:"ID"`
	Since   string `help:"From then on: today, yesterday, a date, an instant in UTC, or how long ago, such as 36h or 7d." placeholder:"T"`
	Until   string `help:"Before then, in the same forms." placeholder:"T"`
	Kind    string `help:"Only records of this kind, such as target.approved." placeholder:"K"`
	Limit   int    `help:"The newest so many, at most 10000." default:"100"`
}

func (logCmd) Help() string {
	return "One line a record: number, time in UTC, who, what; the newest last. No post is quoted: lengths and digests stand in its place. The look is recorded."
}

func (c logCmd) Run(s *session) error {
	return s.with("log", func(cl *daemon.Client) error {
		q := url.Values{
			"person": {c.As}, "subject": {c.Subject}, "of": {c.Person}, "since": {c.Since}, "until": {c.Until},
			"kind": {c.Kind}, "limit": {strconv.Itoa(c.Limit)},
		}
		var es []diary.Entry
		if err := cl.Call(s, "GET", "/v1/log?"+q.Encode(), nil, &es); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(es)
		}
		for _, e := range es {
			fmt.Fprintln(s.out, safe(e.String()))
		}
		if len(es) == c.Limit {
			fmt.Fprintf(s.err, "these are the newest %d; there may be more before: --limit, or --until %s\n", c.Limit, es[0].At.Format("2006-01-02T15:04:05Z"))
		}
		return nil
	})
}
