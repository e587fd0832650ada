package config

import (
	"errors"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for _, s := range []string{
		"t.me/Example_One", "https://t.me/example_one", "http://t.me/example_one/", "HTTPS://T.ME/EXAMPLE_ONE", "https://t.me/s/Example_One",
		"https://t.me/s/example_one?before=12", "https://telegram.me/example_one", "telegram.dog/example_one", "https://www.t.me/example_one",
		"@example_one", "@Example_One", "tg://resolve?domain=example_one", "TG://resolve?domain=EXAMPLE_ONE&post=3", "tg:resolve?domain=example_one",
		"https://example_one.t.me", "Example_One.t.me/", "example_one.t.me/12", "https://t.me/example_one/123", "https://t.me/example_one/123?single",
		"https://t.me/example_one/12/34", "https://t.me/s/example_one/123", "https://t.me/example_one/s/5", "t.me//example_one", "https://t.me./example_one",
		"https://t.me/example_one#top",
	} {
		got, err := ParseAddress(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if want := (Address{PlatformTelegram, "username", "example_one", "https://t.me/example_one"}); got != want {
			t.Errorf("%s: got %+v, want %+v", s, got, want)
		}
	}
	for _, s := range []string{"https://whatsapp.com/channel/0029VaExample_-00000000", "www.whatsapp.com/channel/0029VaExample_-00000000/", "whatsapp.com/channel/0029VaExample_-00000000/123", "https://www.whatsapp.com/channel/0029VaExample_-00000000/123?utm_source=x#y"} {
		got, err := ParseAddress(s)
		want := Address{PlatformWhatsApp, "channel-code", "0029VaExample_-00000000", "https://whatsapp.com/channel/0029VaExample_-00000000"}
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", s, got, err)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for s, want := range map[string]string{
		"":                                        "the address is empty",
		"https://t.me/":                           "names no channel",
		"https://t.me/s/":                         `the name "s" has 1 characters; Telegram usernames have 4 to 32`,
		"https://t.me/+AbCdEf":                    "private invitation or a person's phone number",
		"https://t.me/+923000000000":              "private invitation or a person's phone number",
		"https://t.me/s/+AbCdEf":                  "private invitation",
		"https://t.me/joinchat/AbCdEf":            "private invitation",
		"https://t.me/JoinChat/AbCdEf":            "private invitation",
		"tg://join?invite=AbCdEf":                 "private invitation",
		"tg:join?invite=AbCdEf":                   "private invitation",
		"tg://privatepost?channel=1&post=2":       "a private channel or group",
		"tg://resolve?phone=923000000000":         "is a person",
		"tg://resolve":                            "must have one domain",
		"tg://resolve?domain=a_one&domain=b_two":  "must have one domain",
		"tg://resolve?domain=some_bot&start=x":    "starts a bot",
		"tg://settings":                           "tg://settings is not the link of a channel",
		"tg://%zz":                                "not readable",
		"https://t.me/c/1234/5":                   "a private channel or group",
		"https://t.me/some_bot?start=1":           "starts a bot (?start)",
		"https://t.me/addstickers/x":              "is a page of Telegram",
		"https://t.me/share/url?url=x":            "is a page of Telegram",
		"https://t.me/proxy?server=x":             "is a page of Telegram",
		"https://t.me/iv?url=x":                   "is a page of Telegram",
		"https://share.t.me":                      "is a page of Telegram",
		"https://t.me/$abcdef":                    "is a page of Telegram",
		"@share":                                  "is a page of Telegram",
		"https://t.me/example_one/about":          `has "about" after the name`,
		"@abc":                                    "has 3 characters",
		"@" + strings.Repeat("a", 33):             "has 33 characters",
		"@1example":                               "does not begin with a letter",
		"@_example":                               "does not begin with a letter",
		"@example-one":                            "contains U+002D '-'",
		"@@example":                               "contains U+0040 '@'",
		"https://t.me/%65xample":                  "percent-encoded",
		"https://user@t.me/example":               "names a user or a port",
		"https://t.me:443/example":                "names a user or a port",
		"https://t.me.example.org/example":        "on no platform that is known here",
		"https://a.b.t.me":                        "on no platform that is known here",
		"https://example.org/t.me/example":        "on no platform that is known here",
		"example_one":                             "is a bare name; write @example_one",
		"ftp://t.me/example":                      "is not an address of a channel",
		"https://wa.me/923000000000":              "is a person on WhatsApp",
		"https://chat.whatsapp.com/AbCdEf":        "invites to a WhatsApp group",
		"https://whatsapp.com/download":           "is not that of a channel",
		"https://whatsapp.com/channel/short":      "has 5 characters; codes have 10 to 64",
		"https://whatsapp.com/channel/abc.defghi": "contains U+002E '.'",
		"https://t.me/exam ple":                   "contains U+0020 SPACE",
		"@example\n":                              "contains U+000A LINE FEED",
		"@exa\x00mple":                            "contains U+0000 NUL at byte 5",
		"@ex\u0430mple":                           "contains U+0430 'а' (Cyrillic)",
		"@example\u202e":                          "contains U+202E RIGHT-TO-LEFT OVERRIDE",
		"@\u2066example":                          "contains U+2066 LEFT-TO-RIGHT ISOLATE",
		"@exam\u200bple":                          "contains U+200B ZERO WIDTH SPACE",
		"@exam\u00a0ple":                          "contains U+00A0 NO-BREAK SPACE",
		"@exam\xffple":                            "contains U+FFFD REPLACEMENT CHARACTER",
		"https://ｔ.me/example":                    "contains U+FF54 'ｔ' (Latin)",
		strings.Repeat("a", 2001):                 "longer than 2000 bytes",
	} {
		got, err := ParseAddress(s)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %+v, %v, want %q", s, got, err, want)
		}
		if err != nil && got != (Address{}) {
			t.Errorf("%q: an address beside an error: %+v", s, got)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"https://t.me/s/Example_One/12?q#f", "tg://resolve?domain=x", "@example", "example.t.me", "https://whatsapp.com/channel/0029VaExample00", "https://t.me/+x", "//", "tg:", "https://[::1]/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			if !a.IsZero() || err.Error() == "" {
				t.Fatalf("%q: %+v, %v", s, a, err)
			}
			return
		}
		again, err := ParseAddress(a.Canonical)
		if err != nil || again != a {
			t.Fatalf("%q gives %+v, whose canonical form gives %+v, %v", s, a, again, err)
		}
	})
}

func TestErrorsAreFound(t *testing.T) {
	e := Error{File: "a", Line: 1, Col: 2, Reason: "r"}
	if got := AsErrors(errors.Join(errors.New("x"), e)); len(got) != 1 || got[0] != e {
		t.Errorf("got %v", got)
	}
	if got := AsErrors(errors.New("x")); got != nil {
		t.Errorf("got %v", got)
	}
}
