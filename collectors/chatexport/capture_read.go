package chatexport

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The limits of a capture.
const (
	maxCapture      = 16 << 20  // bytes of capture.json
	maxCaptureText  = 256 << 10 // bytes of one post's text: four times Facebook's longest post
	maxCapturePosts = 1000
	maxCaptureFiles = 64 // of one post
	maxCapturePath  = 1000
)

// What a file of a capture is.
const (
	whatScreenshot = "screenshot"
	whatPage       = "page"
	whatMedia      = "media"
)

// capture is a capture.json, read.
type capture struct {
	platform, account, accountID string
	by, tool                     string
	at                           evidence.Time
	posts                        []capturedPost
	shows                        *shownAccount // nil: nothing is told of the account

	name string // in the account's address
	id   string // by which the log knows the account
}

type capturedPost struct {
	url, id, text, lang string
	invalid             bool // the text held half a surrogate pair
	claimedAt           evidence.Time
	claimedLocal        string
	files               []capturedFile
	offset, length      int64 // in capture.json

	part string // of the post's name
}

type capturedFile struct{ path, what string }

// openCapture opens the folder and reads its capture.json.
func openCapture(name string) (*os.Root, []byte, error) {
	dir := name
	if filepath.Base(name) == captureFile {
		if st, err := os.Lstat(name); err == nil && !st.IsDir() {
			dir = filepath.Dir(name)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("open capture: %w", err)
	}
	raw, err := readSmall(root)
	if err != nil {
		return nil, nil, errors.Join(err, root.Close())
	}
	return root, raw, nil
}

func readSmall(root *os.Root) ([]byte, error) {
	st, err := root.Lstat(captureFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no capture.json in the folder; write one that names the posts and their files")
	}
	if err != nil {
		return nil, fmt.Errorf("open capture: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: capture.json is not a regular file (%s); put the file itself into the folder", ErrRefused, st.Mode().Type())
	}
	f, err := root.OpenFile(captureFile, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open capture: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxCapture+1))
	if err != nil {
		return nil, fmt.Errorf("read capture: %w", err)
	}
	if len(raw) > maxCapture {
		return nil, fmt.Errorf("%w: capture.json is larger than %d MiB; split the capture into several folders", ErrRefused, maxCapture>>20)
	}
	return raw, nil
}

// readCapture decodes capture.json strictly: JSON in UTF-8, every key known and there once. What the values mean is checked later.
func readCapture(raw []byte) (*capture, error) {
	if !utf8.Valid(raw) {
		return nil, fmt.Errorf("capture.json is not UTF-8 (byte %d); save it as UTF-8", validPrefix(raw))
	}
	if !json.Valid(raw) {
		var v any
		err := json.Unmarshal(raw, &v)
		if syn := (*json.SyntaxError)(nil); errors.As(err, &syn) {
			return nil, fmt.Errorf("capture.json is not JSON at byte %d: %v; mend it there", syn.Offset, err)
		}
		return nil, fmt.Errorf("capture.json is not JSON: %v", err)
	}
	c, s := &capture{}, over(raw)
	var at string
	err := known(s, "capture.json", []string{"platform", "account", "captured_at", "captured_by", "tool", "posts"}, map[string]func(*scanner) error{
		"platform":      str(&c.platform, 32),
		"account":       str(&c.account, 2000),
		"account_id":    str(&c.accountID, 20),
		"account_shows": c.shown,
		"captured_at":   str(&at, 64),
		"captured_by":   str(&c.by, 64),
		"tool":          str(&c.tool, 500),
		"posts":         func(s *scanner) error { return s.array(func() error { return c.post(s) }, nil) },
	})
	if err != nil {
		return nil, err
	}
	when, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return nil, fmt.Errorf("captured_at is %q; write when the capture was made as 2026-01-31T12:00:00Z", clip(at))
	}
	c.at = evidence.At(when)
	if len(c.posts) == 0 {
		return nil, errors.New("the capture holds no post; list at least one under `posts`")
	}
	return c, nil
}

