package telegramtest

import (
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// ownUser gives an account that may log in its user.
func (w *World) ownUser(u User) User {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u.ID == 0 {
		u.ID = ownUserID
	}
	if u.AccessHash == 0 {
		u.AccessHash = hashOf("user", u.ID)
	}
	return u
}

const ownUserID = 600_000_001

// serveFrom says which data centre holds the files.
func (w *World) serveFrom(dc int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dc = dc
	w.refs++ // what was encoded names the old one
}

func (s *Server) getConfig(by caller, _ *tg.HelpGetConfigRequest) (bin.Encoder, error) {
	now := s.clock()
	return &tg.Config{
		Date: int(now.Unix()), Expires: int(now.Add(time.Hour).Unix()), TestMode: true, ThisDC: by.dc,
		DCOptions:   s.dcOptions(),
		ChatSizeMax: 200, MegagroupSizeMax: 200000, ForwardedCountMax: 100, OnlineUpdatePeriodMs: 210000,
		OfflineBlurTimeoutMs: 5000, OfflineIdleTimeoutMs: 30000, OnlineCloudTimeoutMs: 300000, NotifyCloudDelayMs: 30000,
		NotifyDefaultDelayMs: 1500, PushChatPeriodMs: 60000, PushChatLimit: 2, EditTimeLimit: 172800, RevokeTimeLimit: 172800,
		RevokePmTimeLimit: 172800, RatingEDecay: 2419200, StickersRecentLimit: 200, ChannelsReadMediaPeriod: 604800,
		CallReceiveTimeoutMs: 20000, CallRingTimeoutMs: 90000, CallConnectTimeoutMs: 30000, CallPacketTimeoutMs: 10000,
		MeURLPrefix: "https://t.me/", CaptionLengthMax: 1024, MessageLengthMax: 4096, WebfileDCID: s.opts.FileDC,
	}, nil
}

func (s *Server) getNearestDC(by caller, _ *tg.HelpGetNearestDCRequest) (bin.Encoder, error) {
	return &tg.NearestDC{Country: "XX", ThisDC: by.dc, NearestDC: s.opts.DC}, nil
}

func (s *Server) getUsers(by caller, q *tg.UsersGetUsersRequest) (bin.Encoder, error) {
	acc := s.account(by.key)
	out := &tg.UserClassVector{}
	for _, in := range q.ID {
		switch in := in.(type) {
		case *tg.InputUserSelf:
			out.Elems = append(out.Elems, acc.self())
		case *tg.InputUser:
			if u := s.world.user(in.UserID, in.AccessHash); u != nil {
				out.Elems = append(out.Elems, u)
			}
		}
	}
	return out, nil
}

func (s *Server) getFullUser(by caller, q *tg.UsersGetFullUserRequest) (bin.Encoder, error) {
	var u *tg.User
	switch in := q.ID.(type) {
	case *tg.InputUserSelf:
		u = s.account(by.key).self()
	case *tg.InputUser:
		u = s.world.user(in.UserID, in.AccessHash)
	}
	if u == nil {
		return nil, tgerr.New(400, "USER_ID_INVALID")
	}
	return &tg.UsersUserFull{FullUser: tg.UserFull{ID: u.ID}, Users: []tg.UserClass{u}}, nil
}

func (w *World) user(id, hash int64) *tg.User {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u := w.users[id]; u != nil && u.AccessHash == hash {
		return u.user()
	}
	return nil
}

// getState and getDifference speak of the account's own chats, of which there are none: channels have event logs of their own.
func (s *Server) getState(_ caller, _ *tg.UpdatesGetStateRequest) (bin.Encoder, error) {
	return &tg.UpdatesState{Pts: 1, Qts: 0, Date: int(s.clock().Unix()), Seq: 1}, nil
}

func (s *Server) getDifference(_ caller, _ *tg.UpdatesGetDifferenceRequest) (bin.Encoder, error) {
	return &tg.UpdatesDifferenceEmpty{Date: int(s.clock().Unix()), Seq: 1}, nil
}
