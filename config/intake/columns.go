package intake

import (
	"slices"
	"strings"
	"unicode"

	"github.com/muhafiz/muhafiz/config"
)

// columns says what a list's columns hold, by index; -1 where there is none.
type columns struct {
	header   int // index of the header's row, -1 without one
	links    []int
	handles  []int
	platform int
	date     int
	name     int
	only     map[int]string // columns whose header names one platform
}

var (
	linkWords     = []string{"link", "links", "url", "urls", "address", "web", "website", "page", "channel link", "account link", "profile", "profile link", "لنک", "لنکس", "پتہ", "یو آر ایل", "ربط", "روابط", "ویب سائٹ"}
	handleWords   = []string{"handle", "handles", "username", "user name", "user", "account", "accounts", "account name", "id", "screen name", "channel", "ہینڈل", "اکاؤنٹ", "اکاونٹ", "صارف نام", "چینل", "یوزر نیم"}
	platformWords = []string{"platform", "platforms", "site", "network", "social media", "social media platform", "app", "service", "medium", "پلیٹ فارم", "پلیٹفارم", "ویب", "ذریعہ", "ایپ", "سوشل میڈیا"}
	dateWords     = []string{"date", "dated", "reported on", "report date", "date reported", "identified", "date identified", "day", "when", "first seen", "تاریخ", "مورخہ", "بتاریخ"}
	nameWords     = []string{"name", "title", "display name", "channel name", "page name", "description", "نام", "عنوان"}
	platformNames = map[string]string{
		"telegram": config.PlatformTelegram, "tg": config.PlatformTelegram, "ٹیلیگرام": config.PlatformTelegram, "ٹیلی گرام": config.PlatformTelegram, "تلگرام": config.PlatformTelegram,
		"whatsapp": config.PlatformWhatsApp, "whats app": config.PlatformWhatsApp, "wa": config.PlatformWhatsApp, "واٹس ایپ": config.PlatformWhatsApp, "واٹس اپ": config.PlatformWhatsApp,
		"x": config.PlatformX, "twitter": config.PlatformX, "x twitter": config.PlatformX, "twitter x": config.PlatformX, "x com": config.PlatformX, "ٹوئٹر": config.PlatformX, "ٹویٹر": config.PlatformX, "ایکس": config.PlatformX,
		"facebook": config.PlatformFacebook, "fb": config.PlatformFacebook, "meta": config.PlatformFacebook, "فیس بک": config.PlatformFacebook, "فیسبک": config.PlatformFacebook,
		"instagram": config.PlatformInstagram, "ig": config.PlatformInstagram, "insta": config.PlatformInstagram, "انسٹاگرام": config.PlatformInstagram, "انسٹا گرام": config.PlatformInstagram,
	}
)

// plain reduces a header or a platform's name to its words in lower case.
func plain(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.Is(unicode.M, r)
	}), " ")
}

// platformNamed returns the platform that a text names; unknown says that it names one that is not known here.
func platformNamed(s string) (platform string, unknown bool) {
	p := plain(s)
	if p == "" {
		return "", false
	}
	for _, suffix := range []string{"", " com", " channel", " account", " page", " handle", " link", " url"} {
		if name, ok := platformNames[strings.TrimSuffix(p, suffix)]; ok {
			return name, false
		}
	}
	return "", true
}

// findColumns looks for a header among the first rows, and otherwise goes by what the columns hold.
func findColumns(t *Table) columns {
	c := columns{header: -1, platform: -1, date: -1, name: -1, only: map[int]string{}}
	for i, r := range t.Rows[:min(len(t.Rows), 20)] {
		if r.Problem == "" && c.byHeader(r.Cells) {
			c.header = i
			break
		}
	}
	if c.header < 0 {
		c.byContent(t)
	}
	return c
}

func (c *columns) byHeader(cells []string) bool {
	try := columns{platform: -1, date: -1, name: -1, only: map[int]string{}}
	for i, cell := range cells {
		if len(cell) > 80 || looksLink(cell) || strings.HasPrefix(cell, "@") {
			if looksLink(cell) {
				return false
			}
			continue
		}
		p := plain(cell)
		platform, unknown := platformNamed(cell)
		switch {
		case p == "":
		case slices.Contains(linkWords, p):
			try.links = append(try.links, i)
		case slices.Contains(handleWords, p):
			try.handles = append(try.handles, i)
		case try.platform < 0 && slices.Contains(platformWords, p):
			try.platform = i
		case try.date < 0 && slices.Contains(dateWords, p):
			try.date = i
		case try.name < 0 && slices.Contains(nameWords, p):
			try.name = i
		case linksOrHandles(p):
			try.links = append(try.links, i)
		case !unknown && len(cells) > 1:
			try.handles = append(try.handles, i)
			try.only[i] = platform
		}
	}
	if len(try.links)+len(try.handles) == 0 {
		return false
	}
	// A row such as "Telegram, example_one" is no header: one word beside what is not one.
	if len(try.only) > 0 && len(try.only) == len(try.links)+len(try.handles) && len(try.only) < 2 && try.date < 0 && try.name < 0 {
		return false
	}
	try.header = c.header
	*c = try
	return true
}

// linksOrHandles reports whether a header names both, such as "Link / handle" or "URL or username".
func linksOrHandles(p string) bool {
	for w := range strings.FieldsSeq(p) {
		if !slices.Contains(linkWords, w) && !slices.Contains(handleWords, w) && w != "or" && w != "and" {
			return false
		}
	}
	return strings.Contains(p, " ")
}

// byContent goes by what most cells of a column look like. Every column may hold links.
func (c *columns) byContent(t *Table) {
	type seen struct{ dates, platforms, filled int }
	var cols []seen
	for _, r := range t.Rows[:min(len(t.Rows), 200)] {
		for len(cols) < len(r.Cells) {
			cols = append(cols, seen{})
		}
		for i, cell := range r.Cells {
			cell = strings.TrimSpace(latinDigits(cell))
			if cell == "" || r.Problem != "" {
				continue
			}
			cols[i].filled++
			if p, unknown := platformNamed(cell); p != "" && !unknown && !looksLink(cell) {
				cols[i].platforms++
			}
			if isoDate.MatchString(cell) || numericDate.MatchString(cell) || t.serials && serialDate.MatchString(cell) || wordyDate.MatchString(cell) {
				cols[i].dates++
			}
		}
	}
	for i, s := range cols {
		switch {
		case s.filled > 0 && c.platform < 0 && 2*s.platforms > s.filled:
			c.platform = i
		case s.filled > 0 && c.date < 0 && 2*s.dates > s.filled:
			c.date = i
		default:
			c.links = append(c.links, i)
		}
	}
}