func validPrefix(raw []byte) int {
	n := 0
	for n < len(raw) {
		r, size := utf8.DecodeRune(raw[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return n
}

// known reads an object of those keys, each at most once, and insists on the needed ones.
func known(s *scanner, where string, needed []string, keys map[string]func(*scanner) error) error {
	if c, err := s.peek(); err != nil || c != '{' {
		return fmt.Errorf("%s is not an object with named values", where)
	}
	seen := map[string]bool{}
	err := s.object(func(key []byte) error {
		k := string(key)
		read := keys[k]
		switch {
		case read == nil:
			return fmt.Errorf("%s has the key %q, which a capture does not know; remove it or mend its spelling", where, clip(k))
		case seen[k]:
			return fmt.Errorf("%s has the key %q twice; keep one", where, clip(k))
		}
		seen[k] = true
		if err := read(s); err != nil {
			return fmt.Errorf("%s, %s: %w", where, k, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range needed {
		if !seen[k] {
			return fmt.Errorf("%s lacks the key %q", where, k)
		}
	}
	return nil
}

// str reads a string of at most limit bytes that is Unicode throughout.
func str(to *string, limit int) func(*scanner) error {
	return func(s *scanner) error {
		v, bad, err := captureText(s, limit)
		if err == nil && bad {
			err = errors.New("holds half a surrogate pair, which is no character")
		}
		*to = v
		return err
	}
}

func captureText(s *scanner, limit int) (v string, bad bool, err error) {
	raw, err := s.next()
	if err != nil {
		return "", false, err
	}
	if v, bad, err = unquote(raw); err != nil {
		return "", false, errors.New("is not a text in quotation marks")
	}
	if len(v) > limit {
		return "", false, fmt.Errorf("has %d bytes; at most %d are taken", len(v), limit)
	}
	return v, bad, nil
}

func (c *capture) post(s *scanner) error {
	where := fmt.Sprintf("post %d", len(c.posts)+1)
	if len(c.posts) == maxCapturePosts {
		return fmt.Errorf("more than %d posts; split the capture into several folders", maxCapturePosts)
	}
	if _, err := s.peek(); err != nil {
		return err
	}
	p, claimed := capturedPost{offset: s.offset()}, ""
	err := known(s, where, []string{"url"}, map[string]func(*scanner) error{
		"url":           str(&p.url, 2000),
		"id":            str(&p.id, 20),
		"lang":          str(&p.lang, 35),
		"claimed_at":    str(&claimed, 64),
		"claimed_local": str(&p.claimedLocal, 200),
		"text":          func(s *scanner) (err error) { p.text, p.invalid, err = captureText(s, maxCaptureText); return err },
		"files":         func(s *scanner) error { return s.array(func() error { return p.file(s) }, nil) },
	})
	if err != nil {
		return err
	}
	p.length = s.offset() - p.offset
	if p.text == "" && len(p.files) == 0 {
		return fmt.Errorf("%s has neither text nor a file; give what was seen", where)
	}
	if claimed != "" {
		at, err := time.Parse(time.RFC3339, claimed)
		if err != nil {
			return fmt.Errorf("%s, claimed_at: %q is no time such as 2026-01-31T12:00:00Z; leave it out and put what is shown into claimed_local", where, clip(claimed))
		}
		p.claimedAt = evidence.At(at)
	}
	if p.lang != "" && !langForm.MatchString(p.lang) {
		return fmt.Errorf("%s, lang: %q is no language tag such as ur or ps-Arab", where, clip(p.lang))
	}
	c.posts = append(c.posts, p)
	return nil
}

var langForm = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

func (p *capturedPost) file(s *scanner) error {
	var f capturedFile
	where := fmt.Sprintf("file %d", len(p.files)+1)
	if len(p.files) == maxCaptureFiles {
		return fmt.Errorf("more than %d files", maxCaptureFiles)
	}
	err := known(s, where, []string{"path", "what"}, map[string]func(*scanner) error{"path": str(&f.path, maxCapturePath), "what": str(&f.what, 32)})
	switch {
	case err != nil:
		return err
	case !slices.Contains([]string{whatScreenshot, whatPage, whatMedia}, f.what):
		return fmt.Errorf("%s is a %q; it is one of %s, %s, %s", where, clip(f.what), whatScreenshot, whatPage, whatMedia)
	case f.path == "" || strings.ContainsAny(f.path, "\\\x00") || !filepath.IsLocal(filepath.FromSlash(f.path)):
		return fmt.Errorf("%s: %q does not stay in the capture's folder; put the file there and give its plain relative path", where, clip(f.path))
	case slices.ContainsFunc(p.files, func(o capturedFile) bool { return o.path == f.path }):
		return fmt.Errorf("%s: %q is named twice for one post", where, clip(f.path))
	}
	p.files = append(p.files, f)
	return nil
}

// checkFiles refuses links before anything is kept; a file that is not there is no reason to refuse the rest.
func (c *capture) checkFiles(root *os.Root) error {
	for i, p := range c.posts {
		for _, f := range p.files {
			if why := links(root, f.path); why != nil && why.reason == MissedUnsafe {
				return fmt.Errorf("post %d: %q is or leads through a symbolic link; put the file itself into the folder", i+1, clip(f.path))
			}
		}
	}
	return nil
}
