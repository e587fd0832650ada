package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
)

// RestoreRequest asks for a vault to be made of a backup.
type RestoreRequest struct {
	backup.RestoreOptions
	Against []string    // checkpoints that were kept elsewhere, or exports
	Keys    *vault.Keys // of a sealed vault, whose key ring no backup holds; its folder must be named
	Options             // Build, Log, Now
}

// RestoreReport says what was restored, and what was not.
type RestoreReport struct {
	backup.Restored
	Lost  int64            `json:"lost"` // records that a checkpoint given proves to have been there after the backup; 0: none is known of
	Fsck  vault.FsckReport `json:"fsck"`
	Notes []string         `json:"notes"`
}

// Restore makes a vault of a backup, records that in it and checks it. The vault is left with what fsck found; an error means that there
// is none.
func Restore(ctx context.Context, in RestoreRequest) (RestoreReport, error) {
	in.setDefaults()
	if in.Keys != nil {
		k := *in.Keys
		k.Restored = true
		in.Keys = &k
	}
	var rep RestoreReport
	in.Check = func(ctx context.Context, dir string, r backup.Restored) error {
		rep.Restored = r
		if err := in.record(ctx, dir, &rep); err != nil {
			return err
		}
		var err error
		rep.Fsck, err = vault.Fsck(ctx, dir, vault.FsckOptions{Views: Views(), Keys: in.Keys, Log: in.Log, Progress: func(stage string, done, total int64) {
			if in.Progress != nil {
				in.Progress("fsck "+stage, done, total)
			}
		}})
		return err
	}
	res, err := backup.Restore(ctx, in.RestoreOptions)
	rep.Restored = res
	rep.Notes = rep.notes()
	return rep, err
}

// record compares the vault with the checkpoints given and writes that it was restored.
func (in RestoreRequest) record(ctx context.Context, dir string, rep *RestoreReport) (err error) {
	v, err := vault.Open(dir, vault.Options{Views: Views(), Keys: in.Keys, Build: in.Build, Now: in.Now, Log: in.Log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	for _, msg := range in.Against {
		if err := in.compare(ctx, v, []byte(msg), rep); err != nil {
			return err
		}
	}
	r := &Rooms{Options: in.Options, Vault: &Guard{Vault: v}}
	open, _, err := v.Get(ctx, viewRuns, runOpen)
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	err = r.write(ctx, evidence.Vault(), evidence.Vault(), &evidence.RunStarted{
		Build: in.Build, Command: "restore", Host: host, Clock: clockState(), Interrupted: open != nil,
		Restored: &evidence.Restored{Backup: rep.Run, At: rep.At, Records: rep.Records, Lacking: len(rep.Lacking)},
	})
	if err != nil {
		return err
	}
	return r.write(ctx, evidence.Vault(), evidence.Vault(), &evidence.RunStopped{Command: "restore"})
}

// compare holds the records against a checkpoint. One over more records is honest all the same: what came after the backup is lost.
func (in RestoreRequest) compare(ctx context.Context, v *vault.Vault, msg []byte, rep *RestoreReport) error {
	_, _, msg, err := anchor.ParseRequest(msg)
	if err != nil {
		return usagef("%v", err)
	}
	key := in.LogKey
	if key == "" {
		key = (&Rooms{Options: in.Options, Vault: &Guard{Vault: v}}).keyOf(ctx, msg)
	}
	h, err := anchor.Open(msg, key)
	if err != nil {
		return notOurs(err)
	}
	if h.Size > v.Size() {
		rep.Lost = max(rep.Lost, h.Size-v.Size())
		return nil
	}
	_, err = anchor.Compare(ctx, v, msg, key)
	return notOurs(err)
}

func (rep *RestoreReport) notes() []string {
	at := rep.At.UTC().Format("2006-01-02 15:04:05Z")
	out := []string{
		fmt.Sprintf("It continues the log of %s as of %s. Decisions, notices, looks and posts recorded after that are not in it: a notice that was sent since then stands there as unsent. Nothing is sent before somebody has compared that with the mail server's log, withdrawn or settled what had left, and said so: muhafiz notice resume.", rep.Vault, at),
		"Collection goes on from the positions of then. What the platform still has is fetched again; what it took away meanwhile is a gap.",
		"Only one copy of a log may go on. Never start the old vault again, should it turn up: muhafiz checkpoint verify --against, and the next backup, tell the two apart.",
		"Keys are not in a backup: put the log key, the session key and, if there is one, the key ring back where the configuration names them, or log in again.",
	}
	if rep.Lost > 0 {
		out = append(out, fmt.Sprintf("A checkpoint that you gave was signed over %d records more than this backup holds. They are lost, and this log will never continue that checkpoint: tell whoever keeps it, and let them keep both.", rep.Lost))
	}
	return out
}

// Broken reports whether an error is a violation of the log's integrity.
func Broken(err error) bool {
	var b *broken
	return errors.As(err, &b)
}
