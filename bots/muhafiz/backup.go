package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
	"github.com/muhafiz/muhafiz/config"
)

type backupCmd struct {
	Now    backupNowCmd    `cmd:"" default:"withargs" help:"Make a backup now, to the place that the configuration names."`
	List   backupListCmd   `cmd:"" help:"List the finished backups of a place."`
	Verify backupVerifyCmd `cmd:"" help:"Read a backup where it lies and recompute what follows from something else in it."`
	Keys   backupKeysCmd   `cmd:"" help:"Copy the keys and sessions, encrypted to recipients of their own. They are never in a backup."`
}

type backupNowCmd struct {
	Reread bool `help:"Read everything again, also what an earlier run read and found as it was."`
}

func (backupNowCmd) Help() string {
	return "The vault goes on collecting meanwhile. Only what is new is written; an interrupted run leaves the earlier backups as they are, and what it wrote already counts for the next. A backup holds the log, the indexes, the collection's positions and the blobs as they lie in the vault; neither keys nor sessions. Exit 4 when a blob in the vault was found damaged."
}

func (c backupNowCmd) Run(s *session) error {
	var res backup.Result
	start := time.Now()
	err := s.with("backup", func(cl *daemon.Client) error {
		bar, done := s.progress("backup")
		defer done()
		return cl.Stream(s, "POST", "/v1/backups", daemon.BackupRequest{Reread: c.Reread}, bar, &res)
	})
	if err != nil {
		return err
	}
	if s.json {
		if err := s.printJSON(res); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(s.out, "backup %s: %d records, %d blobs (%d bytes); %d new objects, %d bytes, in %s\n", res.Run, res.Records, res.Blobs, res.BlobBytes, res.NewObjects, res.NewBytes, time.Since(start).Round(time.Millisecond))
		if res.Removed > 0 {
			fmt.Fprintf(s.out, "%d objects that no kept backup needs were removed\n", res.Removed)
		}
	}
	if len(res.Damaged) > 0 {
		return exit(exitIncomplete, errors.New(strings.Join(res.Damaged, "\nmuhafiz: ")+"\nmuhafiz: run muhafiz fsck, and put whole copies back"))
	}
	return nil
}

// place is where a backup lies, for commands that may run where there is no configuration any more.
type place struct {
	From     string `help:"Folder or s3://BUCKET/PREFIX; the configuration's when not given. For s3 without a configuration the credentials are read from MUHAFIZ_BACKUP_ACCESS_KEY and MUHAFIZ_BACKUP_SECRET_KEY." placeholder:"PLACE"`
	Endpoint string `help:"Address of the S3-compatible storage." placeholder:"https://HOST"`
	Region   string `help:"Its region." placeholder:"REGION"`
}

func (p place) open(s *session) (backup.Store, error) {
	at := daemon.Place{To: p.From, Endpoint: p.Endpoint, Region: p.Region}
	if p.From == "" {
		cfg, err := s.load()
		if err != nil {
			return nil, err
		}
		if cfg.Backup == nil {
			return nil, exit(exitUsage, errors.New("the configuration names no place for backups: say --from"))
		}
		at = daemon.PlaceOf(cfg.Backup)
	} else if _, _, ok := config.S3Place(p.From); ok {
		if p.Endpoint == "" {
			return nil, exit(exitUsage, errors.New("s3 needs --endpoint https://HOST"))
		}
		at.AccessKey = config.NewSecret(os.Getenv("MUHAFIZ_BACKUP_ACCESS_KEY"))
		at.SecretKey = config.NewSecret(os.Getenv("MUHAFIZ_BACKUP_SECRET_KEY"))
	}
	return at.Open(s)
}

// opening is what opens and judges a backup.
type opening struct {
	Run_     string `name:"run" help:"Name of the backup; the newest when not given." placeholder:"NAME"`
	Identity string `help:"age identity file of one of the recipients." type:"existingfile" placeholder:"FILE"`
	Log      string `help:"The log's public key as you have it from elsewhere: a file with a vkey, or the vkey itself." placeholder:"KEY"`
}

