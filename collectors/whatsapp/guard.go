package whatsapp

import (
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"
	"go.mau.fi/whatsmeow"
	waLog "go.mau.fi/whatsmeow/util/log"
)

// guard sees every element that the library is about to send, whoever asked for it, and closes the connection before one goes out that
// this collector never sends. The library has no hook for that; but it names each element to the logger of its sending side between encoding and
// sending it, and its test says so for the version in go.mod.
type guard struct {
	bridge
	cli    *whatsmeow.Client
	caught func(shape string)

	mu      sync.Mutex
	permits map[string]int // of Acts, while one is made
}

var _ waLog.Logger = (*guard)(nil)

// Debugf implements waLog.Logger.
func (g *guard) Debugf(_ string, args ...any) {
	if len(args) != 1 {
		return
	}
	s, ok := args[0].(string)
	if !ok || !never(s) && g.permitted(s) {
		return
	}
	shape := clip(tagOf(s))
	g.log.Error().Str("element", shape).Msg("the client library was about to send what Muhafiz never sends; the connection is closed instead")
	g.cli.Disconnect()
	if g.caught != nil {
		g.caught(shape)
	}
}

// Sub implements waLog.Logger.
func (g *guard) Sub(module string) waLog.Logger {
	if module == "Send" {
		return g
	}
	return g.bridge.Sub(module)
}

func newGuard(log zerolog.Logger) *guard {
	return &guard{bridge: bridge{log}, permits: map[string]int{}}
}

// permit lets an act pass until done is called.
func (g *guard) permit(act string) (done func()) {
	g.count(act, 1)
	return func() { g.count(act, -1) }
}

func (g *guard) count(act string, by int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.permits[act] += by
}

// permitted reports whether an element is no act, or one that is being made.
func (g *guard) permitted(s string) bool {
	head := tagOf(s)
	name := requestOf(head, s[len(head):])
	if !slices.Contains(Acts(), name) {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.permits[name] > 0
}

// tagOf is an element's first tag, with its attributes.
func tagOf(s string) string {
	if i := strings.IndexByte(s, '>'); i >= 0 {
		return s[:i+1]
	}
	return s
}

// never reports whether an element, in the library's form <tag a="b"><child …, would show us to others or change something: a message but to our own
// phone, presence, a call, a receipt of having seen or played something, anything about groups, and of channels and GraphQL all but what
// Requests lists.
func never(s string) bool {
	head := tagOf(s)
	name, _, _ := strings.Cut(strings.Trim(head, "</>"), " ")
	switch name {
	case "message":
		return !strings.Contains(head, ` category="peer"`)
	case "presence", "chatstate", "call":
		return true
	case "receipt":
		return slices.ContainsFunc([]string{"view", "read", "read-self", "played", "played-self"}, func(t string) bool {
			return strings.Contains(head, ` type="`+t+`"`)
		})
	case "iq":
		return neverAsked(head, s[len(head):])
	}
	return false
}

func neverAsked(head, body string) bool {
	if strings.Contains(head, ` xmlns="w:g2"`) {
		return true
	}
	name := requestOf(head, body)
	return name != "" && !slices.Contains(Requests(), name)
}

// requestOf names a query about channels as Requests does; it is empty for any other.
func requestOf(head, body string) string {
	child, _, _ := strings.Cut(strings.Trim(tagOf(body), "</>"), " ")
	switch {
	case strings.Contains(head, ` xmlns="newsletter"`):
		return "newsletter." + child
	case strings.Contains(head, ` xmlns="w:mex"`):
		_, id, _ := strings.Cut(tagOf(body), `query_id="`)
		id, _, _ = strings.Cut(id, `"`)
		return "w:mex." + id
	}
	return ""
}
