package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// telegramReserved are first parts of t.me links that are not usernames (core.telegram.org/api/links).
var telegramReserved = []string{
	"addemoji", "addlist", "addstickers", "addtheme", "auction", "bg", "boost", "call", "confirmphone", "contact", "giftcode", "invoice",
	"iv", "k", "a", "z", "login", "m", "msg", "newbot", "nft", "proxy", "setlanguage", "share", "socks", "telegrampassport", "web",
}

// botParameters mark a link that starts a bot.
var botParameters = []string{"start", "startgroup", "startchannel", "startapp", "startattach", "attach", "game", "appname"}

// telegramPath reads the path of a t.me link.
func telegramPath(segments []string, query url.Values) (Address, error) {
	if len(segments) == 0 {
		return Address{}, fmt.Errorf("the link names no channel; give one such as https://t.me/NAME")
	}
	first := strings.ToLower(segments[0])
	switch {
	case strings.HasPrefix(first, "+"):
		return Address{}, fmt.Errorf("t.me/+… is a private invitation or a person's phone number: %s", publicOnly)
	case first == "joinchat":
		return Address{}, fmt.Errorf("t.me/joinchat/… is a private invitation: %s", publicOnly)
	case first == "c":
		return Address{}, fmt.Errorf("t.me/c/… is a post of a private channel or group: %s", publicOnly)
	case strings.HasPrefix(first, "$"), slices.Contains(telegramReserved, first):
		return Address{}, fmt.Errorf("t.me/%s is a page of Telegram, not a channel", clip(segments[0]))
	case first == "s" && len(segments) > 1: // the preview page
		return telegramPath(slices.Concat([]string{segments[1]}, segments[2:]), query)
	}
	for _, p := range botParameters {
		if query.Has(p) {
			return Address{}, fmt.Errorf("the link starts a bot (?%s): %s", p, publicOnly)
		}
	}
	for _, s := range segments[1:] {
		if strings.Trim(s, "0123456789") != "" && !(s == "s" && len(segments) == 3) { // t.me/x/s/5 is a story
			return Address{}, fmt.Errorf("the link has %q after the name, which is neither a channel nor a post of one; give https://t.me/%s if you mean the channel", clip(s), clip(segments[0]))
		}
	}
	return telegramName(segments[0])
}

// telegramDeepLink reads what follows tg: or tg://.
func telegramDeepLink(rest string) (Address, error) {
	u, err := url.Parse("tg://" + rest)
	if err != nil {
		return Address{}, fmt.Errorf("the tg:// link is not readable; give one such as https://t.me/NAME")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Address{}, fmt.Errorf("the tg:// link is not readable; give one such as https://t.me/NAME")
	}
	method := strings.ToLower(u.Host)
	switch {
	case method == "join":
		return Address{}, fmt.Errorf("tg://join is a private invitation: %s", publicOnly)
	case method == "privatepost":
		return Address{}, fmt.Errorf("tg://privatepost is a post of a private channel or group: %s", publicOnly)
	case method == "resolve" && q.Has("phone"):
		return Address{}, fmt.Errorf("tg://resolve?phone= is a person: %s", publicOnly)
	case method != "resolve":
		return Address{}, fmt.Errorf("tg://%s is not the link of a channel; give tg://resolve?domain=NAME", clip(method))
	case len(q["domain"]) != 1:
		return Address{}, fmt.Errorf("the tg://resolve link must have one domain; give tg://resolve?domain=NAME")
	}
	for _, p := range botParameters {
		if q.Has(p) {
			return Address{}, fmt.Errorf("the link starts a bot (%s=): %s", p, publicOnly)
		}
	}
	return telegramName(q.Get("domain"))
}

// telegramName checks a username: 4 to 32 of a-z, A-Z, 0-9 and _, beginning with a letter.
func telegramName(name string) (Address, error) {
	lower := strings.ToLower(name)
	switch {
	case name == "":
		return Address{}, fmt.Errorf("the link names no channel; give one such as https://t.me/NAME")
	case slices.Contains(telegramReserved, lower), lower == "joinchat":
		return Address{}, fmt.Errorf("%q is a page of Telegram, not a channel", clip(name))
	}
	for _, r := range name {
		if !alphanumeric(r) && r != '_' {
			return Address{}, fmt.Errorf("the name %q contains %s; Telegram usernames are letters, digits and _", clip(name), runeName(r))
		}
	}
	if c := lower[0]; c < 'a' || c > 'z' {
		return Address{}, fmt.Errorf("the name %q does not begin with a letter, as Telegram usernames do", clip(name))
	}
	if len(name) < 4 || len(name) > 32 {
		return Address{}, fmt.Errorf("the name %q has %d characters; Telegram usernames have 4 to 32", clip(name), len(name))
	}
	return Address{PlatformTelegram, "username", lower, "https://t.me/" + lower}, nil
}
