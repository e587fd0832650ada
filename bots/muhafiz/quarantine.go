package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

type quarantineCmd struct {
	Add   quarantineAddCmd   `cmd:"" default:"withargs" help:"Put a post out of sight at once; one person does."`
	Order quarantineOrderCmd `cmd:"" help:"Sign, as one of two people, what becomes of it: hand-over, destruction or release."`
	Take  quarantineTakeCmd  `cmd:"" help:"Write the packet that two people ordered, sealed to its recipient."`
	List  quarantineListCmd  `cmd:"" help:"List what is out of sight. No content is shown."`
}

type quarantineAddCmd struct {
	Post string `arg:"" help:"The post, such as a12/456."`
	who
	Reason string `required:"" help:"Why, in a few words and without describing it."`
}

func (quarantineAddCmd) Help() string {
	return "For abuse material of children. From that moment no view, log, notice, bundle or export shows or hands out the post: its texts, its files wherever else they stand, the decisions that quote it, the notices of those and all raw replies of its account are withheld. The other posts of an album are posts of their own. What becomes of it takes two people and what your law demands (quarantine in the configuration)."
}

func (c quarantineAddCmd) Run(s *session) error {
	return s.with("quarantine", func(cl *daemon.Client) error {
		var q daemon.Quarantined
		if err := cl.Call(s, "POST", "/v1/quarantine", daemon.QuarantineRequest{Person: c.As, Post: evidence.Ordinal(c.Post), Reason: c.Reason}, &q); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(q)
		}
		fmt.Fprintf(s.out, "%s is out of sight (record %d): nothing of it is shown or handed out\n", q.Post, q.Seq)
		fmt.Fprintf(s.out, "your law says %s; two people hand it to a hotline: muhafiz quarantine order %s --hand-over --recipient age1… --reason WHY --as %s\n", q.Law, q.Post, c.As)
		return nil
	})
}

type quarantineOrderCmd struct {
	Post string `arg:"" help:"The post."`
	signs
	HandOver  bool   `help:"A packet for a hotline or an authority, sealed to --recipient." xor:"what"`
	Destroy   bool   `help:"Destroy what is kept of it, where your law demands that." xor:"what"`
	Release   bool   `help:"It was put out of sight by mistake." xor:"what"`
	Recipient string `help:"The recipient's age public key, one of quarantine.recipients." placeholder:"age1…"`
	Reason    string `required:"" help:"Why; it is signed."`
}

func (c quarantineOrderCmd) Run(s *session) error {
	what := map[bool]string{true: evidence.OrderHandOver}[c.HandOver]
	switch {
	case c.Destroy:
		what = evidence.OrderDestroy
	case c.Release:
		what = evidence.OrderRelease
	}
	if what == "" {
		return exit(exitUsage, errors.New("say what becomes of it: --hand-over, --destroy or --release"))
	}
	return s.with("quarantine order", func(cl *daemon.Client) error {
		var q daemon.Quarantined
		ask := daemon.QuarantineRequest{Person: c.As, Post: evidence.Ordinal(c.Post), What: what, Recipient: c.Recipient, Reason: c.Reason}
		if err := c.handIn(s, cl, "/v1/quarantine/order", ask, evidence.StatementOrder, c.Post, &q); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(q)
		}
		switch {
		case !q.Ordered(what, c.Recipient):
			fmt.Fprintf(s.out, "%s: your word is recorded, and nothing is done yet; a second person signs the same\n", q.Post)
		case q.Released:
			fmt.Fprintf(s.out, "%s is in sight again, as two people signed\n", q.Post)
		case what == evidence.OrderDestroy:
			fmt.Fprintf(s.out, "%s is destroyed in the vault; what lingers in free pages and backups goes with: muhafiz compact\n", q.Post)
		default:
			fmt.Fprintf(s.out, "two people signed; one of them takes the packet: muhafiz quarantine take %s --recipient %s --out FILE --as %s\n", q.Post, c.Recipient, c.As)
		}
		return nil
	})
}

type quarantineTakeCmd struct {
	Post string `arg:"" help:"The post."`
	who
	Recipient string `required:"" help:"Whose packet." placeholder:"age1…"`
	Out       string `required:"" help:"File to write, of the daemon's user; it must not be there." type:"path"`
}

func (c quarantineTakeCmd) Run(s *session) error {
	out, err := filepath.Abs(c.Out)
	if err != nil {
		return err
	}
	return s.with("quarantine take", func(cl *daemon.Client) error {
		var p daemon.Packet
		req := daemon.QuarantineRequest{Person: c.As, Post: evidence.Ordinal(c.Post), Recipient: c.Recipient, Out: out}
		if err := cl.Call(s, "POST", "/v1/quarantine/take", req, &p); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(p)
		}
		fmt.Fprintf(s.out, "%s: %d bytes, %d files and the facts, sealed to %s; its holder opens it with age -d -i KEY | unzip. SHA-256 %s\n", p.Out, p.Size, p.Files, p.Recipient, p.SHA256)
		return nil
	})
}

type quarantineListCmd struct{}

func (quarantineListCmd) Run(s *session) error {
	return s.with("quarantine list", func(cl *daemon.Client) error {
		var all []daemon.Quarantined
		if err := cl.Call(s, "GET", "/v1/quarantine", nil, &all); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(all)
		}
		rows := [][]string{{"POST", "SINCE", "BY", "LAW", "ORDERED", "DONE", "REASON"}}
		for _, q := range all {
			var ordered, done []string
			for _, o := range q.Orders {
				by := o.First.Person + " alone"
				if o.Second != nil {
					by = o.First.Person + " and " + o.Second.Person
				}
				ordered = append(ordered, o.What+" by "+by)
			}
			for _, c := range q.Carried {
				done = append(done, c.What+" "+c.At.Format("2006-01-02"))
			}
			rows = append(rows, []string{string(q.Post), q.At.Format("2006-01-02 15:04Z"), q.By, q.Law, orDash(strings.Join(ordered, "; ")), orDash(strings.Join(done, "; ")), q.Reason})
		}
		s.table(rows)
		return nil
	})
}
