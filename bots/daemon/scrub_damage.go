package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
)

// maxDamage bounds the damages that are recorded one by one: a disk that died brings more than anybody reads.
const maxDamage = 500

// foundDamage sets a damaged blob aside and records what was found, once, then asks the platform for the file.
func (r *Rooms) foundDamage(ctx context.Context, d vault.Damage) error {
	r.scrub.found.Lock()
	defer r.scrub.found.Unlock()
	body := &evidence.DamageFound{Part: d.Part, Blob: d.Blob, What: d.What, Missing: d.Missing}
	if d.Part == evidence.DamagedBlob {
		if !d.Missing {
			aside, err := r.Vault.SetAside(ctx, d.Blob)
			if err != nil {
				return err
			}
			if aside == "" {
				return nil // it is whole by now, or was erased
			}
			body.Aside = aside
		} else if files, err := r.Vault.Aside(d.Blob); err != nil {
			return err
		} else if len(files) > 0 { // a stop between setting it aside and recording that
			body.Aside = files[len(files)-1]
		}
		named, err := r.Vault.Naming(ctx, d.Blob)
		if err != nil && !errors.Is(err, vault.ErrUnknownKind) {
			return err
		}
		body.NamedBy = named
	} else {
		body.Records = &d.Records
	}
	open, err := r.openDamage(ctx)
	if err != nil {
		return err
	}
	key := damageKey(body.Part, body.Blob, body.Records)
	for _, o := range open {
		if damageKey(o.Part, o.Blob, o.Records) == key && (d.Missing || body.Aside == "") {
			return nil
		}
	}
	r.scrub.hits.Add(1)
	r.Log.Error().Str("part", d.Part).Str("key", key).Str("what", d.What).Str("aside", body.Aside).Msg("scrub: damage found")
	if len(open) >= maxDamage {
		return nil
	}
	if err := r.write(ctx, evidence.Vault(), evidence.Vault(), body); err != nil {
		return err
	}
	if d.Part != evidence.DamagedBlob {
		return nil
	}
	return r.mendBlob(ctx, OpenDamage{Part: d.Part, Blob: d.Blob})
}

