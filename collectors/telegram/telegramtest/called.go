package telegramtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gotd/td/tg"
)

// CalledEnv names a folder in which every process with a server notes what was ever called, a line each: platform and method. scripts/test
// collects them over all tests.
const CalledEnv = "MUHAFIZ_CALLED"

// tell notes the first call of a method to this server. A method that cannot be noted stops the test, since nobody would miss it.
func tell(method string) {
	dir := os.Getenv(CalledEnv)
	if dir == "" {
		return
	}
	name := filepath.Join(dir, "telegram-"+strconv.Itoa(os.Getpid()))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, "telegram", method)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		panic("telegramtest: note what was called: " + err.Error())
	}
}

// harm says what in a request's arguments does more than read, or reads more than public channels; nothing where the request is harmless
// whatever it asks for.
func (s *Server) harm(q any) string {
	switch q := q.(type) {
	case *tg.ChannelsJoinChannelRequest:
		if !s.isPublic(q.Channel) {
			return "of what is no public channel"
		}
	case *tg.UsersGetUsersRequest:
		for _, u := range q.ID {
			if _, self := u.(*tg.InputUserSelf); !self {
				return "of somebody else"
			}
		}
	case *tg.MessagesGetMessagesViewsRequest:
		if q.Increment {
			return "counting a view"
		}
	case *tg.UpdatesGetChannelDifferenceRequest:
		if q.Force {
			return "by force"
		}
	case interface{ GetPeer() tg.InputPeerClass }:
		if _, channel := q.GetPeer().(*tg.InputPeerChannel); !channel {
			return "of what is no channel"
		}
	}
	return ""
}

func (s *Server) isPublic(c tg.InputChannelClass) bool {
	in, ok := c.(*tg.InputChannel)
	if !ok {
		return false
	}
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	ch := s.world.channels[in.ChannelID]
	return ch != nil && ch.profile.Kind == Broadcast && !ch.profile.Private && len(ch.profile.names()) > 0
}
