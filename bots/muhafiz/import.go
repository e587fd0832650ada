package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/chatexport"
)

type importCmd struct {
	who
	Target string `required:"" help:"The target whose channel the export is of; a second person must have approved it."`
	Path   string `arg:"" help:"result.json of a Telegram Desktop export, or the folder that holds it." type:"path"`
}

func (importCmd) Help() string {
	return "Reads the JSON export of a public channel with its media. Every message becomes a version, is the same as before, or is listed with a reason. The same file again writes nothing. Exit 4 when something in the export could not be read or a file is missing."
}

func (c importCmd) Run(s *session) error {
	var rep chatexport.Report
	err := s.with("import", func(cl *daemon.Client) error {
		bar, done := s.progress("import")
		defer done()
		return cl.Stream(s, "POST", "/v1/imports", daemon.ImportRequest{Person: c.As, Target: c.Target, Path: c.Path}, bar, &rep)
	})
	if err != nil {
		return err
	}
	if s.json {
		if err := s.printJSON(rep); err != nil {
			return err
		}
	} else {
		s.printImport(rep)
	}
	if !rep.Complete() || rep.Missed() > 0 {
		return exit(exitIncomplete, nil)
	}
	return nil
}

func (s *session) printImport(r chatexport.Report) {
	fmt.Fprintf(s.out, "%s, channel %s, SHA-256 %s\n", safe(r.Name), r.Account, r.SHA256)
	rows := [][]string{
		{"messages in the file", strconv.Itoa(r.Messages)},
		{"  new versions of posts", strconv.Itoa(r.Posts)},
		{"  new service messages", strconv.Itoa(r.Service)},
		{"  as the vault has them", strconv.Itoa(r.Unchanged)},
		{"  not read", strconv.Itoa(r.Skipped)},
	}
	for _, k := range slices.Sorted(maps.Keys(r.Reasons)) {
		rows = append(rows, []string{"    " + k, strconv.Itoa(r.Reasons[k])})
	}
	rows = append(rows,
		[]string{"files kept", strconv.Itoa(r.MediaKept)},
		[]string{"files that the vault had", strconv.Itoa(r.MediaUnchanged)},
		[]string{"files missed", strconv.Itoa(r.Missed())})
	for _, k := range slices.Sorted(maps.Keys(r.MediaMissed)) {
		rows = append(rows, []string{"    " + k, strconv.Itoa(r.MediaMissed[k])})
	}
	rows = append(rows, []string{"records written", strconv.Itoa(r.Records)})
	s.table(rows)
	if r.Parts > 0 {
		fmt.Fprintf(s.out, "%d parts of messages could not be read; those posts are marked incomplete\n", r.Parts)
	}
	if r.TimesAreLocal {
		fmt.Fprintln(s.out, "times in this export have no zone; they are recorded as local")
	}
	if r.Truncated {
		fmt.Fprintf(s.out, "the file ends in the middle, at byte %d: what stood before it was read\n", r.TruncatedAt)
	}
	if r.Records == 0 {
		fmt.Fprintln(s.out, "nothing new")
	}
}
