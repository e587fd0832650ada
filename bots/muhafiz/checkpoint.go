package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/anchor"
)

type checkpointCmd struct {
	Show   checkpointShowCmd   `cmd:"" default:"1" help:"Print the newest checkpoint and who outside confirmed the log."`
	Export checkpointExportCmd `cmd:"" help:"Sign the head and write it for an outsider, with the proof that it continues what the outsider knows."`
	Verify checkpointVerifyCmd `cmd:"" help:"Say whether today's log is an honest continuation of a checkpoint that was kept elsewhere."`
	Stamp  checkpointStampCmd  `cmd:"" help:"Sign the head and have every configured time-stamping authority confirm it now."`
	Accept checkpointAcceptCmd `cmd:"" help:"Record the cosignatures of configured witnesses that a checkpoint carries."`
}

type checkpointShowCmd struct{}

func (checkpointShowCmd) Run(s *session) error {
	return s.with("checkpoint show", func(c *daemon.Client) error {
		var out daemon.Checkpoints
		if err := c.Call(s, "GET", "/v1/checkpoints", nil, &out); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(out)
		}
		if out.Newest.Size == 0 {
			fmt.Fprintln(s.out, "nothing is signed yet: a daemon does so on its schedule, and `muhafiz checkpoint export` at once")
			return nil
		}
		fmt.Fprintf(s.out, "newest checkpoint: %d records, signed %s; %d records came since\n\n", out.Newest.Size, out.Newest.At.Format("2006-01-02 15:04:05Z"), out.Unsigned)
		for line := range strings.Lines(out.Note) {
			fmt.Fprintln(s.out, safe(strings.TrimSuffix(line, "\n")))
		}
		fmt.Fprintln(s.out)
		rows := [][]string{{"BY", "TYPE", "RECORDS", "AT"}}
		for _, a := range out.Anchors {
			rows = append(rows, []string{a.By, a.Type, fmt.Sprint(a.Size), a.At.Format("2006-01-02 15:04:05Z")})
		}
		if len(out.Anchors) == 0 {
			fmt.Fprintln(s.out, "nobody outside has confirmed it")
			return nil
		}
		s.table(rows)
		return nil
	})
}

type checkpointExportCmd struct {
	Out   string `help:"File to write; standard output when not given." type:"path" placeholder:"FILE"`
	Since string `help:"A checkpoint or an earlier export that the outsider holds." type:"existingfile" placeholder:"FILE"`
}

func (checkpointExportCmd) Help() string {
	return "The file is what a C2SP witness takes (old size, consistency proof, checkpoint). Whoever keeps it can later tell whether the log was rewritten: muhafiz checkpoint verify --against FILE."
}

func (c checkpointExportCmd) Run(s *session) error {
	var in daemon.ExportRequest
	if c.Since != "" {
		b, err := os.ReadFile(c.Since)
		if err != nil {
			return exit(exitUsage, err)
		}
		in.Known = string(b)
	}
	return s.with("checkpoint export", func(cl *daemon.Client) error {
		var out daemon.Exported
		if err := cl.Call(s, "POST", "/v1/checkpoints/export", in, &out); err != nil {
			return err
		}
		switch {
		case c.Out != "":
			if err := writePublic(c.Out, []byte(out.Body)); err != nil {
				return err
			}
			if !s.json {
				fmt.Fprintf(s.out, "%s: the checkpoint of %d records, with the proof that it continues %d. Give it to somebody whom you do not control.\n", c.Out, out.Size, out.Old)
				return nil
			}
		case !s.json:
			_, err := fmt.Fprint(s.out, out.Body)
			return err
		}
		return s.printJSON(out)
	})
}

type checkpointVerifyCmd struct {
	Against string `required:"" help:"The checkpoint that was kept elsewhere, or an export." type:"existingfile" placeholder:"FILE"`
	Log     string `help:"The log's public key as its keeper has it: a file with a vkey, or the vkey itself. Without it the vault's own word is taken for the key, and the exit code is 4." placeholder:"KEY"`

	Witness []string `help:"The public key of a witness, NAME+HASH+KEY or a file with it, got from the witness: its cosignature in the file is verified. May be given more than once." placeholder:"KEY" sep:"none"`
}

func (checkpointVerifyCmd) Help() string {
	return "Exit 0 when today's log continues the checkpoint, 3 when it does not: it was rewritten, or an older copy of the vault was put in its place; or a line that claims to be of a --witness does not hold. Exit 4 when a --witness did not sign it. Lines of witnesses whose key was not given are named, and not checked."
}

