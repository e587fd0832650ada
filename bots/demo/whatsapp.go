package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// waAccounts are our numbers on the loopback WhatsApp: two, as is recommended.
var waAccounts = []whatsapptest.Account{{Phone: "10005550101", Name: "demo-one"}, {Phone: "10005550102", Name: "demo-two"}}

// loopbackWhatsApp is the demo's WhatsApp.
type loopbackWhatsApp struct {
	world  *whatsapptest.World
	server *whatsapptest.Server
}

// openWhatsApp starts the loopback WhatsApp on the world that an earlier run left.
func (s *stage) openWhatsApp(ctx context.Context) (whatsapptest.Endpoint, error) {
	var none whatsapptest.Endpoint
	path := s.path("loopback", "whatsapp.json")
	var err error
	if s.wa.world, err = whatsapptest.Load(path, time.Now); errors.Is(err, fs.ErrNotExist) {
		s.wa.world, err = whatsapptest.NewWorld(time.Now), nil
	}
	if err != nil {
		return none, fmt.Errorf("load the loopback WhatsApp: %w", err)
	}
	if err := s.wa.world.Autosave(path); err != nil {
		return none, err
	}
	root, err := whatsapptest.LoadRoot(s.path("loopback", "whatsapp.key"))
	if err != nil {
		return none, err
	}
	if err := os.WriteFile(s.path("loopback", "whatsapp.root"), root.PublicHex(), 0o644); err != nil {
		return none, err
	}
	addr, err := s.address("whatsapp")
	if err != nil {
		return none, err
	}
	media, err := s.address("whatsapp-media")
	if err != nil {
		return none, err
	}
	s.wa.server, err = whatsapptest.Serve(ctx, s.wa.world, whatsapptest.Options{Addr: addr, MediaAddr: media, Root: root, PreKeys: 50})
	if err != nil {
		return none, err
	}
	return s.wa.server.Endpoint(), nil
}

// castWhatsApp adds the story's channels to a world that does not have them yet.
func (s *stage) castWhatsApp() {
	for _, p := range []whatsapptest.Profile{
		{Invite: waNews, Name: "Northhaven Front (simulated)", Description: "Simulated channel of a fictional organisation, for testing software.", Followers: 800, Picture: &whatsapptest.Media{Kind: "image", MIME: "image/png", Bytes: picture(2)}},
		{Invite: waUrdu, Name: "شمالی پناہ محاذ (فرضی)", Description: "آزمائش کے لیے فرضی چینل", Followers: 150},
	} {
		if s.wa.world.Channel(p.Invite) == nil {
			s.wa.world.AddChannel(p)
		}
	}
}

// linkWhatsApp scans the codes that the program shows with the loopback phones. A device that an earlier run linked is linked still.
func (s *stage) linkWhatsApp(ctx context.Context) error {
	for _, a := range waAccounts {
		linked, err := daemon.LoginWhatsApp(ctx, daemon.Options{Config: s.cfg, Build: s.o.Build, Log: s.o.Log}, a.Name, daemon.WhatsAppPrompts{
			ShowQR: func(text string) error {
				go func() { _, _ = s.wa.server.Scan(ctx, text, a) }() // what fails here shows as a code that nobody scanned
				return nil
			},
		})
		if err != nil {
			return fmt.Errorf("link %s: %w", a.Name, err)
		}
		if !linked {
			s.o.Say("the phone of %s scanned the code of the loopback WhatsApp at %s", a.Name, s.wa.server.Endpoint().Addr)
		}
	}
	return nil
}

// againOnWhatsApp is again for a WhatsApp channel; it returns how many such posts there are.
func (s *stage) againOnWhatsApp(ch *whatsapptest.Channel) int {
	n := 0
	for _, p := range ch.Posts() {
		if strings.HasPrefix(p.Text, textAgain) {
			n++
		}
	}
	if !s.fresh {
		n++
		ch.Post(whatsapptest.Post{Text: fmt.Sprintf("%s %d", textAgain, n)})
	}
	return n
}

// observesOnly says whether the loopback WhatsApp saw nothing but what an observer asks: nothing marked as viewed, no reaction, no message.
func (s *stage) observesOnly() (bool, string) {
	asks, beside := 0, ""
	for kind, n := range s.wa.server.Kinds() {
		switch kind {
		case "mex.info", "mex.follow", "mex.unfollow", "newsletter.messages", "newsletter.live_updates", "media", "media_conn":
			asks += n
		case "login", "register", "ping", "ack.message", "ack.notification", "ack.receipt", "iq.result", "iq.error", "encrypt.count", "encrypt.set",
			"encrypt.digest", "passive.active", "md.pair-device-sign":
		default:
			beside += fmt.Sprintf(" %s (%d)", kind, n)
		}
	}
	return beside == "", fmt.Sprintf("%d requests%s", asks, beside)
}
