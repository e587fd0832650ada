package chatexport

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The platform's own words in an export, lower case, in the languages in which we know them. What is in none of them stays text; a
// line of the platform's own whose words are not known is refused, see platformLine.
var words = struct {
	deleted, edited, omitted, attached map[string]bool
	kinds                              map[string]string // that an iPhone leaves out: its words and the kind
	channel, secret, group             []string          // secret: of encrypted conversations; channels are not encrypted
}{
	deleted: set("this message was deleted", "you deleted this message", "diese nachricht wurde gelöscht", "du hast diese nachricht gelöscht",
		"se eliminó este mensaje", "eliminaste este mensaje", "ce message a été supprimé", "vous avez supprimé ce message",
		"mensagem apagada", "você apagou esta mensagem"),
	edited: set("this message was edited", "diese nachricht wurde bearbeitet", "se editó este mensaje", "mensagem editada"),
	omitted: set("media omitted", "medien ausgeschlossen", "multimedia omitido", "médias omis", "mídia oculta", "arquivo de mídia oculto",
		"media omessi"),
	attached: set("file attached", "archivo adjunto", "datei angehängt", "fichier joint", "arquivo anexado", "file allegato"),
	kinds: map[string]string{
		"image omitted": "photo", "video omitted": "video", "gif omitted": "video", "audio omitted": "audio", "sticker omitted": "sticker",
		"document omitted": "document", "contact card omitted": "contact",
		"bild weggelassen": "photo", "video weggelassen": "video", "audio weggelassen": "audio", "sticker weggelassen": "sticker",
		"imagen omitida": "photo", "video omitido": "video", "audio omitido": "audio", "sticker omitido": "sticker", "documento omitido": "document",
	},
	channel: []string{"channel", "canal", "kanal", "saluran", "قناة", "القناة", "چینل", "کانال", "चैनल", "চ্যানেল", "канал", "频道", "頻道"},
	secret: []string{
		"end-to-end", "ende-zu-ende", "extremo a extremo", "ponta a ponta", "bout en bout", "uçtan uca", "بين الطرفين", "security code",
		"voice call", "video call", "is a contact", "disappearing messages", "changed their phone number",
	},
	group: []string{"group", "grupo", "gruppe", "groupe", "gruppo", "grup", "مجموعة", "گروپ", "ग्रुप", "группа", "community"},
}

func set(list ...string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, s := range list {
		m[s] = true
	}
	return m
}

// tidy is a name or the platform's words without marks of direction and in one normal form, with plain spaces.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case directional(r):
			return -1
		case r == 0xA0 || r == 0x202F:
			return ' '
		}
		return r
	}, s)
	return norm.NFC.String(strings.TrimSpace(s))
}

// spoken is what the platform says, for a look-up: lower case, without brackets, marks and a full stop. It says nothing long.
func spoken(s string) string {
	if len(s) > maxSender {
		return ""
	}
	return strings.ToLower(strings.Trim(tidy(s), "<>. "))
}

func contains(s string, list []string) bool {
	for _, w := range list {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// ownMark is what iPhones put before words of the platform's own. Anybody can type it.
const ownMark = "\u200e"

func ownWords(s string) bool { return strings.HasPrefix(s, ownMark) }

// minPhone is from how many digits on a number that stands like a telephone's is taken for one.
const minPhone = 8

// hasPhone reports whether a text holds what looks like an international telephone number, a link to one, or a mention: a person.
func hasPhone(s string) bool {
	if strings.Contains(s, "wa.me/") || strings.Contains(s, "@\u2068") {
		return true
	}
	for {
		i := strings.IndexAny(s, "+@")
		if i < 0 {
			return false
		}
		n := phoneDigits(s[i+1:])
		if n >= minPhone {
			return true
		}
		s = s[i+1:]
	}
}

// phoneDigits counts digits with what stands between those of a telephone number.
func phoneDigits(s string) (n int) {
	for _, r := range s {
		switch {
		case digit(r) >= 0:
			if n++; n >= minPhone {
				return n
			}
		case directional(r) || r == ' ' || r == '-' || r == '(' || r == ')' || r == '.' || r == 0xA0 || r == 0x2011:
		default:
			return n
		}
	}
	return n
}

// looksLikePhone reports whether a sender is a telephone number and no name.
func looksLikePhone(name string) bool {
	digits := 0
	for _, r := range name {
		if unicode.IsLetter(r) {
			return false
		}
		if digit(r) >= 0 {
			digits++
		}
	}
	return digits >= 5
}