// mendDamage looks at every open damage again: whether it is still there, and whether the platform helps.
func (r *Rooms) mendDamage(ctx context.Context) error {
	open, err := r.openDamage(ctx)
	if err != nil {
		return err
	}
	for _, o := range open {
		if o.Part != evidence.DamagedBlob {
			err = r.checkRecords(ctx, o)
		} else {
			r.scrub.found.Lock()
			err = r.mendBlob(ctx, o)
			r.scrub.found.Unlock()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Rooms) checkRecords(ctx context.Context, o OpenDamage) error {
	if o.Records == nil {
		return nil
	}
	run := *o.Records
	if o.Part == evidence.DamagedTree {
		run.First = run.Last // the one that brought the hash
	}
	wrong, err := r.Vault.CheckRecords(ctx, run)
	if wrong != "" || err != nil {
		return err
	}
	return r.endDamage(ctx, o, evidence.MendWhole, "")
}

// mendBlob ends a blob's damage where it is whole, or nothing needs it, or a source brings it. The caller holds the lock.
func (r *Rooms) mendBlob(ctx context.Context, o OpenDamage) error {
	wrong, err := r.Vault.CheckBlob(ctx, o.Blob)
	if err != nil {
		return err
	}
	if wrong == "" {
		return r.endDamage(ctx, o, evidence.MendWhole, "")
	}
	named, err := r.Vault.Naming(ctx, o.Blob)
	switch {
	case errors.Is(err, vault.ErrUnknownKind):
		return nil // who needs it cannot be told by this build
	case err != nil:
		return err
	case len(named) == 0:
		return r.endDamage(ctx, o, evidence.MendNeedless, "")
	}
	if r.Vault.WithholdsBlob(o.Blob) || r.refetchers == nil || r.Now().Sub(r.scrub.tried[o.Blob]) < refetchPause {
		return nil
	}
	by, err := r.refetch(ctx, o.Blob, named)
	switch {
	case by != "":
		return r.endDamage(ctx, o, evidence.MendRefetched, by)
	case isFatal(err), ctx.Err() != nil:
		return err
	case errors.Is(err, collectors.ErrNotOurs):
		return nil // tried again as soon as an account watches the channel
	case err != nil:
		r.Log.Warn().Err(err).Str("blob", o.Blob.String()).Msg("scrub: the platform did not bring a damaged file again")
	}
	if r.scrub.tried == nil {
		r.scrub.tried = map[evidence.Digest]time.Time{}
	}
	r.scrub.tried[o.Blob] = r.Now()
	return nil
}

// refetchPause is how long a file that the platform did not bring is not asked for again.
const refetchPause = 24 * time.Hour

func (r *Rooms) endDamage(ctx context.Context, o OpenDamage, how, by string) error {
	r.Log.Info().Str("key", damageKey(o.Part, o.Blob, o.Records)).Str("how", how).Str("by", by).Msg("scrub: a damage ended")
	return r.write(ctx, evidence.Vault(), evidence.Vault(), &evidence.DamageEnded{Part: o.Part, Blob: o.Blob, Records: o.Records, How: how, By: by})
}

// refetch asks each source for the file by each post that had it. Raw replies and what we made ourselves cannot be had again.
func (r *Rooms) refetch(ctx context.Context, d evidence.Digest, named []int64) (by string, err error) {
	err = collectors.ErrNotOurs
	for _, seq := range named {
		rec, rerr := r.Vault.Vault.Record(ctx, seq)
		if rerr != nil {
			return "", rerr
		}
		k, derr := evidence.Decode[*evidence.MediaKept](rec)
		if derr != nil || k.Blob.SHA256 != d {
			continue
		}
		post, nerr := r.Vault.Name(ctx, rec.Subject)
		if nerr != nil {
			return "", nerr
		}
		want := collectors.Refetch{Post: post, MediaID: k.MediaID, Thumbnail: k.Thumbnail}
		for _, s := range r.refetchers() {
			x, ok := s.(collectors.Refetcher)
			if !ok {
				continue
			}
			got := x.Refetch(ctx, want, r.keepAs(d))
			if got == nil {
				return s.Name(), nil
			}
			if !errors.Is(got, collectors.ErrNotOurs) {
				err = got
			}
			if isFatal(got) || ctx.Err() != nil {
				return "", got
			}
		}
	}
	return "", err
}

// keepAs takes only the bytes that a digest names.
func (r *Rooms) keepAs(d evidence.Digest) collectors.Keep {
	return func(ctx context.Context, in io.Reader, limit int64) (evidence.Digest, int64, error) {
		c := &counted{r: io.LimitReader(in, limit+1)}
		err := r.Vault.Mend(ctx, d, c, false)
		return d, c.n, err
	}
}

type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// Mended says what a backup brought.
type Mended struct {
	Had    int      `json:"had"`
	Lacked []string `json:"lacked,omitempty"` // sentences
}

// mendFrom brings all damaged blobs back that a backup holds.
func (r *Rooms) mendFrom(ctx context.Context, o backup.FetchOptions) (Mended, error) {
	m := Mended{}
	open, err := r.openDamage(ctx)
	if err != nil {
		return m, err
	}
	by := map[evidence.Digest]OpenDamage{}
	for _, d := range open {
		if d.Part == evidence.DamagedBlob {
			by[d.Blob] = d
			o.Want = append(o.Want, d.Blob)
		}
	}
	if len(o.Want) == 0 {
		return m, nil
	}
	o.Vault = r.Vault.ID()
	o.Keep = func(ctx context.Context, d evidence.Digest, sealed bool, in io.Reader) error {
		return r.Vault.Mend(ctx, d, in, sealed)
	}
	got, err := backup.Fetch(ctx, o)
	r.scrub.found.Lock()
	defer r.scrub.found.Unlock()
	for d, run := range got.Had {
		m.Had++
		if err := r.endDamage(ctx, by[d], evidence.MendBackup, run); err != nil {
			return m, err
		}
	}
	for d, why := range got.Lacked {
		m.Lacked = append(m.Lacked, fmt.Sprintf("blob %s: %s", d, why))
	}
	return m, err
}
