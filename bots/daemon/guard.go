package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// Guard is the vault as everybody but retention and a hand-over sees it: the bodies and blobs of what is in quarantine are withheld, as
// if they had been erased. Withheld are the records about a quarantined post, every file of it wherever else it stands, the decisions
// that quote it and the notices of those, and all raw replies of its account, since it may stand in any of them.
type Guard struct {
	*vault.Vault

	mu  sync.RWMutex
	out *unseen // nil where nothing is in quarantine
}

// unseen is what is withheld.
type unseen struct {
	posts, accounts, cases map[evidence.Ordinal]bool
	files                  map[evidence.Digest]bool // of posts
	blobs                  map[evidence.Digest]bool // files, replies, notices
	all                    bool                     // every blob, and every decision: what hangs on a post could not be read
}

func newUnseen() *unseen {
	return &unseen{
		posts: map[evidence.Ordinal]bool{}, accounts: map[evidence.Ordinal]bool{}, cases: map[evidence.Ordinal]bool{},
		files: map[evidence.Digest]bool{}, blobs: map[evidence.Digest]bool{},
	}
}

// errWithheld is told in place of a blob; whoever meets it goes on as where it was erased.
var errWithheld = fmt.Errorf("withheld, as it may hold what is in quarantine: %w", errors.Join(evidence.ErrErased, evidence.ErrNotFound))

// NewGuard reads what is in quarantine.
func NewGuard(ctx context.Context, v *vault.Vault) (*Guard, error) {
	g := &Guard{Vault: v}
	return g, g.load(ctx)
}

// load reads everything anew; the caller holds the lock, or is alone.
func (g *Guard) load(ctx context.Context) error {
	u := newUnseen()
	err := g.Vault.Each(ctx, review.ViewQuarantine, review.QuarantineKeys, func(_ string, value []byte, _ int64) error {
		var q review.Quarantine
		err := json.Unmarshal(value, &q)
		u.posts[q.Post], u.accounts[q.Post.Whole()] = true, true
		return err
	})
	if err != nil {
		return fmt.Errorf("read quarantine: %w", err)
	}
	if len(u.posts) == 0 {
		g.out = nil
		return nil
	}
	about := func(r evidence.Record) error { return g.add(ctx, u, r) }
	for _, set := range []map[evidence.Ordinal]bool{u.posts, u.accounts} {
		for o := range set {
			if err := g.Vault.About(ctx, o, about); err != nil {
				return fmt.Errorf("read what is in quarantine: %w", err)
			}
		}
	}
	if err := g.addCases(ctx, u); err != nil {
		return err
	}
	g.out = u
	return nil
}

// add notes what a record about a quarantined post, or about its account, brings.
func (g *Guard) add(ctx context.Context, u *unseen, r evidence.Record) error {
	switch {
	case u.posts[r.Subject] && r.Kind == evidence.KindMediaKept:
		if b, err := evidence.Decode[*evidence.MediaKept](r); err == nil {
			u.files[b.Blob.SHA256], u.blobs[b.Blob.SHA256] = true, true
		}
	case u.accounts[r.Subject] && r.Kind == evidence.KindAcquisition:
		b, err := evidence.Decode[*evidence.Acquisition](r)
		if err != nil {
			return nil //nolint:nilerr // erased: nothing to withhold
		}
		if !b.Reply.IsZero() {
			u.blobs[b.Reply.SHA256] = true
		}
		if cut, err := g.Vault.Reply(ctx, r.Seq); err == nil && !cut.Reply.IsZero() {
			u.blobs[cut.Reply.SHA256] = true
		} else if err != nil && !errors.Is(err, evidence.ErrNotFound) {
			return err
		}
	case u.posts[r.Subject] && r.Kind == evidence.KindPostSeen:
		b, err := evidence.Decode[*evidence.PostSeen](r)
		if err != nil {
			return nil //nolint:nilerr // erased
		}
		acq, err := g.Vault.ByID(ctx, b.Acquisition)
		if err != nil {
			return nil //nolint:nilerr // an acquisition that was left out brought no reply
		}
		if a, err := evidence.Decode[*evidence.Acquisition](acq); err == nil && !a.Reply.IsZero() {
			u.blobs[a.Reply.SHA256] = true
		}
	}
	return nil
}

