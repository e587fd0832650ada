package daemon

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/reporter/review"
)

func (r *Rooms) writePacket(ctx context.Context, q review.Quarantine, out *Packet) (err error) {
	f, err := os.OpenFile(out.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the packet: %w", err)
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			err = errors.Join(err, os.Remove(out.Out))
		}
	}()
	h := sha256.New()
	sealed, err := secrets.SealTo(io.MultiWriter(f, h), out.Recipient)
	if err != nil {
		return usagef("%v", err)
	}
	z := zip.NewWriter(sealed)
	if err := r.fillPacket(ctx, q, z, out); err != nil {
		return err
	}
	if err := errors.Join(z.Close(), sealed.Close(), f.Sync()); err != nil {
		return fmt.Errorf("write the packet: %w", err)
	}
	st, err := f.Stat()
	if err == nil {
		out.Size, out.SHA256 = st.Size(), evidence.Digest(h.Sum(nil))
	}
	return err
}

// Facts are what a hotline is told beside the files: where it was, when it was seen, and nothing about who looked.
type Facts struct {
	Platform string           `json:"account"` // identity, as the platform has it: `telegram channel 1234`
	Address  string           `json:"address,omitempty"`
	Post     string           `json:"post"` // the platform's number
	Link     string           `json:"link,omitempty"`
	Vault    string           `json:"vault"`
	Ordinal  evidence.Ordinal `json:"ordinal"`
	From     string           `json:"from"`
	Versions []FactVersion    `json:"versions"`
	Files    []FactFile       `json:"files"`
}

// FactVersion is one version of the post.
type FactVersion struct {
	Record    int64         `json:"record"`
	Observed  evidence.Span `json:"observed"`
	ClaimedAt evidence.Time `json:"claimed_at,omitzero"`
	Text      string        `json:"text"`
}

// FactFile is a file in the packet.
type FactFile struct {
	Name   string          `json:"name"`
	SHA256 evidence.Digest `json:"sha256"`
	Size   int64           `json:"size"`
	MIME   string          `json:"mime,omitempty"`
}

// fillPacket writes the facts and the files. It reads the vault itself: this is the one way out of quarantine.
func (r *Rooms) fillPacket(ctx context.Context, q review.Quarantine, z *zip.Writer, out *Packet) error {
	name, err := r.Vault.Name(ctx, q.Post.Whole())
	if err != nil {
		return err
	}
	facts := Facts{Platform: name.Key, Post: q.Post.Part(), Vault: r.Vault.ID(), Ordinal: q.Post, From: r.ourName(), Versions: []FactVersion{}, Files: []FactFile{}}
	if t, err := r.Desk.TargetOf(ctx, q.Post.Whole()); err == nil {
		facts.Address, facts.Link = t.Address, evidence.PostLink(t.Platform, t.Address, q.Post)
	}
	err = r.Vault.Vault.About(ctx, q.Post, func(rec evidence.Record) error {
		b, _ := evidence.DecodeBody(rec)
		switch b := b.(type) {
		case *evidence.PostSeen:
			facts.Versions = append(facts.Versions, FactVersion{rec.Seq, b.Observed, b.ClaimedAt, b.Text})
		case *evidence.MediaKept:
			facts.Files = append(facts.Files, FactFile{"files/" + b.Blob.SHA256.String(), b.Blob.SHA256, b.Blob.Size, b.MIME})
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(facts.Files, func(a, b FactFile) int { return slices.Compare(a.SHA256[:], b.SHA256[:]) })
	facts.Files = slices.CompactFunc(facts.Files, func(a, b FactFile) bool { return a.SHA256 == b.SHA256 })
	w, err := z.Create("facts.json")
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(facts, "", "  ")
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	for _, f := range facts.Files {
		if err != nil {
			break
		}
		err = r.packFile(ctx, z, f)
	}
	out.Files = len(facts.Files)
	return err
}

func (r *Rooms) packFile(ctx context.Context, z *zip.Writer, f FactFile) error {
	blob, _, err := r.Vault.Vault.Blob(ctx, f.SHA256)
	if err != nil {
		return err
	}
	defer blob.Close()
	w, err := z.Create(f.Name)
	if err == nil {
		_, err = io.Copy(w, blob)
	}
	return err
}
