package telegram_test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// ledger counts the calls of all servers of these tests.
var ledger telegramtest.Ledger

// onlyAllowed prints which methods were ever called, and fails where one of them is not allowed. TestMain calls it after all tests.
func onlyAllowed(w io.Writer) error {
	counts := ledger.Counts()
	for _, m := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "called: %-32s %8d\n", m, counts[m])
	}
	return strangers(slices.Sorted(maps.Keys(counts)))
}

// strangers returns an error for what is not among the methods that may be called; arguments that do harm make a stranger of a method.
func strangers(called []string) error {
	allowed := append(telegram.Methods(), telegram.LoginMethods()...)
	for _, m := range called {
		if !slices.Contains(allowed, m) {
			return fmt.Errorf("%s reached a server, and is not among what Muhafiz may call", m)
		}
	}
	return nil
}

// calledIn reads what all processes noted in a folder of one platform.
func calledIn(dir, platform string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, platform+"-*"))
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(b)) {
			seen[strings.TrimPrefix(strings.TrimSuffix(line, "\n"), platform+" ")] = true
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

// TestEverythingEverCalledIsAllowed reads what all tests called that noted it in the folder MUHAFIZ_CALLED_CHECK, and a folder of its own to
// see that a stranger is found.
func TestEverythingEverCalledIsAllowed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "telegram-1"), []byte("telegram messages.getHistory\ntelegram users.getUsers of somebody else\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	called, err := calledIn(dir, "telegram")
	if err != nil || len(called) != 2 || strangers(called) == nil || strangers(called[:1]) != nil {
		t.Errorf("%q: %v, a stranger is not found", called, err)
	}
	all := os.Getenv("MUHAFIZ_CALLED_CHECK")
	if all == "" {
		return
	}
	if called, err = calledIn(all, "telegram"); err != nil || len(called) == 0 {
		t.Fatalf("nothing was noted in %s: %v", all, err)
	}
	if err := strangers(called); err != nil {
		t.Error(err)
	}
	sent, err := calledIn(all, "whatsapp")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range sent {
		if what, _, _ := strings.Cut(kind, "."); slices.Contains([]string{"message", "chatstate", "presence", "call"}, what) || kind == "mex.subscribers" {
			t.Errorf("%s was sent to a loopback WhatsApp", kind)
		}
	}
}

// TestArgumentsThatDoHarmAreRefused calls methods of the list in ways that are not on it.
func TestArgumentsThatDoHarmAreRefused(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 1)
	for name, c := range map[string]struct {
		q    bin.Object
		want bool
	}{
		"ourselves":               {&tg.UsersGetUsersRequest{ID: []tg.InputUserClass{&tg.InputUserSelf{}}}, true},
		"somebody":                {&tg.UsersGetUsersRequest{ID: []tg.InputUserClass{&tg.InputUser{UserID: 1}}}, false},
		"a history":               {&tg.MessagesGetHistoryRequest{Peer: &tg.InputPeerChannel{ChannelID: ch.ID()}}, true},
		"a private chat":          {&tg.MessagesGetHistoryRequest{Peer: &tg.InputPeerUser{UserID: 1}}, false},
		"our saved messages":      {&tg.MessagesGetHistoryRequest{Peer: &tg.InputPeerSelf{}}, false},
		"somebody's stories":      {&tg.StoriesGetPeerStoriesRequest{Peer: &tg.InputPeerUser{UserID: 1}}, false},
		"a difference":            {&tg.UpdatesGetChannelDifferenceRequest{Pts: 1}, true},
		"a forced difference":     {&tg.UpdatesGetChannelDifferenceRequest{Pts: 1, Force: true}, false},
		"a channel nobody allows": {&tg.ChannelsJoinChannelRequest{Channel: &tg.InputChannel{ChannelID: ch.ID()}}, false},
		"views":                   {&tg.MessagesGetMessagesViewsRequest{Increment: true}, false},
		"marking as read":         {&tg.ChannelsReadHistoryRequest{}, false},
		"a link":                  {&tg.MessagesImportChatInviteRequest{Hash: "x"}, false},
		"the contents seen":       {&tg.ChannelsReadMessageContentsRequest{}, false},
	} {
		if got := telegram.Allows(c.q); got != c.want {
			t.Errorf("%s: allowed is %v, want %v", name, got, c.want)
		}
	}
}