func (c checkpointVerifyCmd) Run(s *session) error {
	msg, err := os.ReadFile(c.Against)
	if err != nil {
		return exit(exitUsage, err)
	}
	key := keyText(c.Log)
	lines, err := c.witnessed(msg)
	if err != nil {
		return exit(exitUsage, err)
	}
	return s.with("checkpoint verify", func(cl *daemon.Client) error {
		var out daemon.Compared
		if err := cl.Call(s, "POST", "/v1/checkpoints/compare", daemon.CompareRequest{Note: string(msg), LogKey: key}, &out); err != nil {
			return err
		}
		if s.json {
			if err := s.printJSON(struct {
				daemon.Compared
				Witnesses []anchor.Line `json:"witnesses"`
			}{out, lines}); err != nil {
				return err
			}
		} else {
			fmt.Fprintf(s.out, "The log of %d records continues the checkpoint of %d: the first %d records are the ones that were signed then.\n", out.Records, out.Size, out.Size)
			for _, l := range lines {
				fmt.Fprintln(s.out, witnessText(l))
			}
		}
		if err := worst(lines); err != nil {
			return err
		}
		if !out.Trusted {
			return exit(exitIncomplete, fmt.Errorf("the log's key was taken from the vault itself: give the one that you trust with --log"))
		}
		return nil
	})
}

// keyText is a key that is given by itself or by the name of a file that holds it.
func keyText(s string) string {
	if b, err := os.ReadFile(s); err == nil {
		return strings.TrimSpace(string(b))
	}
	return s
}

// witnessed judges the witnesses' lines of the checkpoint.
func (c checkpointVerifyCmd) witnessed(msg []byte) ([]anchor.Line, error) {
	_, _, msg, err := anchor.ParseRequest(msg)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(c.Witness))
	for i, w := range c.Witness {
		keys[i] = keyText(w)
	}
	return anchor.Judge(msg, keys)
}

func witnessText(l anchor.Line) string {
	switch l.Verdict {
	case anchor.LineValid:
		return fmt.Sprintf("witness %s: valid, it saw this checkpoint at %s", safe(l.By), l.At.Format("2006-01-02 15:04:05Z"))
	case anchor.LineUnknown:
		return fmt.Sprintf("witness %s: unknown, its signature was not checked; give its key with --witness", safe(l.By))
	case anchor.LineMissing:
		return fmt.Sprintf("witness %s: it did not sign this checkpoint", safe(l.By))
	}
	return fmt.Sprintf("witness %s: WRONG SIGNATURE: this line is not of the key given", safe(l.By))
}

// worst is what the lines mean for the exit code.
func worst(lines []anchor.Line) error {
	missing := false
	for _, l := range lines {
		if l.Verdict == anchor.LineWrong {
			return exit(exitIntegrity, fmt.Errorf("the signature that claims to be of the witness %s is wrong: the file was changed; ask the witness what it signed", safe(l.By)))
		}
		missing = missing || l.Verdict == anchor.LineMissing
	}
	if missing {
		return exit(exitIncomplete, fmt.Errorf("a witness whose key was given did not sign this checkpoint: ask it for its line"))
	}
	return nil
}

type checkpointStampCmd struct{}

func (checkpointStampCmd) Run(s *session) error {
	return s.with("checkpoint stamp", func(c *daemon.Client) error {
		var out daemon.Stamped
		if err := c.Call(s, "POST", "/v1/checkpoints/stamp", struct{}{}, &out); err != nil {
			return err
		}
		if s.json {
			if err := s.printJSON(out); err != nil {
				return err
			}
		}
		for _, a := range out.Anchors {
			if !s.json {
				fmt.Fprintf(s.out, "%s confirmed %d records at %s\n", a.By, a.Size, a.At.Format("2006-01-02 15:04:05Z"))
			}
		}
		names := make([]string, 0, len(out.Failed))
		for n := range out.Failed {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			fmt.Fprintf(s.err, "muhafiz: %s\n", safe(out.Failed[n]))
		}
		switch {
		case len(out.Anchors) == 0:
			return exit(exitFailed, fmt.Errorf("no authority confirmed the checkpoint; a daemon asks again by itself"))
		case len(names) > 0:
			return exit(exitIncomplete, nil)
		}
		return nil
	})
}

type checkpointAcceptCmd struct {
	File string `arg:"" help:"The checkpoint with the witnesses' lines." type:"existingfile"`
}

func (c checkpointAcceptCmd) Run(s *session) error {
	msg, err := os.ReadFile(c.File)
	if err != nil {
		return exit(exitUsage, err)
	}
	return s.with("checkpoint accept", func(cl *daemon.Client) error {
		var out daemon.Accepted
		if err := cl.Call(s, "POST", "/v1/checkpoints/accept", daemon.AcceptRequest{Note: string(msg)}, &out); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(out)
		}
		if len(out.By) == 0 {
			fmt.Fprintln(s.out, "nothing new: these cosignatures are recorded already")
		}
		for _, c := range out.By {
			fmt.Fprintf(s.out, "recorded: %s, at %s\n", safe(c.By), c.At.Format("2006-01-02 15:04:05Z"))
		}
		return nil
	})
}

// anchorText says who outside confirmed the log last.
func anchorText(a *anchor.Anchored) string {
	if a == nil {
		return "none"
	}
	return fmt.Sprintf("%s, %d records, %s", a.By, a.Size, a.At.Format("2006-01-02 15:04:05Z"))
}