func (o opening) identities() (backup.Identities, error) {
	if o.Identity == "" {
		return nil, nil
	}
	f, err := os.Open(o.Identity)
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	defer f.Close()
	ids, err := backup.ParseIdentities(f)
	if err != nil {
		return nil, exit(exitUsage, fmt.Errorf("%s: %w", o.Identity, err))
	}
	return ids, nil
}

func (o opening) key() string {
	if b, err := os.ReadFile(o.Log); err == nil {
		return strings.TrimSpace(string(b))
	}
	return o.Log
}

type backupListCmd struct{ place }

func (c backupListCmd) Run(s *session) error {
	store, err := c.open(s)
	if err != nil {
		return err
	}
	names, err := backup.Runs(s, store)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(names)
	}
	for _, n := range names {
		fmt.Fprintln(s.out, safe(n))
	}
	if len(names) == 0 {
		return backup.ErrNoBackup
	}
	return nil
}

type backupVerifyCmd struct {
	place
	opening
	Sample float64 `help:"Share of the blobs whose bytes are read, 0 to 1; whether all of them are there is looked for in any case. The log is always read whole." default:"1"`
}

func (backupVerifyCmd) Help() string {
	return "Holds every object against its name, recomputes the log's tree and compares it with the signed checkpoint in the backup. Exit 0 when all holds, 3 when something does not, 4 when something could not be checked: no --log, no --identity for an encrypted backup, a sample."
}

func (c backupVerifyCmd) Run(s *session) error {
	if c.Sample < 0 || c.Sample > 1 {
		return exit(exitUsage, errors.New("--sample is a share from 0 to 1"))
	}
	store, err := c.open(s)
	if err != nil {
		return err
	}
	ids, err := c.identities()
	if err != nil {
		return err
	}
	bar, done := s.progress("verify")
	o := backup.VerifyOptions{From: store, Run: c.Run_, Identities: ids, LogKey: c.key(), Sample: c.Sample}
	if bar != nil {
		o.Progress = func(stage string, n, total int64) { bar(daemon.Progress{Stage: stage, Done: n, Total: total}) }
	}
	rep, err := backup.Verify(s, o)
	done()
	if err != nil {
		return err
	}
	if s.json {
		if err := s.printJSON(rep); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(s.out, "backup %s of vault %s: %d records, of which a checkpoint in it signs %d; %d objects (%d bytes), %d read\n", safe(rep.Run), safe(rep.Vault), rep.Records, rep.Signed, rep.Objects, rep.Bytes, rep.Read)
		for _, p := range rep.Problems {
			fmt.Fprintln(s.out, safe(p))
		}
		for _, u := range rep.Unchecked {
			fmt.Fprintln(s.out, "not checked:", safe(u))
		}
	}
	switch {
	case len(rep.Problems) > 0:
		return exit(exitIntegrity, fmt.Errorf("%d problems: make a new backup with --reread, and restore from this one only what no other has", len(rep.Problems)))
	case len(rep.Unchecked) > 0:
		return exit(exitIncomplete, nil)
	case !s.json:
		fmt.Fprintln(s.out, "everything holds")
	}
	return nil
}

type restoreCmd struct {
	place
	opening
	Against []string `help:"A checkpoint or an export that was kept elsewhere; may be given more than once." type:"existingfile" placeholder:"FILE"`
	Folder  string   `arg:"" help:"The folder that becomes the vault: empty, not there, or one in which a restore was interrupted." type:"path"`
}

func (restoreCmd) Help() string {
	return "Makes a vault of a backup. It is the same log: the same records, numbers and tree, and the next record comes after the last. Views are built anew, everything is checked as fsck does, and that it was restored is recorded. No daemon may hold the folder. A sealed vault takes the configuration with its vault_key and keyring, put back beforehand. Exit 3 when fsck finds something or a checkpoint given is of another history, 4 when blobs are missing from the backup or a checkpoint shows that later records are lost."
}

