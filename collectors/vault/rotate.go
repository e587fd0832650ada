package vault

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// RotateKey has checkpoints signed with another key from now on, and records that: a note over the tree head that names both keys and
// is signed by both, so that whoever trusts the old key can follow. The new key (a signer and its vkey) bears the log's name, which is the
// origin of its checkpoints and stays. The vault must have been opened with the old key; a key that is lost cannot be rotated.
func (v *Vault) RotateKey(ctx context.Context, by evidence.Name, signer note.Signer, vkey, reason string) (evidence.KeyRotated, error) {
	v.turning.Lock()
	defer v.turning.Unlock()
	v.mu.Lock()
	head, old, oldKey := v.root, v.signer, v.logKey
	v.mu.Unlock()
	if old == nil {
		return evidence.KeyRotated{}, errors.New("no log key was given: the old key signs for the new one, so open the vault with it")
	}
	if err := errors.Join(checkSigner(old, oldKey), checkSigner(signer, vkey)); err != nil {
		return evidence.KeyRotated{}, err
	}
	switch {
	case signer.Name() != old.Name():
		return evidence.KeyRotated{}, fmt.Errorf("the new key is named %q, the log %q: make it with the log's name (muhafiz key log --name %s)", signer.Name(), old.Name(), old.Name())
	case vkey == oldKey:
		return evidence.KeyRotated{}, errors.New("the new key is the one in use: make another")
	}
	b := evidence.KeyRotated{Old: oldKey, New: vkey, Reason: reason}
	signed, err := note.Sign(&note.Note{Text: rotationText(v.ID(), head, oldKey, vkey)}, old, signer)
	if err != nil {
		return b, fmt.Errorf("sign the change of keys: %w", err)
	}
	b.Note = string(signed)
	r := &request{internal: true, done: make(chan struct{}), batch: evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(v.o.Now()), Actor: by, Subject: evidence.Vault(), Body: &b,
	}}}}
	if err := v.prepare(r); err != nil {
		return b, err
	}
	if _, err := v.submit(ctx, r); err != nil {
		return b, err
	}
	v.mu.Lock()
	v.signer, v.logKey = signer, vkey
	v.mu.Unlock()
	return b, nil
}

// rotationText is what both keys sign. Its first line is no log's name, so that it cannot be taken for a checkpoint.
func rotationText(vault string, h treeHead, oldKey, newKey string) string {
	return fmt.Sprintf("muhafiz log key rotation v1\nvault %s\nsize %d\nroot %s\nold %s\nnew %s\n",
		vault, h.size, base64.StdEncoding.EncodeToString(h.root[:]), oldKey, newKey)
}

// currentKey reads which key the log says is its own.
func (v *Vault) currentKey() (string, error) {
	var seq int64 = -1
	err := v.db.View(func(tx *bolt.Tx) error {
		t, err := v.open(tx)
		if k := t.meta.Get([]byte(metaKey)); err == nil && len(k) == 8 {
			seq = keySeq(k)
		}
		return err
	})
	if err != nil || seq < 0 {
		return v.created.LogKey, err
	}
	rec, err := v.Record(context.Background(), seq)
	if err != nil {
		return "", fmt.Errorf("record %d, which names the log's key: %w", seq, err)
	}
	b, err := evidence.Decode[*evidence.KeyRotated](rec)
	if err != nil {
		return "", err
	}
	return b.New, nil
}

// checkRotation verifies a change of keys: over the tree that root gives for the size that the note names, and signed by the key before
// and by the new one.
func checkRotation(b *evidence.KeyRotated, vault, oldKey string, root func(size int64) (evidence.Digest, error)) error {
	if b.Old != oldKey {
		return fmt.Errorf("it replaces the key %s, but the log's key was %s", clip(b.Old), clip(oldKey))
	}
	before, err := note.NewVerifier(b.Old)
	if err != nil {
		return fmt.Errorf("its old log key cannot be read: %w", err)
	}
	next, err := note.NewVerifier(b.New)
	if err != nil {
		return fmt.Errorf("its new log key cannot be read: %w", err)
	}
	n, err := note.Open([]byte(b.Note), note.VerifierList(before, next))
	if err != nil || len(n.Sigs) != 2 || next.Name() != before.Name() {
		return errors.New("it is not signed by the log's key and by the new one")
	}
	_, rest, _ := strings.Cut(n.Text, "\nsize ")
	line, _, _ := strings.Cut(rest, "\n")
	size, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		return errors.New("its signed note names no size")
	}
	have, err := root(size)
	if err != nil {
		return fmt.Errorf("the root that it names cannot be recomputed: %w", err)
	}
	if n.Text != rotationText(vault, treeHead{size, have}, b.Old, b.New) {
		return errors.New("its signed note is not over this vault, these keys and these records")
	}
	return nil
}

// rotated follows a change of keys for fsck.
func (s *sequence) rotated(seq int64, b *evidence.KeyRotated) {
	s.rotation = seq
	err := checkRotation(b, s.f.rep.Vault, s.key, func(size int64) (evidence.Digest, error) {
		if size < 1 || size > seq {
			return evidence.Digest{}, fmt.Errorf("there were no %d records yet", size)
		}
		h, err := tlog.TreeHash(size, hashes{s.f.t.tree})
		return evidence.Digest(h), err
	})
	if err != nil {
		s.f.record(seq, "%v", err)
	}
	next, err := note.NewVerifier(b.New)
	if err == nil {
		s.log, s.key = note.VerifierList(next), b.New
	}
}

// endKey compares the key that the log's records give with the one that the vault goes by.
func (s *sequence) endKey() {
	k := s.f.t.meta.Get([]byte(metaKey))
	if s.rotation < 0 && k == nil || len(k) == 8 && keySeq(k) == s.rotation {
		return
	}
	s.f.problem("bucket meta", "the record that names the log's key is not the last key.rotated")
}
