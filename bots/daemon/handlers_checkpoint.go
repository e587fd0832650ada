package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
)

// Checkpoints is the newest signed head, and who outside confirmed which.
type Checkpoints struct {
	LogKey   string            `json:"log_key"`
	Newest   anchor.Signed     `json:"newest"`
	Note     string            `json:"note"` // of the newest
	Anchors  []anchor.Anchored `json:"anchors"`
	Unsigned int64             `json:"unsigned"` // records that it does not cover, without those about checkpoints
}

func (r *Rooms) checkpoints(ctx context.Context, _ *call, _ none) (any, error) {
	signed, by, err := anchor.Newest(ctx, r.Vault)
	if err != nil {
		return nil, err
	}
	state, err := r.anchorState(ctx)
	if err != nil {
		return nil, err
	}
	return Checkpoints{
		LogKey: r.Vault.LogKey(), Newest: signed, Note: state.Newest.Note, Anchors: by,
		Unsigned: max(0, r.Vault.Size()-signed.Size-signed.Own),
	}, nil
}

// ExportRequest asks for what an outside witness needs.
type ExportRequest struct {
	// Known is a checkpoint that the outsider holds already, or an earlier export; empty: it knows nothing.
	Known string `json:"known,omitempty"`
}

// Exported is a fresh checkpoint with the proof that it continues the known one, as a witness takes it (c2sp.org/tlog-witness).
type Exported struct {
	Old  int64  `json:"old"`
	Size int64  `json:"size"`
	Body string `json:"body"`
}

func (r *Rooms) exportCheckpoint(ctx context.Context, _ *call, in ExportRequest) (any, error) {
	var old anchor.Head
	if in.Known != "" {
		_, _, msg, err := anchor.ParseRequest([]byte(in.Known))
		if err != nil {
			return nil, usagef("%v", err)
		}
		if old, err = anchor.Compare(ctx, r.Vault, msg, r.keyOf(ctx, msg)); err != nil {
			return nil, notOurs(err)
		}
	}
	c, err := r.Vault.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	proof, err := r.Vault.Consistency(ctx, old.Size, c.Size)
	if err != nil {
		return nil, err
	}
	return Exported{Old: old.Size, Size: c.Size, Body: string(anchor.Request(old.Size, proof, []byte(c.Note)))}, nil
}

// CompareRequest holds a checkpoint that was kept elsewhere.
type CompareRequest struct {
	Note   string `json:"note"`              // a checkpoint or an export
	LogKey string `json:"log_key,omitempty"` // vkey that its keeper trusts; empty: any that the log itself had
}

// Compared says how today's log stands to a checkpoint.
type Compared struct {
	Size    int64 `json:"size"`    // of the checkpoint
	Records int64 `json:"records"` // of the log now
	Trusted bool  `json:"trusted"` // the key came with the question and not out of the vault
}

func (r *Rooms) compareCheckpoint(ctx context.Context, _ *call, in CompareRequest) (any, error) {
	_, _, msg, err := anchor.ParseRequest([]byte(in.Note))
	if err != nil {
		return nil, usagef("%v", err)
	}
	key := in.LogKey
	if key == "" {
		key = r.keyOf(ctx, msg)
	}
	h, err := anchor.Compare(ctx, r.Vault, msg, key)
	if err != nil {
		return nil, notOurs(err)
	}
	return Compared{Size: h.Size, Records: r.Vault.Size(), Trusted: in.LogKey != ""}, nil
}

// keyOf returns the one of the log's keys, present and past, that signed a checkpoint; the present one where none did.
func (r *Rooms) keyOf(ctx context.Context, msg []byte) string {
	key := r.Vault.LogKey()
	err := r.Vault.About(ctx, evidence.NewOrdinal(evidence.SpaceVault, 0), func(rec evidence.Record) error {
		if rec.Kind != evidence.KindKeyRotated {
			return nil
		}
		if b, err := evidence.Decode[*evidence.KeyRotated](rec); err == nil {
			if _, err := anchor.Open(msg, b.Old); err == nil {
				key = b.Old
			}
		}
		return nil
	})
	if err != nil {
		r.Log.Error().Err(err).Msg("the log's earlier keys cannot be read")
	}
	return key
}

