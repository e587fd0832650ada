package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/review"
)

type watchSignCmd struct {
	Targets []string `arg:"" optional:"" help:"The targets' ids. Default: all whose listed_by names you and whose listing is not signed as they are set."`
	signs
	Comment string `help:"A comment that is signed with it."`
}

func (watchSignCmd) Help() string {
	return "Signs that you put targets on the list, as they stand in the watchlists now: one signature for all of them. Without it nobody can approve them. `watch add` and `watch successor` sign at once; this is for targets that were written by hand, or changed."
}

func (c watchSignCmd) Run(s *session) error {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	for _, id := range c.Targets {
		switch t, ok := cfg.Target(id); {
		case !ok:
			return fmt.Errorf("there is no target %q in the watchlists", id)
		case t.ListedBy != c.As:
			return fmt.Errorf("target %s names %s in listed_by, who signs it; or put your own id there and sign it then", id, t.ListedBy)
		}
	}
	return s.with("watch sign", func(cl *daemon.Client) error {
		lacking, err := c.lacking(s, cl)
		if err != nil {
			return err
		}
		list := daemon.ListOf(cfg, func(t config.Target) bool {
			return t.ListedBy == c.As && (slices.Contains(c.Targets, t.ID) || len(c.Targets) == 0 && lacking[t.ID])
		})
		if list.Len() == 0 {
			fmt.Fprintln(s.out, "nothing is to be signed by", c.As)
			return nil
		}
		l, err := c.signList(s, cl, list, c.Comment, nil)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(l)
		}
		fmt.Fprintf(s.out, "%s signed the listing of %s, record %d\na second person approves: muhafiz watch approve --as THEM ID …\n", c.As, many(list.Len(), "target"), l.Seq)
		return nil
	})
}

// lacking finds the targets that stand without a signed listing.
func (c watchSignCmd) lacking(s *session, cl *daemon.Client) (map[string]bool, error) {
	if len(c.Targets) > 0 {
		return nil, nil
	}
	var all []daemon.TargetView
	if err := cl.Call(s, "GET", "/v1/targets", nil, &all); err != nil {
		return nil, err
	}
	lacking := map[string]bool{}
	for _, t := range all {
		lacking[t.ID] = t.Unsigned != "" && t.State != review.TargetInnocent
	}
	return lacking, nil
}

// canSign reports whether there is anything to sign a new listing with.
func (p signs) canSign() bool { return p.Key != "" || os.Getenv("SSH_AUTH_SOCK") != "" }

// signList signs a list and hands it in. What is listed is written in between, where write is not nil: when the signature fails,
// nothing was written.
func (p signs) signList(s *session, cl *daemon.Client, list review.List, comment string, write func() error) (review.Listed, error) {
	var l review.Listed
	root, err := list.Root()
	if err != nil {
		return l, err
	}
	var prepared daemon.Prepared
	ask := daemon.ListingRequest{Person: p.As, Targets: int64(list.Len()), Root: root, Comment: comment}
	if err := cl.Call(s, "POST", "/v1/targets/sign/prepare", ask, &prepared); err != nil {
		return l, err
	}
	signed, err := p.signRoot(s, prepared.Payload, root)
	if err != nil {
		return l, err
	}
	if write != nil {
		if err := write(); err != nil {
			return l, err
		}
	}
	if err := cl.Call(s, "POST", "/v1/targets/sign", daemon.SignedListing{Person: p.As, Signed: signed, List: list.Text()}, &l); err != nil && write != nil {
		return l, fmt.Errorf("the watchlist is written, but the signed listing was not recorded (%w): muhafiz watch sign --as %s", err, p.As)
	} else if err != nil {
		return l, err
	}
	return l, nil
}

// signRoot signs the statement of a listing, if it is of this list and the key is the one that the roster holds.
func (p signs) signRoot(s *session, payload string, root evidence.Digest) (signed evidence.Signed, err error) {
	st, err := review.ParseStatement(payload)
	if err != nil || st.Type != evidence.StatementListing || st.Person != p.As || st.Lists == nil || st.Lists.Root != root {
		return signed, errors.Join(errors.New("the statement to sign is not of your list: nothing was signed"), err)
	}
	signer, done, err := p.signer(s, st.Fingerprint)
	if err != nil {
		return signed, err
	}
	defer func() { err = errors.Join(err, done()) }()
	if have := ssh.FingerprintSHA256(signer.PublicKey()); have != st.Fingerprint {
		return signed, fmt.Errorf("the key %s is not the one that the roster holds for %s (%s): nothing was signed or written", have, p.As, st.Fingerprint)
	}
	return review.Sign(payload, signer)
}

// listNew writes new targets, and signs that they are listed where there is a key to sign with. It says what comes next.
func (p signs) listNew(s *session, command string, cfg *config.Config, ids map[string]bool, write func() error) (string, error) {
	if !p.canSign() {
		return "the listing is not signed, and nobody can approve it before: muhafiz watch sign --as " + p.As, write()
	}
	next := ""
	err := s.with(command, func(cl *daemon.Client) error {
		list := daemon.ListOf(cfg, func(t config.Target) bool { return ids[t.ID] })
		l, err := p.signList(s, cl, list, "", write)
		if err == nil {
			next = fmt.Sprintf("%s signed the listing, record %d", p.As, l.Seq)
		}
		return err
	})
	return next, err
}

func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
