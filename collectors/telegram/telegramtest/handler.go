package telegramtest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"github.com/gotd/td/tgtest"
)

// route is how one method is answered.
type route struct {
	open   bool // may be called without being logged in
	decode func(*bin.Buffer) (any, error)
	answer func(by caller, q any) (bin.Encoder, error)
}

// caller is who called, and which data centre.
type caller struct {
	key [8]byte
	dc  int
}

// method makes a route of a typed handler.
func method[Q any, P interface {
	*Q
	bin.Decoder
}](answer func(by caller, q P) (bin.Encoder, error),
) route {
	return route{
		decode: func(b *bin.Buffer) (any, error) {
			q := P(new(Q))
			return q, q.Decode(b)
		},
		answer: func(by caller, q any) (bin.Encoder, error) { return answer(by, q.(P)) },
	}
}

func open(r route) route {
	r.open = true
	return r
}

func (s *Server) routeTable() map[uint32]route {
	return map[uint32]route{
		tg.HelpGetConfigRequestTypeID:           open(method(s.getConfig)),
		tg.HelpGetNearestDCRequestTypeID:        open(method(s.getNearestDC)),
		tg.AuthSendCodeRequestTypeID:            open(method(s.sendCode)),
		tg.AuthSignInRequestTypeID:              open(method(s.signIn)),
		tg.AuthCheckPasswordRequestTypeID:       open(method(s.checkPassword)),
		tg.AuthImportAuthorizationRequestTypeID: open(method(s.importAuthorization)),
		tg.AccountGetPasswordRequestTypeID:      open(method(s.getPassword)),
		tg.AuthExportLoginTokenRequestTypeID:    open(method(s.exportLoginToken)),
		tg.AuthImportLoginTokenRequestTypeID:    open(method(s.importLoginToken)),
		tg.HelpGetAppConfigRequestTypeID:        open(method(s.getAppConfig)),
		tg.AuthExportAuthorizationRequestTypeID: method(s.exportAuthorization),
		tg.AuthLogOutRequestTypeID:              method(s.logOut),

		tg.UsersGetUsersRequestTypeID:    method(s.getUsers),
		tg.UsersGetFullUserRequestTypeID: method(s.getFullUser),

		tg.UpdatesGetStateRequestTypeID:             method(s.getState),
		tg.UpdatesGetDifferenceRequestTypeID:        method(s.getDifference),
		tg.UpdatesGetChannelDifferenceRequestTypeID: method(s.getChannelDifference),

		tg.ContactsResolveUsernameRequestTypeID: method(s.resolveUsername),
		tg.ChannelsGetChannelsRequestTypeID:     method(s.getChannels),
		tg.ChannelsGetFullChannelRequestTypeID:  method(s.getFullChannel),
		tg.ChannelsGetMessagesRequestTypeID:     method(s.getMessages),
		tg.ChannelsJoinChannelRequestTypeID:     method(s.joinChannel),
		tg.ChannelsLeaveChannelRequestTypeID:    method(s.leaveChannel),
		tg.MessagesGetHistoryRequestTypeID:      method(s.getHistory),
		tg.StoriesGetPeerStoriesRequestTypeID:   method(s.getPeerStories),
		tg.StoriesGetStoriesByIDRequestTypeID:   method(s.getStoriesByID),
		tg.UploadGetFileRequestTypeID:           method(s.getFile),
		tg.HelpGetCDNConfigRequestTypeID:        open(method(s.getCDNConfig)),
		tg.UploadGetCDNFileRequestTypeID:        open(method(s.getCDNFile)),
		tg.UploadGetCDNFileHashesRequestTypeID:  method(s.getCDNFileHashes),
		tg.UploadReuploadCDNFileRequestTypeID:   method(s.reuploadCDNFile),
	}
}

// onMessage takes every message that tgtest does not answer itself. An error that is not a tgerr.Error would end the connection.
func (s *Server) onMessage(srv *tgtest.Server, req *tgtest.Request) error {
	updates, device, err := unwrap(req.Buf)
	if err != nil {
		return badRequest(err)
	}
	id, err := req.Buf.PeekID()
	if err != nil {
		return badRequest(err)
	}
	name, rpc := s.methodName(id)
	if !rpc {
		return nil // an acknowledgement or another message of the protocol, to which there is no answer
	}
	s.note(name)
	s.noteDevice(device)
	s.remember(srv, req.Session, updates)
	r, known := s.routes[id]
	if !known {
		return tgerr.New(400, "METHOD_INVALID")
	}
	q, err := r.decode(req.Buf)
	if err != nil {
		return badRequest(err)
	}
	if harm := s.harm(q); harm != "" {
		s.opts.Ledger.Add(name + " " + harm)
		tell(name + " " + harm)
	}
	return s.respond(srv, req, name, r, q)
}