// addCases notes the cases that ever had a quarantined post as an exhibit, and the notices that they went into.
func (g *Guard) addCases(ctx context.Context, u *unseen) error {
	var cases []review.Case
	err := g.Vault.Each(ctx, review.ViewCases, string(rune(evidence.SpaceCase)), func(_ string, value []byte, _ int64) error {
		var c review.Case
		err := json.Unmarshal(value, &c)
		if u.accounts[c.Account] {
			cases = append(cases, c)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read cases: %w", err)
	}
	for _, c := range cases {
		err := g.Vault.About(ctx, c.Ordinal, func(r evidence.Record) error {
			b, err := evidence.Decode[*evidence.Decision](r)
			if err != nil {
				return nil //nolint:nilerr // another kind, or erased
			}
			var st evidence.Statement
			if err := json.Unmarshal([]byte(b.Payload), &st); err != nil {
				return nil //nolint:nilerr // it quotes nothing that can be read
			}
			for _, e := range st.Exhibits {
				u.cases[c.Ordinal] = u.cases[c.Ordinal] || u.posts[e.Post]
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return g.Vault.Each(ctx, notice.ViewNotices, string(rune(evidence.SpaceNotice)), func(_ string, value []byte, _ int64) error {
		var n notice.State
		err := json.Unmarshal(value, &n)
		if slices.ContainsFunc(n.Cases, func(c evidence.NoticeCase) bool { return u.cases[c.Case] }) {
			u.blobs[n.Message.SHA256] = true
			if !n.Machine.IsZero() {
				u.blobs[n.Machine.SHA256] = true
			}
		}
		return err
	})
}

// withholds reports whether a record's body is not for anybody.
func (u *unseen) withholds(r evidence.Record) bool {
	switch r.Kind {
	case evidence.KindMediaKept:
		b, err := evidence.Decode[*evidence.MediaKept](r)
		return u.all || u.posts[r.Subject] || err == nil && u.files[b.Blob.SHA256]
	case evidence.KindDamageFound:
		b, err := evidence.Decode[*evidence.DamageFound](r)
		return u.all || err == nil && u.blobs[b.Blob]
	case evidence.KindDamageEnded:
		b, err := evidence.Decode[*evidence.DamageEnded](r)
		return u.all || err == nil && u.blobs[b.Blob]
	case evidence.KindDecision, evidence.KindApproval:
		return u.all || u.cases[r.Subject]
	case evidence.KindPostGone, evidence.KindAccess, evidence.KindRefused, evidence.KindErased, evidence.KindHoldPlaced, evidence.KindHoldReleased,
		evidence.KindQuarantined, evidence.KindQuarantineOrdered, evidence.KindQuarantineCarried, evidence.KindStatus:
		return false
	}
	return u.posts[r.Subject]
}

// see withholds a record's body where it must be.
func (g *Guard) see(r evidence.Record) evidence.Record {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.out != nil && g.out.withholds(r) {
		r.Body = nil
	}
	return r
}

// Withholds reports whether a record's body is withheld: for a backup, which must leave it out.
func (g *Guard) Withholds(r evidence.Record) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.out != nil && g.out.withholds(r)
}

// WithholdsBlob reports the same of a blob.
func (g *Guard) WithholdsBlob(d evidence.Digest) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.out != nil && (g.out.all || g.out.blobs[d])
}

// Record is vault.Record without what is in quarantine.
func (g *Guard) Record(ctx context.Context, seq int64) (evidence.Record, error) {
	r, err := g.Vault.Record(ctx, seq)
	return g.see(r), err
}

// ByID is vault.ByID without what is in quarantine.
func (g *Guard) ByID(ctx context.Context, id evidence.ID) (evidence.Record, error) {
	r, err := g.Vault.ByID(ctx, id)
	return g.see(r), err
}

// Records is vault.Records without what is in quarantine.
func (g *Guard) Records(ctx context.Context, from int64, fn func(evidence.Record) error) error {
	return g.Vault.Records(ctx, from, func(r evidence.Record) error { return fn(g.see(r)) })
}

// About is vault.About without what is in quarantine.
func (g *Guard) About(ctx context.Context, o evidence.Ordinal, fn func(evidence.Record) error) error {
	return g.Vault.About(ctx, o, func(r evidence.Record) error { return fn(g.see(r)) })
}

// Blob is vault.Blob, but for what is in quarantine: that is evidence.ErrErased.
func (g *Guard) Blob(ctx context.Context, d evidence.Digest) (io.ReadSeekCloser, int64, error) {
	if g.WithholdsBlob(d) {
		return nil, 0, fmt.Errorf("blob: %w", errWithheld)
	}
	return g.Vault.Blob(ctx, d)
}

// SnapshotBlobs tells a backup of the files that it may take: what is withheld is not copied. The texts of quarantined posts stand in the
// log's segments all the same, sealed where the vault or the backup is.
func (g *Guard) SnapshotBlobs(ctx context.Context, fn func(vault.SnapshotBlob) error) error {
	return g.Vault.SnapshotBlobs(ctx, func(b vault.SnapshotBlob) error {
		if g.WithholdsBlob(b.Name) {
			return nil
		}
		return fn(b)
	})
}

// shut withholds at least the posts that were just put out of sight, and all blobs, where what hangs on them cannot be read.
func (g *Guard) shut(recs []evidence.Record) {
	if g.out == nil {
		g.out = newUnseen()
	}
	g.out.all = true
	for _, r := range recs {
		if r.Kind == evidence.KindQuarantined {
			g.out.posts[r.Subject], g.out.accounts[r.Subject.Whole()] = true, true
		}
	}
}

// Put is vault.Put. What it brings of a quarantined post is out of sight before anybody can ask for it.
func (g *Guard) Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error) {
	turns := slices.ContainsFunc(b.Drafts, func(d evidence.Draft) bool {
		return d.Body.Kind() == evidence.KindQuarantined || d.Body.Kind() == evidence.KindQuarantineOrdered
	})
	if turns {
		g.mu.Lock()
		defer g.mu.Unlock()
		recs, err := g.Vault.Put(ctx, b)
		if err != nil {
			return recs, err
		}
		if err := g.load(context.WithoutCancel(ctx)); err != nil {
			g.shut(recs)
			return recs, err
		}
		return recs, nil
	}
	recs, err := g.Vault.Put(ctx, b)
	g.mu.RLock()
	any := g.out != nil
	g.mu.RUnlock()
	if err != nil || !any {
		return recs, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range recs {
		if g.out == nil {
			break
		}
		if err := g.add(context.WithoutCancel(ctx), g.out, recs[i]); err != nil {
			return recs, err
		}
		if g.out.withholds(recs[i]) {
			recs[i].Body = nil
		}
	}
	return recs, nil
}

// withholdsCase reports whether the decisions on a case are withheld.
func (g *Guard) withholdsCase(c evidence.Ordinal) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.out != nil && g.out.cases[c]
}
