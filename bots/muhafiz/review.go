package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

type reviewCmd struct {
	Queue   reviewQueueCmd   `cmd:"" help:"What waits: posts without a decision, cases without a second person. Content stays hidden."`
	Show    reviewShowCmd    `cmd:"" help:"Show a post with its content, versions and history. The look is recorded."`
	Decide  reviewDecideCmd  `cmd:"" help:"Sign a decision on posts of one account."`
	Approve reviewApproveCmd `cmd:"" help:"Sign, as the second person, that a decision stands, or refuse it."`

	Adjudicate reviewAdjudicateCmd `cmd:"" help:"Sign, as a third and senior person, whether a refused decision stands."`
}

type reviewQueueCmd struct {
	who
	Limit int `help:"The largest number of posts to list." default:"50"`
}

func (c reviewQueueCmd) Run(s *session) error {
	return s.with("review queue", func(cl *daemon.Client) error {
		var w review.Work
		q := url.Values{"person": {c.As}, "limit": {strconv.Itoa(c.Limit)}}
		if err := cl.Call(s, "GET", "/v1/review/queue?"+q.Encode(), nil, &w); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(w)
		}
		if len(w.Waiting)+len(w.Open) > 0 {
			rows := [][]string{{"CASE", "STATE", "ACCOUNT", "TARGET", "EXHIBITS", "SEVERITY", "DECIDED BY", "FOLLOWS", "FROZEN"}}
			for _, k := range append(w.Waiting, w.Open...) {
				row := []string{string(k.Ordinal), k.Status, string(k.Account), k.Target, "-", "-", "-", orDash(string(k.Follows)), yesNo(k.Frozen != "")}
				if k.Decision != nil {
					row[4], row[5], row[6] = strconv.Itoa(len(k.Decision.Exhibits)), orDash(k.Decision.Severity), orDash(k.Decision.Person)
				}
				rows = append(rows, row)
			}
			s.table(rows)
			fmt.Fprintln(s.out)
		}
		rows := [][]string{{"POST", "TARGET", "ORGANISATION", "CLAIMED", "VERSIONS", "CHARACTERS", "MEDIA", "GONE"}}
		for _, p := range w.Posts {
			rows = append(rows, []string{string(p.Post), p.Target, p.Organisation, p.Claimed, strconv.Itoa(p.Versions), strconv.Itoa(p.Characters), orDash(strings.Join(p.Media, ",")), orDash(p.Gone)})
		}
		s.table(rows)
		if w.More {
			fmt.Fprintf(s.out, "… and more; --limit shows them\n")
		}
		fmt.Fprintf(s.out, "%d cases wait for a second person; posts are of %d targets that may be reported\n", len(w.Waiting), w.Targets)
		return nil
	})
}

type reviewDecideCmd struct {
	Posts []string `arg:"" optional:"" help:"The posts, such as a1/456 a1/460; they become exhibits 1, 2 …"`
	signs
	From        string   `help:"A JSON file with the whole decision: posts, outcome, passages, affiliation, languages, comment. Replaces the flags below." type:"path" placeholder:"FILE"`
	Outcome     string   `help:"report or no_action." enum:"report,no_action" default:"report"`
	Quote       []string `help:"The passage in the original, one for each post in order." sep:"none" placeholder:"TEXT"`
	Gloss       []string `help:"The same in English, one for each post in order." sep:"none" placeholder:"TEXT"`
	GlossBy     string   `help:"Who made the gloss: human or machine." enum:"human,machine" default:"human"`
	Rule        string   `help:"The platform's rule or the offence that is broken." placeholder:"TEXT"`
	Offence     string   `help:"What the passage does: incites, solicits_act, solicits_participation, instructs, threatens, claims, glorifies or fundraises. A report needs it." placeholder:"WORD"`
	Severity    string   `help:"low, medium, high or threat-to-life." placeholder:"WORD"`
	Exclusion   string   `help:"The exclusion question: none, journalism, research, education, art, counter-speech or human-rights." placeholder:"WORD"`
	Affiliation string   `help:"Why this account is that organisation's, as you reviewed it." placeholder:"TEXT"`
	Languages   []string `help:"The languages of these posts that you read, such as ur,ps." placeholder:"TAG"`
	Comment     string   `help:"A comment that is signed with it."`
}

