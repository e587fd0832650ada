package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"github.com/muhafiz/muhafiz/collectors/vault/backup"
	"github.com/muhafiz/muhafiz/config"
)

// Place is where backups lie, as a person or the configuration names it.
type Place struct {
	To        string // folder or s3://BUCKET/PREFIX
	Endpoint  string
	Region    string
	AccessKey config.Secret
	SecretKey config.Secret
}

// PlaceOf is the configuration's.
func PlaceOf(b *config.Backup) Place {
	return Place{b.To, b.Endpoint, b.Region, b.AccessKey, b.SecretKey}
}

// Open reaches the place.
func (p Place) Open(ctx context.Context) (backup.Store, error) {
	bucket, prefix, ok := config.S3Place(p.To)
	if !ok {
		return backup.OpenFolder(p.To)
	}
	return backup.OpenS3(ctx, backup.S3Options{
		Endpoint: p.Endpoint, Region: p.Region, Bucket: bucket, Prefix: prefix, AccessKey: p.AccessKey.Reveal(), SecretKey: p.SecretKey.Reveal(),
	})
}

// BackupRequest asks for a backup to the configured place.
type BackupRequest struct {
	Reread bool `json:"reread,omitempty"`
}

// BackupState is how the last tries went. It lies in the vault's folder, since a backup cannot hold a record of itself.
type BackupState struct {
	Last  *backup.Result `json:"last,omitempty"`
	At    time.Time      `json:"at,omitzero"`     // of the last that succeeded
	Tried time.Time      `json:"tried,omitzero"`  // of the last try
	Error string         `json:"error,omitempty"` // of the last try
}

var errNoBackup = usagef("the configuration names no place for backups: add backup: {to: FOLDER} to it")

func (r *Rooms) makeBackup(ctx context.Context, c *call, in BackupRequest) (any, error) {
	if r.Config.Backup == nil {
		return nil, errNoBackup
	}
	return r.runBackup(ctx, in.Reread, c.progress)
}

// runBackup makes one backup and remembers how it went.
func (r *Rooms) runBackup(ctx context.Context, reread bool, progress func(string, int64, int64)) (backup.Result, error) {
	b := r.Config.Backup
	if b == nil { // reloaded meanwhile
		return backup.Result{}, errNoBackup
	}
	state := BackupState{Tried: r.Now().UTC()}
	res, err := func() (res backup.Result, err error) {
		to, err := backup.ParseRecipients(b.Recipients)
		if err != nil {
			return res, err
		}
		store, err := PlaceOf(b).Open(ctx)
		if err != nil {
			return res, err
		}
		return backup.Run(ctx, backup.Options{
			Vault: r.Vault, To: store, Recipients: to, Signer: r.Vault.Signer(), Keep: b.Keep, Reread: reread,
			Build: r.Build, Now: r.Now, Log: r.Log, Progress: progress,
		})
	}()
	if errors.Is(err, backup.ErrBusy) || ctx.Err() != nil {
		return res, err // neither is a failure of the place
	}
	before, berr := r.backupState()
	if berr != nil {
		r.Log.Error().Err(berr).Msg("how the last backup went cannot be read")
	}
	state.Last, state.At = before.Last, before.At
	if err != nil {
		state.Error = err.Error()
		r.Log.Error().Err(err).Msg("backup failed")
	} else {
		state.Last, state.At = &res, state.Tried
		for _, d := range res.Damaged {
			r.Log.Error().Str("what", d).Msg("backup met a damaged blob")
		}
		r.Log.Info().Str("backup", res.Run).Int64("records", res.Records).Int64("new_objects", res.NewObjects).Int64("new_bytes", res.NewBytes).Msg("backup made")
	}
	return res, errors.Join(err, r.keepBackupState(state))
}

func (r *Rooms) backupFile() string { return filepath.Join(r.Config.Vault, "backup", "last.json") }

func (r *Rooms) backupState() (s BackupState, err error) {
	b, err := os.ReadFile(r.backupFile())
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}

func (r *Rooms) keepBackupState(s BackupState) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(r.backupFile()), 0o700); err != nil {
		return err
	}
	return renameio.WriteFile(r.backupFile(), append(b, '\n'), 0o600)
}

// backupRetry is how soon a failed backup is tried again.
const backupRetry = 15 * time.Minute

// backups makes a backup whenever one is due. One that fails stops nothing: status warns, and it is tried again.
func (d *Daemon) backups(ctx context.Context) error {
	r := d.rooms
	for {
		wait := time.Hour
		d.mu.Lock()
		b := d.cfg.Backup
		d.mu.Unlock()
		if b != nil && b.Every > 0 {
			state, err := r.backupState()
			if err != nil {
				r.Log.Error().Err(err).Msg("how the last backup went cannot be read")
			}
			wait = time.Duration(b.Every) - r.Now().Sub(state.At)
			if state.Error != "" {
				wait = max(wait, backupRetry-r.Now().Sub(state.Tried))
			}
			if wait <= 0 {
				wait = time.Duration(b.Every)
				if _, err := r.runBackup(ctx, false, nil); err != nil {
					wait = backupRetry
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-d.o.After(min(wait, time.Hour)):
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// backupWarning says what is wrong with the copies of the vault, empty where nothing is.
func (r *Rooms) backupWarning() string {
	b := r.Config.Backup
	if b == nil {
		return "no backup: whatever takes this disk takes the evidence. Name a place under backup in the configuration."
	}
	s, err := r.backupState()
	switch every := time.Duration(b.Every); {
	case err != nil:
		return fmt.Sprintf("how the last backup went cannot be read (%v)", err)
	case s.Error != "":
		return "the last try to make a backup failed: " + s.Error
	case s.At.IsZero():
		return "no backup was made yet: muhafiz backup makes one now"
	case every > 0 && r.Now().Sub(s.At) > 2*every:
		return fmt.Sprintf("the last backup is %d hours old: is the daemon running all the time?", int(r.Now().Sub(s.At).Hours()))
	case s.Last != nil && len(s.Last.Damaged) > 0:
		return fmt.Sprintf("the last backup met %d damaged blobs: run muhafiz fsck", len(s.Last.Damaged))
	}
	return ""
}
