package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// These platforms have public accounts and no collector here: their targets are listed, reviewed and reported from captures.
const (
	PlatformX         = "x"
	PlatformFacebook  = "facebook"
	PlatformInstagram = "instagram"
)

// Platforms returns all platforms of addresses.
func Platforms() []string {
	return []string{PlatformTelegram, PlatformWhatsApp, PlatformX, PlatformFacebook, PlatformInstagram}
}

// Collectable reports whether there is a collector for a platform. Targets of the others are listed only.
func Collectable(platform string) bool {
	return platform == PlatformTelegram || platform == PlatformWhatsApp
}

// PlatformName returns a platform's name as people write it.
func PlatformName(platform string) string {
	names := map[string]string{
		PlatformTelegram: "Telegram", PlatformWhatsApp: "WhatsApp", PlatformX: "X", PlatformFacebook: "Facebook", PlatformInstagram: "Instagram",
	}
	if n := names[platform]; n != "" {
		return n
	}
	return platform
}

// Handle reads a name as a platform's lists write it, with or without the @, where something else says which platform is meant.
func Handle(platform, name string) (Address, error) {
	name = strings.TrimPrefix(name, "@")
	if err := plainASCII(name); err != nil {
		return Address{}, err
	}
	switch platform {
	case PlatformTelegram:
		return telegramName(name)
	case PlatformX:
		return xName(name)
	case PlatformFacebook:
		return facebookName(name)
	case PlatformInstagram:
		return instagramName(name)
	}
	return Address{}, fmt.Errorf("%q is not an address: %s channels have no names, only links", clip(name), PlatformName(platform))
}

var xReserved = []string{
	"i", "home", "search", "explore", "hashtag", "intent", "share", "settings", "messages", "notifications", "login", "signup", "tos",
	"privacy", "about", "compose", "jobs", "download", "account", "who_to_follow",
}

func xPath(segments []string) (Address, error) {
	if len(segments) == 0 {
		return Address{}, fmt.Errorf("the link names no account; give one such as https://x.com/NAME")
	}
	name := strings.TrimPrefix(segments[0], "@")
	if slices.Contains(xReserved, strings.ToLower(name)) {
		return Address{}, fmt.Errorf("x.com/%s is a page of X, not an account", clip(name))
	}
	return xName(name)
}

// xName checks a handle: 1 to 15 letters, digits and _ (help.x.com, "Username requirements").
func xName(name string) (Address, error) {
	return accountName(name, PlatformX, "handle", "https://x.com/", 1, 15, "_")
}

var instagramReserved = []string{"p", "reel", "reels", "tv", "explore", "accounts", "direct", "about", "developer", "legal", "web", "share", "ar"}

func instagramPath(segments []string) (Address, error) {
	if len(segments) > 1 && strings.EqualFold(segments[0], "stories") && !strings.EqualFold(segments[1], "highlights") {
		segments = segments[1:]
	}
	if len(segments) == 0 {
		return Address{}, fmt.Errorf("the link names no account; give one such as https://www.instagram.com/NAME")
	}
	if first := strings.ToLower(segments[0]); slices.Contains(instagramReserved, first) || first == "stories" {
		return Address{}, fmt.Errorf("instagram.com/%s/… does not name its account; give the account's link, such as https://www.instagram.com/NAME", clip(segments[0]))
	}
	return instagramName(strings.TrimPrefix(segments[0], "@"))
}

func instagramName(name string) (Address, error) {
	return accountName(name, PlatformInstagram, "username", "https://www.instagram.com/", 1, 30, "._")
}

var facebookReserved = []string{
	"watch", "reel", "reels", "share", "sharer", "sharer.php", "story.php", "photo", "photo.php", "photos", "video.php", "videos", "login", "login.php",
	"events", "marketplace", "gaming", "help", "hashtag", "search", "l.php", "dialog", "plugins", "messages", "notifications", "media", "stories", "home.php",
}