func (c reviewDecideCmd) input() (review.DecisionInput, error) {
	var in review.DecisionInput
	if c.From != "" {
		return in, readJSON(c.From, &in)
	}
	in = review.DecisionInput{Outcome: c.Outcome, Affiliation: c.Affiliation, Languages: c.Languages, Comment: c.Comment}
	for _, p := range c.Posts {
		in.Posts = append(in.Posts, evidence.Ordinal(p))
	}
	if len(c.Gloss) > len(c.Quote) {
		return in, errors.New("more glosses than quotes: give one --quote for each post")
	}
	for i, q := range c.Quote {
		p := evidence.Passage{Exhibit: i + 1, Quote: q, Rule: c.Rule, Offence: c.Offence, Severity: c.Severity, Exclusion: c.Exclusion}
		if i < len(c.Gloss) {
			p.Gloss, p.GlossBy = c.Gloss[i], c.GlossBy
		}
		in.Passages = append(in.Passages, p)
	}
	return in, nil
}

func (c reviewDecideCmd) Run(s *session) error {
	in, err := c.input()
	if err != nil {
		return exit(exitUsage, err)
	}
	return s.with("review decide", func(cl *daemon.Client) error {
		var k review.Case
		if err := c.handIn(s, cl, "/v1/review/decision", daemon.DecisionRequest{Person: c.As, DecisionInput: in}, evidence.StatementDecision, "", &k); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(k)
		}
		fmt.Fprintf(s.out, "case %s: decision recorded as record %d, signed by %s\n", k.Ordinal, k.Decision.Seq, c.As)
		if k.Status == review.CaseDecided {
			how := ""
			if k.Decision.Blind {
				how = " --outcome report, or --outcome no_action; until then nobody else is shown what you decided"
			}
			fmt.Fprintf(s.out, "a second person answers with: muhafiz review approve %s --as THEM%s\n", k.Ordinal, how)
		}
		return nil
	})
}

type reviewApproveCmd struct {
	Case string `arg:"" help:"The case, such as c1."`
	signs
	Refuse  bool   `help:"Refuse the decision; --comment says why." xor:"word"`
	Outcome string `help:"Where review is blind: what you yourself come to, report or no_action. No action takes --comment." enum:",report,no_action" default:"" xor:"word"`
	Comment string `help:"A comment that is signed with it."`
}

func (c reviewApproveCmd) Run(s *session) error {
	return s.with("review approve", func(cl *daemon.Client) error {
		req := daemon.ApprovalRequest{Person: c.As, Case: evidence.Ordinal(c.Case), Agree: !c.Refuse && c.Outcome == "", Outcome: c.Outcome, Comment: c.Comment}
		var k review.Case
		if err := c.handIn(s, cl, "/v1/review/approval", req, evidence.StatementApproval, "", &k); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(k)
		}
		switch k.Status {
		case review.CaseApproved:
			fmt.Fprintf(s.out, "case %s is approved; it leaves with the next run of the reporter\n", k.Ordinal)
		case review.CaseClosed:
			fmt.Fprintf(s.out, "case %s is closed; both of you came to no action\n", k.Ordinal)
		default:
			if c.Outcome != "" {
				fmt.Fprintf(s.out, "you answered %s and %s decided otherwise\n", c.Outcome, k.Decision.Person)
			}
			fmt.Fprintf(s.out, "case %s: the decision is refused; it can be decided again, or a third person decides: muhafiz review adjudicate %s --as THEM\n", k.Ordinal, k.Ordinal)
		}
		return nil
	})
}
