package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The platforms that an address can belong to.
const (
	PlatformTelegram = "telegram"
	PlatformWhatsApp = "whatsapp"
)

// Address is where a public channel is found. Two spellings of the same channel have the same Canonical form.
type Address struct {
	Platform  string // telegram, whatsapp, x, facebook, instagram
	Kind      string // username (Telegram, Facebook, Instagram), channel-code (WhatsApp), handle (X), profile-id (Facebook)
	Name      string // the username in lower case, since platforms do not tell cases apart; a channel code as it is
	Canonical string // https://t.me/NAME, https://whatsapp.com/channel/CODE, https://x.com/NAME …
}

// IsZero reports whether there is no address.
func (a Address) IsZero() bool { return a == Address{} }

// ID returns the id of a target that has none of its own: platform and name in lower case, 64 characters at most.
func (a Address) ID() string {
	id := a.Platform + "-" + strings.ToLower(a.Name)
	return id[:min(len(id), 64)]
}

// String returns the canonical form.
func (a Address) String() string { return a.Canonical }

func (a *Address) decodeNode(d *decoder, n *yaml.Node, path string) {
	text, ok := d.text(n, path)
	if !ok {
		return
	}
	v, err := ParseAddress(text)
	if err != nil {
		d.errorf(n, path, "%v", err)
		return
	}
	*a = v
}

const publicOnly = "only public broadcast channels are collected"

// ParseAddress reads the address of a public channel. For Telegram these are one: t.me/x, https://t.me/s/X, http://telegram.me/x,
// telegram.dog/x, x.t.me, @x, tg://resolve?domain=x, and the link of a post, https://t.me/x/123, which stands for its channel.
// For WhatsApp: https://whatsapp.com/channel/CODE, with or without www., what follows a `?`, and the number of a post, which stands for
// its channel. For X, Facebook and Instagram: https://x.com/NAME, twitter.com/NAME,
// facebook.com/NAME, facebook.com/profile.php?id=NUMBER, fb.com/NAME, instagram.com/NAME, and links of their posts that name the
// account. Private invitations, people, bots and the platforms' own pages are refused with
// the reason. Whether a name belongs to a broadcast channel only the platform can say.
func ParseAddress(s string) (Address, error) {
	if s == "" {
		return Address{}, fmt.Errorf("the address is empty; give a link such as https://t.me/NAME")
	}
	if len(s) > 2000 {
		return Address{}, fmt.Errorf("the address is longer than 2000 bytes")
	}
	if err := plainASCII(s); err != nil {
		return Address{}, err
	}
	if name, ok := strings.CutPrefix(s, "@"); ok {
		return telegramName(name)
	}
	if len(s) > 3 && strings.EqualFold(s[:3], "tg:") {
		return telegramDeepLink(strings.TrimPrefix(s[3:], "//"))
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		scheme, rest = "https", s
	}
	if strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https") {
		return webAddress(s, rest)
	}
	return Address{}, fmt.Errorf("%q is not an address of a channel; give a link such as https://t.me/NAME", clip(s))
}

// plainASCII refuses every character that an address cannot have, naming the first few: what shows as a Latin letter may be another one.
func plainASCII(s string) error {
	var found []string
	for i, r := range s {
		if r <= ' ' || r >= 0x7F {
			if len(found) == 5 {
				found = append(found, "others")
				break
			}
			found = append(found, fmt.Sprintf("%s at byte %d", runeName(r), i+1))
		}
	}
	if found == nil {
		return nil
	}
	return fmt.Errorf("the address contains %s; addresses are plain ASCII without spaces: type it anew", strings.Join(found, " and "))
}

// webAddress reads a link without its scheme.
func webAddress(s, rest string) (Address, error) {
	u, err := url.Parse("https://" + rest)
	if err != nil || u.Host == "" {
		return Address{}, fmt.Errorf("%q is not a link; give one such as https://t.me/NAME", clip(s))
	}
	if u.User != nil || u.Port() != "" || strings.Contains(u.Host, ":") {
		return Address{}, fmt.Errorf("%q names a user or a port, which channel links do not; give a link such as https://t.me/NAME", clip(s))
	}
	if strings.Contains(u.EscapedPath(), "%") || strings.Contains(u.Host, "%") {
		return Address{}, fmt.Errorf("%q contains percent-encoded characters, which channel links do not need; write them plainly", clip(s))
	}
	host := strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(u.Host), "."), "www.")
	segments := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	switch {
	case slices.Contains([]string{"t.me", "telegram.me", "telegram.dog"}, host):
		return telegramPath(segments, u.Query())
	case strings.HasSuffix(host, ".t.me") && strings.Count(host, ".") == 2:
		return telegramPath(append([]string{strings.TrimSuffix(host, ".t.me")}, segments...), u.Query())
	case host == "whatsapp.com":
		return whatsappPath(segments)
	case host == "chat.whatsapp.com":
		return Address{}, fmt.Errorf("%q invites to a WhatsApp group: %s", clip(s), publicOnly)
	case host == "wa.me", host == "api.whatsapp.com":
		return Address{}, fmt.Errorf("%q is a person on WhatsApp: %s", clip(s), publicOnly)
	}
	if a, ok, err := socialAddress(host, s, segments, u.Query()); ok {
		return a, err
	}
	switch {
	case !strings.ContainsAny(rest, "./"):
		return Address{}, fmt.Errorf("%q is a bare name; write @%s or https://t.me/%s", clip(s), clip(s), clip(s))
	}
	return Address{}, fmt.Errorf("%q is on no platform that is known here (t.me, whatsapp.com, x.com, facebook.com, instagram.com)", clip(s))
}

func whatsappPath(segments []string) (Address, error) {
	if len(segments) < 2 || !strings.EqualFold(segments[0], "channel") {
		return Address{}, fmt.Errorf("the WhatsApp link is not that of a channel; give one such as https://whatsapp.com/channel/CODE")
	}
	code := segments[1]
	for _, r := range code {
		if !alphanumeric(r) && r != '-' && r != '_' {
			return Address{}, fmt.Errorf("the WhatsApp channel code contains %s; codes are letters, digits, - and _", runeName(r))
		}
	}
	if len(code) < 10 || len(code) > 64 {
		return Address{}, fmt.Errorf("the WhatsApp channel code %q has %d characters; codes have 10 to 64", clip(code), len(code))
	}
	return Address{PlatformWhatsApp, "channel-code", code, "https://whatsapp.com/channel/" + code}, nil
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
