package whatsapptest

import (
	"fmt"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// greet answers the handshake: with a login, a refusal, or references to be shown as QR codes.
func (c *conn) greet() {
	p := c.hello.payload
	v := p.GetUserAgent().GetAppVersion()
	call := Call{Kind: "login", Version: fmt.Sprintf("%d.%d.%d", v.GetPrimary(), v.GetSecondary(), v.GetTertiary())}
	if p.GetDevicePairingData() != nil {
		call.Kind = "register"
		c.s.note(call)
		if f := c.s.refusal(); f != nil {
			c.refuse(f)
			return
		}
		c.offerPairing()
		return
	}
	jid, lid, err := c.s.world.login(c.hello)
	call.From = jid
	c.s.note(call)
	if f := c.s.refusal(); f != nil {
		if f.unlinks() {
			c.s.world.Unlink(jid)
		}
		c.refuse(f)
		return
	}
	if err != nil {
		c.refuse(&Refusal{Reason: 401})
		return
	}
	c.jid = jid
	c.s.replace(c)
	c.sendNode(waBinary.Node{Tag: "success", Attrs: waBinary.Attrs{
		"lid": lid, "t": c.s.world.now().Unix(), "props": "27", "location": "lo",
	}})
}

// replace ends an older connection of the same device, as the platform does.
func (s *Server) replace(c *conn) {
	s.mu.Lock()
	var old []*conn
	for other := range s.conns {
		if other != c && other.device() == c.jid {
			old = append(old, other)
		}
	}
	c.mu.Lock()
	c.known = true
	c.mu.Unlock()
	s.mu.Unlock()
	for _, o := range old {
		o.dismiss(Replaced.node())
	}
}

// device is the JID of a device that is logged in, for other goroutines than the connection's own.
func (c *conn) device() types.JID {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known {
		return types.EmptyJID
	}
	return c.jid
}

func (c *conn) refuse(r *Refusal) {
	if r.Reason >= 500 {
		c.end(r.node())
		return
	}
	c.dismiss(r.node())
}