func (c restoreCmd) Run(s *session) error {
	store, err := c.open(s)
	if err != nil {
		return err
	}
	in := daemon.RestoreRequest{Options: daemon.Options{Build: build(), Log: s.log}}
	if in.Identities, err = c.identities(); err != nil {
		return err
	}
	if in.Keys, err = s.sealKeys(); err != nil {
		return err
	}
	for _, name := range c.Against {
		b, err := os.ReadFile(name)
		if err != nil {
			return exit(exitUsage, err)
		}
		in.Against = append(in.Against, string(b))
	}
	in.From, in.Run, in.LogKey, in.To = store, c.Run_, c.key(), c.Folder
	bar, done := s.progress("restore")
	if bar != nil {
		in.Progress = func(stage string, n, total int64) { bar(daemon.Progress{Stage: stage, Done: n, Total: total}) }
	}
	rep, err := daemon.Restore(s, in)
	done()
	if err != nil {
		return restoreError(err)
	}
	if s.json {
		if err := s.printJSON(rep); err != nil {
			return err
		}
	} else {
		s.printRestore(c.Folder, rep)
	}
	switch {
	case len(rep.Fsck.Problems) > 0 && len(rep.Lacking) == 0:
		return exit(exitIntegrity, fmt.Errorf("the vault is there, and fsck finds %d problems", len(rep.Fsck.Problems)))
	case len(rep.Lacking) > 0:
		return exit(exitIncomplete, fmt.Errorf("the vault is there; %d blobs could not be had from this backup", len(rep.Lacking)))
	case rep.Lost > 0:
		return exit(exitIncomplete, fmt.Errorf("the vault is there; at least %d records that were made after the backup are lost", rep.Lost))
	}
	return nil
}

// sealKeys opens what the configuration says of a sealed vault. Without a configuration there are none, and a sealed vault says so.
func (s *session) sealKeys() (*vault.Keys, error) {
	cfg, err := s.load()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return daemon.VaultKeys(cfg, os.Getenv)
}

// restoreError gives an error its exit code.
func restoreError(err error) error {
	switch {
	case errors.Is(err, vault.ErrOtherRoot), errors.Is(err, backup.ErrDamaged), errors.Is(err, backup.ErrMissing), errors.Is(err, backup.ErrSignature), errors.Is(err, backup.ErrManifest), daemon.Broken(err):
		return exit(exitIntegrity, err)
	case errors.Is(err, vault.ErrExists), errors.Is(err, backup.ErrNotEmpty), errors.Is(err, backup.ErrNoIdentity), errors.Is(err, backup.ErrIdentity):
		return exit(exitUsage, err)
	}
	return err
}

func (s *session) printRestore(folder string, r daemon.RestoreReport) {
	fmt.Fprintf(s.out, "%s is the vault %s as of %s: %d records, of which a checkpoint in the backup signs %d; %d blobs (%d bytes)\n", folder, safe(r.Vault), r.At.UTC().Format("2006-01-02 15:04:05Z"), r.Records, r.Signed, r.Blobs, r.Bytes)
	for _, l := range r.Lacking {
		fmt.Fprintln(s.out, "not had:", safe(l))
	}
	for _, p := range r.Fsck.Problems {
		fmt.Fprintf(s.out, "%s: %s\n", safe(p.Where), safe(p.What))
	}
	if len(r.Fsck.Problems) == 0 {
		fmt.Fprintln(s.out, "fsck: everything holds")
	}
	if !r.Verified {
		fmt.Fprintln(s.out, "who wrote the backup was not checked: no log key was given (--log)")
	}
	fmt.Fprintln(s.out)
	for _, n := range r.Notes {
		fmt.Fprintln(s.out, "*", n)
	}
}
