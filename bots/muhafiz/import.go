package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/chatexport"
)

type importCmd struct {
	who
	Target string `required:"" help:"The target whose channel or account this is of; a second person must have approved it."`
	Path   string `arg:"" help:"result.json of a Telegram Desktop export, the .zip or text of a WhatsApp export, capture.json of a manual capture, or the folder that holds one of them." type:"path"`

	DateOrder string `help:"How a WhatsApp export writes its dates, where the file does not tell: dmy, mdy or ymd." placeholder:"ORDER"`
}

func (importCmd) Help() string {
	return "Reads the JSON export of a public Telegram channel with its media, the exported chat of a WhatsApp channel, or a manual capture of an account: a folder with a capture.json and the files that it names. Every message becomes a version, is the same as before, or is listed with a reason. The same file again writes nothing. Exit 4 when something in the export could not be read or a file is missing.\n\nA WhatsApp export is a .zip, a folder with _chat.txt (or WhatsApp Chat with NAME.txt) and the media, or the text alone, beside which only media under WhatsApp's own names are kept. It does not say what it is of. So it is imported only for a target whose channel a WhatsApp account of ours has read, and only if every message is by the name under which the log knows that channel; a second sender, a telephone number, and remarks of WhatsApp as groups and conversations have them, refuse the whole file before anything is kept. Its posts have no numbers: they stand beside those that the account collected, each under a number made of its minute and text. An edit that changed the text is a post of its own.\n\nA capture.json says who captured what: {\"platform\": \"x\", \"account\": \"https://x.com/NAME\", \"captured_at\": \"2026-01-31T12:00:00Z\", \"captured_by\": \"PERSON\", \"tool\": \"browser and version\", \"posts\": [{\"url\": \"https://x.com/NAME/status/123\", \"text\": \"…\", \"files\": [{\"path\": \"shot.png\", \"what\": \"screenshot\"}]}]}. A file is a screenshot, a page or media. Optional: account_id; account_shows {\"name\": \"…\", \"description\": \"…\", \"followers\": 12500, \"verified\": false, \"created_at\": \"…\"}, which is what the account's page shows; of a post id, lang, claimed_at, claimed_local. A Facebook link with pfbid… holds no permanent number: give the post's id beside it."
}

func (c importCmd) Run(s *session) error {
	var rep chatexport.CaptureReport // of an export, the part that both have
	err := s.with("import", func(cl *daemon.Client) error {
		bar, done := s.progress("import")
		defer done()
		return cl.Stream(s, "POST", "/v1/imports", daemon.ImportRequest{Person: c.As, Target: c.Target, Path: c.Path, DateOrder: c.DateOrder}, bar, &rep)
	})
	if err != nil {
		return err
	}
	if s.json {
		var v any = rep
		if rep.Platform == "" {
			v = rep.Report
		}
		if err := s.printJSON(v); err != nil {
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

func (s *session) printImport(r chatexport.CaptureReport) {
	in := "messages in the file"
	if r.Platform == "" {
		fmt.Fprintf(s.out, "%s, channel %s, SHA-256 %s\n", safe(r.Name), r.Account, r.SHA256)
	} else {
		in = "posts in the capture"
		fmt.Fprintf(s.out, "%s, %s account %s, captured by %s at %s, SHA-256 %s\n", safe(r.Name), r.Platform, safe(r.Account), r.CapturedBy, r.CapturedAt.Format(time.RFC3339), r.SHA256)
	}
	rows := [][]string{
		{in, strconv.Itoa(r.Messages)},
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
	if r.DateOrder != "" {
		fmt.Fprintf(s.out, "dates were read as %s (d day, m month, y year)\n", r.DateOrder)
	}
	if r.Truncated {
		fmt.Fprintf(s.out, "the file ends in the middle, at byte %d: what stood before it was read\n", r.TruncatedAt)
	}
	if r.Records == 0 {
		fmt.Fprintln(s.out, "nothing new")
	}
}