// respond answers, unless the script says otherwise.
func (s *Server) respond(srv *tgtest.Server, req *tgtest.Request, name string, r route, q any) error {
	by := caller{key: req.Session.AuthKey.ID, dc: req.DC}
	t := s.trouble(name, s.channelID(q))
	if t != nil && t.silent {
		err := srv.SendAck(req.RequestCtx, req.Session, req.MsgID)
		if t.cut {
			srv.ForceDisconnect(req.Session)
		}
		return err
	}
	var out bin.Encoder
	var err error
	switch {
	case !r.open && !s.loggedIn(by.key):
		err = tgerr.New(401, "AUTH_KEY_UNREGISTERED")
	case t != nil && t.mangle != nil:
		if out, err = r.answer(by, q); err == nil {
			out, err = mangled(out, t.mangle)
		}
	case t != nil:
		err = t.err
	default:
		if out, err = r.answer(by, q); err == nil && s.opts.Answered != nil {
			s.opts.Answered(q, out)
		}
	}
	return s.send(srv, req, out, err)
}

// mangled encodes an answer and changes its bytes.
func mangled(out bin.Encoder, f func([]byte) []byte) (bin.Encoder, error) {
	var b bin.Buffer
	if err := out.Encode(&b); err != nil {
		return nil, err
	}
	return exactly(f(b.Buf)), nil
}

// exactly is an answer's bytes.
type exactly []byte

// Encode implements bin.Encoder.
func (e exactly) Encode(b *bin.Buffer) error {
	b.Put(e)
	return nil
}

// send gives the answer at once, or after the latency that is played.
func (s *Server) send(srv *tgtest.Server, req *tgtest.Request, out bin.Encoder, err error) error {
	// The request's buffer belongs to the connection's next message.
	answer := &tgtest.Request{DC: req.DC, Session: req.Session, MsgID: req.MsgID, RequestCtx: context.WithoutCancel(req.RequestCtx)}
	d, gzip := s.delivery()
	if d == 0 {
		return reply(srv, answer, out, err, gzip)
	}
	if d >= ackAfter {
		if err := srv.SendAck(req.RequestCtx, req.Session, req.MsgID); err != nil {
			return err
		}
	}
	s.wait.Go(func() {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			_ = reply(srv, answer, out, err, gzip) // the connection may be gone by now
		case <-s.ctx.Done():
		}
	})
	return nil
}

// ackAfter is the latency from which a request is acknowledged first; the client would send it again otherwise.
const ackAfter = time.Second

func reply(srv *tgtest.Server, req *tgtest.Request, out bin.Encoder, err error, gzip bool) error {
	var rpc *tgerr.Error
	switch {
	case err == nil && gzip:
		return srv.SendGZIP(req, out)
	case err == nil:
		return srv.SendResult(req, out)
	case errors.As(err, &rpc):
		return srv.SendErr(req, rpc)
	default:
		return srv.SendErr(req, tgerr.New(500, "INTERNAL"))
	}
}

func badRequest(err error) error {
	return tgerr.New(400, "INPUT_REQUEST_INVALID: "+err.Error())
}

// unwrap takes the invokeWithLayer, initConnection and invokeWithoutUpdates off a request, and reports whether the client wants
// updates, and what it says of itself, if it does.
func unwrap(b *bin.Buffer) (updates bool, device *tg.InitConnectionRequest, err error) {
	updates = true
	for {
		id, err := b.PeekID()
		if err != nil {
			return false, nil, err
		}
		var r bin.Decoder
		switch id {
		case tg.InvokeWithLayerRequestTypeID:
			r = &tg.InvokeWithLayerRequest{Query: inner{}}
		case tg.InitConnectionRequestTypeID:
			device = &tg.InitConnectionRequest{Query: inner{}}
			r = device
		case tg.InvokeWithoutUpdatesRequestTypeID:
			r, updates = &tg.InvokeWithoutUpdatesRequest{Query: inner{}}, false
		default:
			return updates, device, nil
		}
		if err := r.Decode(b); err != nil {
			return false, nil, err
		}
	}
}

// inner leaves the wrapped request in the buffer.
type inner struct{}

// Decode implements bin.Decoder.
func (inner) Decode(*bin.Buffer) error { return nil }

// Encode implements bin.Encoder.
func (inner) Encode(*bin.Buffer) error { return errors.New("a wrapped request is only read") }

// methodName returns a method's TL name without its number. Messages of the protocol itself are no RPC.
func (s *Server) methodName(id uint32) (name string, rpc bool) {
	if s.service.Get(id) != "" {
		return "", false
	}
	name, _, _ = strings.Cut(s.types.Get(id), "#")
	if name == "" {
		name = "unknown"
	}
	return name, true
}
