package telegramtest

import (
	"context"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/tg"
)

// AppID and AppHash stand for an application that the platform registered; the loopback does not look at them.
const (
	AppID   = 1
	AppHash = "loopback"
)

// ClientOptions returns what a gotd client needs to find this server and no other. Session storage and update handler are the
// caller's.
func (s *Server) ClientOptions() telegram.Options {
	var plain dcs.PlainOptions
	if s.opts.Memory {
		plain.Dial = s.Dial
	}
	return telegram.Options{
		PublicKeys: []telegram.PublicKey{{RSA: &s.opts.Key.PublicKey}},
		DC:         s.opts.DC,
		DCList:     dcs.List{Options: s.dcOptions()},
		Resolver:   dcs.Plain(plain),
	}
}

// LogIn logs a client in with an account through the real flow, unless it is logged in.
func LogIn(ctx context.Context, c *telegram.Client, a Account) error {
	code := auth.CodeAuthenticatorFunc(func(context.Context, *tg.AuthSentCode) (string, error) { return a.Code, nil })
	return c.Auth().IfNecessary(ctx, auth.NewFlow(auth.Constant(a.Phone, a.Password, code), auth.SendCodeOptions{}))
}