// notOurs tells a broken promise of the log from a checkpoint that is none.
func notOurs(err error) error {
	switch {
	case errors.Is(err, anchor.ErrOtherLog):
		return &broken{err}
	case errors.Is(err, anchor.ErrNote):
		return usagef("%v", err)
	}
	return err
}

// broken is a violation of the log's integrity.
type broken struct{ error }

func (b *broken) Unwrap() error { return b.error }

// AcceptRequest holds a checkpoint with witnesses' lines.
type AcceptRequest struct {
	Note string `json:"note"`
}

// Accepted lists the cosignatures that are new.
type Accepted struct {
	By []anchor.Cosignature `json:"by"`
}

func (r *Rooms) acceptCosignatures(ctx context.Context, _ *call, in AcceptRequest) (any, error) {
	by, err := anchor.Accept(ctx, r.Vault, r.Now(), []byte(in.Note), r.Config.Anchors.Witnesses)
	if err != nil {
		return nil, notOurs(err)
	}
	return Accepted{By: by}, nil
}

// Stamped is what the authorities answered.
type Stamped struct {
	Size    int64             `json:"size"`
	Anchors []anchor.Anchored `json:"anchors"`
	Failed  map[string]string `json:"failed,omitempty"` // authority -> why
}

// stampNow signs the head and asks every authority at once.
func (r *Rooms) stampNow(ctx context.Context, _ *call, _ none) (any, error) {
	as, err := authorities(r.Config)
	if err != nil {
		return nil, err
	}
	if len(as) == 0 {
		return nil, usagef("the configuration names no time-stamping authority: add one under anchors.authorities")
	}
	c, err := r.Vault.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	out := Stamped{Size: c.Size, Failed: map[string]string{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var fatal error
	for _, a := range as {
		wg.Go(func() {
			got, err := anchor.Stamp(ctx, r.Vault, r.Now(), c, a)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				out.Anchors = append(out.Anchors, got)
			case isFatal(err):
				fatal = err
			default:
				out.Failed[a.Name] = err.Error()
			}
		})
	}
	wg.Wait()
	return out, fatal
}

// RotateRequest asks for another log key.
type RotateRequest struct {
	Person string `json:"person"`
	Key    string `json:"key"` // private key file, absolute, or credential:NAME
	// Passphrase opens the new key where it is sealed; empty: that of the configuration does.
	Passphrase string `json:"passphrase,omitempty"`
	Reason     string `json:"reason"`
}

// Rotated says which key replaced which.
type Rotated struct {
	Old string `json:"old"`
	New string `json:"new"`
}

func (r *Rooms) rotateKey(ctx context.Context, _ *call, in RotateRequest) (any, error) {
	if in.Reason == "" {
		return nil, usagef("say why the key changes: --reason")
	}
	if _, err := r.person(ctx, in.Person); err != nil {
		return nil, err
	}
	from := secrets.LogKeySource{At: in.Key, Getenv: r.Getenv}
	if p := r.Config.LogKeyPassphrase; !p.IsZero() {
		from.Passphrase = func() (string, error) { return p.Reveal(), nil }
	}
	if in.Passphrase != "" {
		from.Passphrase = func() (string, error) { return in.Passphrase, nil }
	}
	signer, vkey, err := secrets.OpenLogKey(from)
	if err != nil {
		return nil, usagef("%v", err)
	}
	b, err := r.Vault.RotateKey(ctx, evidence.Person(in.Person), signer, vkey, in.Reason)
	if err != nil {
		return nil, fmt.Errorf("change the log's key: %w", err)
	}
	r.vkey = b.New
	r.Log.Warn().Str("old", b.Old).Str("new", b.New).Msg("the log's key was changed; log_key in the configuration must name the new file before the next start")
	return Rotated{Old: b.Old, New: b.New}, nil
}
