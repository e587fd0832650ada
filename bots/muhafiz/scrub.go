package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
)

type scrubCmd struct {
	place
	opening
	Mend bool   `help:"Bring damaged blobs back from the configuration's backup. --from names another place, and brings them back too."`
	Rate string `help:"Bytes a second, such as 20MiB; as fast as the disk can when not given." placeholder:"SIZE"`
}

func (scrubCmd) Help() string {
	return "Reads every record and every blob again, while a daemon runs or without one, against what was recorded of them. A damaged blob is set aside (never deleted; the path is said) and asked of the platform once more where a daemon's account watches its channel; a backup given brings it back. Only bytes with the recorded SHA-256 take its place. What was found, and how it ended, are records. A damaged record cannot be mended in place: restore a backup. Exit 3 when something is damaged and was not mended."
}

func (c scrubCmd) Run(s *session) error {
	var in daemon.ScrubRequest
	if c.Rate != "" {
		rate, err := config.ParseSize(c.Rate)
		if err != nil {
			return exit(exitUsage, fmt.Errorf("--rate %w", err))
		}
		in.Rate = int64(rate)
	}
	if c.Mend || c.From != "" {
		from, err := c.source()
		if err != nil {
			return err
		}
		in.From = &from
	}
	var out daemon.Scrubbed
	start := time.Now()
	err := s.with("scrub", func(cl *daemon.Client) error {
		bar, done := s.progress("scrub")
		defer done()
		return cl.Stream(s, "POST", "/v1/scrubs", in, bar, &out)
	})
	if err != nil {
		return err
	}
	if s.json {
		if err := s.printJSON(out); err != nil {
			return err
		}
	} else {
		s.printScrub(out, time.Since(start))
	}
	if n := len(out.Open); n > 0 {
		return exit(exitIntegrity, fmt.Errorf("%d damages are not mended: give a backup that holds the blobs (--from), and restore one for records (muhafiz restore)", n))
	}
	return nil
}

// source is the place as the one who holds the vault takes it.
func (c scrubCmd) source() (daemon.MendPlace, error) {
	at := daemon.MendPlace{To: c.From, Endpoint: c.Endpoint, Region: c.Region, Run: c.Run_, LogKey: c.key()}
	var err error
	if _, _, s3 := config.S3Place(c.From); s3 {
		if c.Endpoint == "" {
			return at, exit(exitUsage, errors.New("s3 needs --endpoint https://HOST"))
		}
		at.AccessKey, at.SecretKey = os.Getenv("MUHAFIZ_BACKUP_ACCESS_KEY"), os.Getenv("MUHAFIZ_BACKUP_SECRET_KEY")
	} else if c.From != "" {
		at.To, err = filepath.Abs(c.From)
	}
	if c.Identity != "" && err == nil {
		at.Identity, err = filepath.Abs(c.Identity)
	}
	return at, err
}

func (s *session) printScrub(out daemon.Scrubbed, took time.Duration) {
	fmt.Fprintf(s.out, "%d records and %d blobs (%d bytes) read again in %s\n", out.Records, out.Blobs, out.Bytes, took.Round(time.Millisecond))
	if out.Mended != nil {
		fmt.Fprintf(s.out, "%d blobs were brought back from the backup\n", out.Mended.Had)
		for _, l := range out.Mended.Lacked {
			fmt.Fprintln(s.out, "not had:", safe(l))
		}
	}
	for _, o := range out.Open {
		what := "blob " + o.Blob.String()
		if o.Part != evidence.DamagedBlob && o.Records != nil {
			what = fmt.Sprintf("%s %d", o.Part, o.Records.Last)
		}
		fmt.Fprintf(s.out, "%s: %s\n", what, safe(o.What))
		if o.Aside != "" {
			fmt.Fprintln(s.out, "  the damaged file lies at", safe(o.Aside))
		}
	}
	if len(out.Open) == 0 {
		fmt.Fprintln(s.out, "everything is as it was recorded")
	}
}

// scrubText says where the re-reading of the disk stands.
func scrubText(t daemon.ScrubStatus) string {
	out := "the disk was never read again whole"
	if t.Last != nil {
		out = fmt.Sprintf("the disk was read again whole by %s, %d damages found", t.Last.Ended.Format("2006-01-02 15:04Z"), t.Last.Found)
	}
	switch {
	case t.Now != nil:
		out += fmt.Sprintf("; a pass is under way: %s, %.0f %%", orDash(t.Stage), 100*t.Share)
	case !t.Next.IsZero():
		out += "; next " + t.Next.Format("2006-01-02 15:04Z")
	}
	if t.Damaged > 0 {
		out += fmt.Sprintf("; %d DAMAGES ARE NOT MENDED (muhafiz scrub)", t.Damaged)
	}
	return out
}
