package evidence

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
)

// PostLink returns a post's public address, made of its account's normalised address and the post's number; empty where the
// platform has none that could be made. An Instagram post is addressed by a shortcode, which is its number in base64url.
func PostLink(platform, account string, post Ordinal) string {
	part := post.Part()
	if account == "" || part == "" || part[0] == '~' {
		return ""
	}
	story, isStory := strings.CutPrefix(part, "s")
	switch {
	case platform == "telegram" && isStory:
		return account + "/s/" + story
	case platform == "telegram":
		return account + "/" + part
	case platform == "whatsapp" && !isStory:
		return account + "/" + part
	case platform == "x" && !isStory:
		return account + "/status/" + part
	case platform == "facebook" && !isStory:
		if _, id, ok := strings.Cut(account, "/profile.php?id="); ok {
			return "https://www.facebook.com/permalink.php?story_fbid=" + part + "&id=" + id
		}
		return account + "/posts/" + part
	case platform == "instagram" && isStory:
		return "https://www.instagram.com/stories/" + account[strings.LastIndexByte(account, '/')+1:] + "/" + story
	case platform == "instagram":
		if n, err := strconv.ParseUint(part, 10, 64); err == nil {
			return "https://www.instagram.com/p/" + Shortcode(n) + "/"
		}
	}
	return ""
}

// Shortcode writes an Instagram post's number as its links do: base64url without padding, without leading zeros.
func Shortcode(n uint64) string {
	// Nine bytes are twelve characters of six bits each, the number right-aligned.
	s := base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64([]byte{0}, n))
	if s = strings.TrimLeft(s, "A"); s == "" {
		return "A"
	}
	return s
}

// ParseShortcode reads what Shortcode writes; false for anything else, such as the longer code of a post that is not public.
func ParseShortcode(s string) (uint64, bool) {
	if s == "" || len(s) > 11 {
		return 0, false
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.Repeat("A", 12-len(s)) + s)
	if err != nil || b[0] != 0 {
		return 0, false
	}
	return binary.BigEndian.Uint64(b[1:]), true
}
