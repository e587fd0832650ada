package chatexport

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var (
	personForm  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	accountForm = regexp.MustCompile(`^[1-9][0-9]{0,19}$`)
)

// clockSlack is by how much the clock of whoever made the capture may go before ours.
const clockSlack = 5 * time.Minute

// check asks whether the capture is of the target's account, and finds the number of every post.
func (c *capture) check(o CaptureOptions, now time.Time) error {
	switch {
	case !slices.Contains([]string{"x", "facebook", "instagram", platform}, c.platform):
		return fmt.Errorf("the platform is %q; captures are of x, facebook, instagram or telegram", clip(c.platform))
	case c.platform != o.Platform:
		return fmt.Errorf("the capture is of %s and target %s is on %s; choose the target that belongs to it", c.platform, o.Target, o.Platform)
	case !personForm.MatchString(c.by):
		return fmt.Errorf("captured_by is %q; give the id of the person who made the capture, as in the roster", clip(c.by))
	case strings.TrimSpace(c.tool) == "":
		return errors.New("tool is empty; say which browser and version the capture was made with")
	case c.at.After(now.Add(clockSlack)):
		return fmt.Errorf("captured_at %s lies in the future; check the clock of the machine it was made on", c.at.Format(time.RFC3339))
	case c.at.Year() < 2000:
		return fmt.Errorf("captured_at %s is no date of a capture", c.at.Format(time.RFC3339))
	case c.accountID != "" && !accountForm.MatchString(c.accountID):
		return fmt.Errorf("account_id is %q; it is the platform's own number of the account, or left out", clip(c.accountID))
	}
	if err := c.sameAccount(o, c.account); err != nil {
		return err
	}
	c.name = o.Address[strings.LastIndexAny(o.Address, "/=")+1:]
	if err := c.identify(o); err != nil {
		return err
	}
	return c.number(o)
}

func (c *capture) sameAccount(o CaptureOptions, link string) error {
	canonical, err := o.Canonical(link)
	if err != nil {
		return fmt.Errorf("%q: %w", clip(link), err)
	}
	if canonical != o.Address {
		return fmt.Errorf("%s is another account than target %s, which is %s; choose the target that belongs to it", canonical, o.Target, o.Address)
	}
	return nil
}

// identify finds the identity by which the log knows the account: what the target is bound to, the platform's number, or the name.
func (c *capture) identify(o CaptureOptions) error {
	byNumber := strings.Contains(o.Address, "?id=")
	switch {
	case c.accountID != "" && byNumber && c.accountID != c.name:
		return fmt.Errorf("account_id is %s and the account's address says %s; one of them is of another account", c.accountID, c.name)
	case c.accountID != "" && o.BoundAccount != "" && c.accountID != o.BoundAccount:
		return fmt.Errorf("account_id is %s and the log knows target %s as %s; leave account_id out if it is surely the same account, else list the account as a new target", c.accountID, o.Target, o.BoundAccount)
	case o.BoundAccount != "":
		c.id = o.BoundAccount
	case c.accountID != "":
		c.id = c.accountID
	case c.platform == platform:
		return errors.New("account_id is missing, and no collector has resolved the channel yet; give the channel's number")
	case accountForm.MatchString(c.name) && !byNumber:
		return fmt.Errorf("the name %s could be taken for the number of another account; give account_id", c.name)
	default:
		c.id = c.name
	}
	return nil
}

// number finds the posts' numbers, and refuses what is of another account or there twice.
func (c *capture) number(o CaptureOptions) error {
	seen := map[string]int{}
	for i := range c.posts {
		p := &c.posts[i]
		link, err := readPostLink(c.platform, p.url)
		if err == nil {
			err = c.postOf(o, link)
		}
		if err == nil {
			p.part, err = link.numbered(p.id)
		}
		if err != nil {
			return fmt.Errorf("post %d, %q: %w", i+1, clip(p.url), err)
		}
		if first := seen[p.part]; first > 0 {
			return fmt.Errorf("posts %d and %d are the same post %s; keep one", first, i+1, p.part)
		}
		seen[p.part] = i + 1
	}
	return nil
}

func (c *capture) postOf(o CaptureOptions, l postLink) error {
	switch {
	case l.accountID != "" && l.accountID == c.id:
		return nil
	case l.accountID != "" && c.id == c.name && !strings.Contains(o.Address, "?id="):
		return errors.New("names its account by a number, and that of this account is not known; give account_id")
	case l.accountID != "":
		return fmt.Errorf("is of account %s, not of this one", l.accountID)
	case l.account != "":
		return c.sameAccount(o, l.account)
	}
	return nil
}

// postLink is what the link of a post says.
type postLink struct {
	account   string // a link of the account, where the link names it
	accountID string // the platform's number of it, where the link gives that
	part      string // of the post's name; empty where the link holds no number
	rotating  bool   // the link names the post by a text that the platform makes anew from time to time
}