// facebookPath reads the path of a facebook.com link: a name, profile.php?id=, permalink.php?id=, people/NAME/ID, pages/NAME/ID.
func facebookPath(segments []string, query url.Values) (Address, error) {
	if len(segments) == 0 {
		return Address{}, fmt.Errorf("the link names no account; give one such as https://www.facebook.com/NAME")
	}
	first := strings.ToLower(segments[0])
	switch {
	case first == "groups" || first == "groupchat":
		return Address{}, fmt.Errorf("facebook.com/%s/… is a group: %s", first, publicOnly)
	case first == "profile.php" || first == "permalink.php" || first == "story.php" && query.Has("id"):
		return facebookID(query.Get("id"))
	case (first == "people" || first == "pages" || first == "p") && len(segments) > 1:
		last := segments[len(segments)-1]
		return facebookID(last[strings.LastIndexByte(last, '-')+1:])
	case slices.Contains(facebookReserved, first):
		return Address{}, fmt.Errorf("facebook.com/%s does not name its account; give the account's link, such as https://www.facebook.com/NAME", clip(segments[0]))
	}
	return facebookName(segments[0])
}

func facebookID(id string) (Address, error) {
	if strings.HasPrefix(id, "pfbid") {
		return Address{}, fmt.Errorf("the Facebook link has a pfbid in place of the account's number, and Facebook makes those anew from time to time; give the account's link with its name or number")
	}
	if len(id) < 5 || len(id) > 20 || strings.Trim(id, "0123456789") != "" {
		return Address{}, fmt.Errorf("the Facebook link has no account number; give one such as https://www.facebook.com/profile.php?id=NUMBER")
	}
	return Address{PlatformFacebook, "profile-id", id, "https://www.facebook.com/profile.php?id=" + id}, nil
}

// facebookName checks a name: 5 to 50 letters, digits and dots (facebook.com/help/409473442437047); a name of digits is a number.
func facebookName(name string) (Address, error) {
	if len(name) >= 5 && strings.Trim(name, "0123456789") == "" || strings.HasPrefix(name, "pfbid") {
		return facebookID(name)
	}
	return accountName(name, PlatformFacebook, "username", "https://www.facebook.com/", 5, 50, ".")
}

func accountName(name, platform, kind, before string, least, most int, beside string) (Address, error) {
	for _, r := range name {
		if !alphanumeric(r) && !strings.ContainsRune(beside, r) {
			return Address{}, fmt.Errorf("the name %q contains %s; names on %s are letters, digits and %s", clip(name), runeName(r), PlatformName(platform), strings.Join(strings.Split(beside, ""), " and "))
		}
	}
	if len(name) < least || len(name) > most {
		return Address{}, fmt.Errorf("the name %q has %d characters; names on %s have %d to %d", clip(name), len(name), PlatformName(platform), least, most)
	}
	lower := strings.ToLower(name)
	if strings.Trim(lower, "._") == "" {
		return Address{}, fmt.Errorf("the name %q has no letter or digit", clip(name))
	}
	return Address{platform, kind, lower, before + lower}, nil
}

// shorteners hide where a link leads.
var shorteners = []string{"t.co", "bit.ly", "tinyurl.com", "goo.gl", "ow.ly", "is.gd", "cutt.ly", "rb.gy", "lnkd.in", "shorturl.at", "linktr.ee"}

// socialAddress reads a link of a platform without a collector; ok is false where the host is none of theirs.
func socialAddress(host, s string, segments []string, query url.Values) (a Address, ok bool, err error) {
	for _, mobile := range []string{"m.", "mobile.", "web.", "mbasic.", "touch.", "l."} {
		if h := strings.TrimPrefix(host, mobile); h != host && slices.Contains([]string{"facebook.com", "twitter.com", "x.com", "instagram.com"}, h) {
			host = h
		}
	}
	switch {
	case host == "x.com" || host == "twitter.com":
		a, err = xPath(segments)
	case host == "facebook.com" || host == "fb.com":
		a, err = facebookPath(segments, query)
	case host == "instagram.com" || host == "instagr.am":
		a, err = instagramPath(segments)
	case host == "m.me" || host == "messenger.com" || host == "ig.me":
		err = fmt.Errorf("%q is a private conversation: %s", clip(s), publicOnly)
	case slices.Contains(shorteners, host) || host == "fb.me" || host == "fb.watch":
		err = fmt.Errorf("%q is a shortened link that hides where it leads; open it safely and give the account's own link", clip(s))
	default:
		return a, false, nil
	}
	return a, true, err
}
