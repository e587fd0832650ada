package chatexport

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The limits of what a capture tells of its account.
const (
	maxShownName  = 1000
	maxShownAbout = 64 << 10
)

// shownAccount is what the account's own page showed when the capture was made.
type shownAccount struct {
	name, about string
	invalid     bool // a text held half a surrogate pair
	followers   int64
	verified    bool
	since       evidence.Time
}

func (c *capture) shown(s *scanner) error {
	a, since := &shownAccount{}, ""
	text := func(to *string, limit int) func(*scanner) error {
		return func(s *scanner) error {
			v, bad, err := captureText(s, limit)
			*to, a.invalid = v, a.invalid || bad
			return err
		}
	}
	err := known(s, "account_shows", []string{"name"}, map[string]func(*scanner) error{
		"name":        text(&a.name, maxShownName),
		"description": text(&a.about, maxShownAbout),
		"followers":   func(s *scanner) (err error) { a.followers, err = wholeNumber(s); return err },
		"verified":    func(s *scanner) (err error) { a.verified, err = yesOrNo(s); return err },
		"created_at":  str(&since, 64),
	})
	switch {
	case err != nil:
		return err
	case strings.TrimSpace(a.name) == "":
		return errors.New("name is empty; give the name that the page shows, or leave account_shows out")
	case since != "":
		at, err := time.Parse(time.RFC3339, since)
		if err != nil {
			return fmt.Errorf("created_at is %q, which is no time such as 2026-01-31T12:00:00Z; leave out what the page does not show as exactly", clip(since))
		}
		a.since = evidence.At(at)
	}
	c.shows = a
	return nil
}

func wholeNumber(s *scanner) (int64, error) {
	raw, err := s.next()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("is %q; write a whole number in digits, such as 12500 where the page shows 12.5K", clip(string(raw)))
	}
	return n, nil
}

func yesOrNo(s *scanner) (bool, error) {
	raw, err := s.next()
	if err != nil {
		return false, err
	}
	if v := string(raw); v != "true" && v != "false" {
		return false, fmt.Errorf("is %q; write true or false", clip(v))
	}
	return string(raw) == "true", nil
}

// account is what the page showed, as a record. The name in the address counts as a username; a number does not.
func (a *shownAccount) account(c *capture, id evidence.ID, at evidence.Span) *evidence.AccountSeen {
	out := &evidence.AccountSeen{
		Method: evidence.MethodCapture, Vantage: c.by, Acquisition: id, Observed: at, Title: a.name, About: a.about,
		InvalidUTF8: a.invalid, CreatedAt: a.since, Verified: a.verified, Subscribers: a.followers,
	}
	if !accountForm.MatchString(c.name) {
		out.Usernames = []string{c.name}
	}
	return out
}