// numbered returns the part of a post's name, given the id that the capture adds.
func (l postLink) numbered(id string) (string, error) {
	if id != "" {
		n, ok := postNumber(id)
		if !ok {
			return "", fmt.Errorf("id is %q; it is the post's number in digits", clip(id))
		}
		if l.part == "" {
			return n, nil
		}
		if strings.TrimPrefix(l.part, "s") != n {
			return "", fmt.Errorf("the link says post %s and id says %s; one of them is of another post", strings.TrimPrefix(l.part, "s"), n)
		}
	}
	switch {
	case l.part == "" && l.rotating:
		return "", errors.New("names its post by a pfbid, which Facebook makes anew from time to time, so that one post would be taken for several; give the post's number as id (the page's source has it as top_level_post_id or post_id)")
	case l.part == "":
		return "", errors.New("holds no number of the post; give it as id")
	}
	return l.part, nil
}

// postNumber reads a post's number: digits, over 0, below 2⁶⁴.
func postNumber(s string) (string, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 || s[0] == '+' {
		return "", false
	}
	return strconv.FormatUint(n, 10), true
}

var errPostLink = errors.New("is not the link of a post on this platform")

// readPostLink reads the link of a post.
func readPostLink(platform, link string) (postLink, error) {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Port() != "" {
		return postLink{}, errPostLink
	}
	host := strings.TrimSuffix(strings.ToLower(u.Host), ".")
	for _, p := range []string{"www.", "m.", "mobile.", "web.", "mbasic.", "touch."} {
		host = strings.TrimPrefix(host, p)
	}
	seg := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	switch {
	case platform == "x" && (host == "x.com" || host == "twitter.com"):
		return xPost(seg)
	case platform == "instagram" && (host == "instagram.com" || host == "instagr.am"):
		return instagramPost(seg)
	case platform == "facebook" && (host == "facebook.com" || host == "fb.com"):
		return facebookPost(seg, u.Query())
	case platform == "telegram" && host == "t.me":
		return telegramPost(seg)
	}
	return postLink{}, errPostLink
}

func xPost(seg []string) (postLink, error) {
	for i, s := range seg {
		if (s == "status" || s == "statuses") && i > 0 && i < 3 && i+1 < len(seg) {
			n, ok := postNumber(seg[i+1])
			switch {
			case !ok:
				return postLink{}, errPostLink
			case seg[0] == "i":
				return postLink{part: n}, nil
			case i == 1:
				return postLink{account: "https://x.com/" + seg[0], part: n}, nil
			}
		}
	}
	return postLink{}, errPostLink
}

func instagramPost(seg []string) (postLink, error) {
	var l postLink
	if len(seg) == 3 && seg[0] == "stories" {
		n, ok := postNumber(seg[2])
		if !ok || seg[1] == "highlights" {
			return l, errPostLink
		}
		return postLink{account: "https://www.instagram.com/" + seg[1], part: "s" + n}, nil
	}
	kinds := []string{"p", "reel", "reels", "tv"}
	if len(seg) == 3 && slices.Contains(kinds, seg[1]) {
		l.account, seg = "https://www.instagram.com/"+seg[0], seg[1:]
	}
	if len(seg) != 2 || !slices.Contains(kinds, seg[0]) {
		return l, errPostLink
	}
	n, ok := evidence.ParseShortcode(seg[1])
	if !ok || n == 0 {
		return l, fmt.Errorf("has the code %q, which holds no number of a public post; a public post's code has at most 11 letters, digits, - and _", clip(seg[1]))
	}
	l.part = strconv.FormatUint(n, 10)
	return l, nil
}

// pseudonym begins what newer Facebook links hold in place of a number, the Pseudonymized Facebook Identifier: made of the number and the
// time, so that one post has many (Meta, September 2022; github.com/snarfed/facebook-atom, issue 27). It is no permanent name; the link
// stays in the capture's own bytes.
const pseudonym = "pfbid"

func facebookPost(seg []string, q url.Values) (postLink, error) {
	if len(seg) == 0 {
		return postLink{}, errPostLink
	}
	l := postLink{accountID: q.Get("id")}
	number := seg[len(seg)-1]
	switch seg[0] {
	case "groups":
		return l, errors.New("is a post in a group; only public accounts are kept")
	case "permalink.php", "story.php":
		number = q.Get("story_fbid")
	case "photo", "photo.php":
		number = q.Get("fbid")
	case "watch":
		number = q.Get("v")
	case "reel":
		if len(seg) != 2 {
			return l, errPostLink
		}
	default:
		if len(seg) < 3 || !slices.Contains([]string{"posts", "videos", "photos"}, seg[1]) {
			return l, errPostLink
		}
		l.account = "https://www.facebook.com/" + seg[0]
	}
	if strings.HasPrefix(l.accountID, pseudonym) {
		return l, errors.New("names its account by a pfbid, which Facebook makes anew from time to time; give a link with the account's name, /NAME/posts/…, and the post's number as id")
	}
	if l.accountID != "" && !accountForm.MatchString(l.accountID) {
		return l, errPostLink
	}
	l.rotating = strings.HasPrefix(number, pseudonym)
	l.part, _ = postNumber(number)
	return l, nil
}

func telegramPost(seg []string) (postLink, error) {
	if len(seg) == 3 && seg[0] == "s" {
		seg = seg[1:]
	}
	if len(seg) != 2 {
		return postLink{}, errPostLink
	}
	n, ok := postNumber(seg[1])
	if !ok {
		return postLink{}, errPostLink
	}
	return postLink{account: "https://t.me/" + seg[0], part: n}, nil
}
