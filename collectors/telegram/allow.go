package telegram

import (
	"context"
	"errors"
	"fmt"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/tg"
)

// ErrMethodNotAllowed is returned for a request that this collector never makes, before anything is sent.
var ErrMethodNotAllowed = errors.New("this method is not one that Muhafiz may call")

// Methods returns the methods that an observing source may invoke: they read, and none of them sends, reacts, marks as read, counts a
// view or lists participants. Joining is for targets in joined mode alone, and never by a link.
func Methods() []string {
	return []string{
		"auth.exportAuthorization", // moves our own login to the data centre that holds a file
		"auth.importAuthorization",
		"channels.getChannels",
		"channels.getFullChannel",
		"channels.getMessages",
		"channels.joinChannel", // of a target in joined mode, once it is bound; see mayJoin
		"channels.leaveChannel",
		"contacts.resolveUsername",
		"help.getAppConfig", // says whether our account is frozen
		"help.getCdnConfig", // the keys of the delivery network
		"help.getConfig",
		"messages.getHistory",
		"stories.getPeerStories", // neither marks a story as seen nor counts a view: stories.readStories and stories.incrementStoryViews do
		"stories.getStoriesByID",
		"updates.getChannelDifference",
		"upload.getCdnFile",
		"upload.getCdnFileHashes",
		"upload.getFile",
		"upload.reuploadCdnFile", // has the platform copy its own file to its own delivery network
		"users.getUsers",         // of ourselves: says whether we are logged in
	}
}

// LoginMethods returns the methods that Login may invoke.
func LoginMethods() []string {
	return []string{
		"account.getPassword", "auth.checkPassword", "auth.exportLoginToken", "auth.importLoginToken", "auth.sendCode", "auth.signIn",
		"help.getConfig", "users.getUsers",
	}
}

// allowOnly refuses every method that is not listed.
func allowOnly(methods []string) telegram.Middleware {
	allowed := make(map[string]bool, len(methods))
	for _, m := range methods {
		allowed[m] = true
	}
	return telegram.MiddlewareFunc(func(next tg.Invoker) telegram.InvokeFunc {
		return func(ctx context.Context, in bin.Encoder, out bin.Decoder) error {
			n, ok := in.(interface{ TypeName() string })
			if !ok {
				return fmt.Errorf("%T: %w", in, ErrMethodNotAllowed)
			}
			if !allowed[n.TypeName()] || !harmless(in) {
				return fmt.Errorf("%s: %w", n.TypeName(), ErrMethodNotAllowed)
			}
			if err := mayJoin(ctx, in); err != nil {
				return err
			}
			return next.Invoke(ctx, in, out)
		}
	})
}

// harmless looks at the arguments that decide whether a method of the list does no more than read channels: users.getUsers looks at
// nobody but ourselves, histories and stories are those of channels, and a difference is never forced.
func harmless(in bin.Encoder) bool {
	switch q := in.(type) {
	case *tg.UsersGetUsersRequest:
		for _, u := range q.ID {
			if _, self := u.(*tg.InputUserSelf); !self {
				return false
			}
		}
	case *tg.UpdatesGetChannelDifferenceRequest:
		return !q.Force
	case interface{ GetPeer() tg.InputPeerClass }:
		_, channel := q.GetPeer().(*tg.InputPeerChannel)
		return channel
	}
	return true
}
