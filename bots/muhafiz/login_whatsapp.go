package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/config"
)

// configuredPhone is the value of --code that stands for the number in the configuration.
const configuredPhone = "configured"

// whatsApp links our device to a WhatsApp account.
func (c loginCmd) whatsApp(s *session, cfg *config.Config) error {
	o := daemon.Options{Config: cfg, Build: build(), Log: s.log}
	if c.LatestVersion {
		return c.latestVersion(s, o)
	}
	ask, err := c.pairing(s)
	if err != nil {
		return err
	}
	if c.Anew {
		if err := daemon.ForgetWhatsApp(s, o, c.Name); err != nil {
			fmt.Fprintln(s.err, "muhafiz:", safe(err.Error()))
		}
	}
	if strings.HasSuffix(c.QR, ".png") {
		defer os.Remove(c.QR) // whoever scans an unused code gives us an account that is not ours
	}
	linked, err := daemon.LoginWhatsApp(s, o, c.Name, ask)
	if err != nil {
		return err
	}
	if linked {
		return c.resume(s, cfg, "account "+c.Name+" is linked already (--anew links it anew)")
	}
	return c.resume(s, cfg, "linked as "+c.Name)
}

// pairing is how the flags say that the device is linked.
func (c loginCmd) pairing(s *session) (ask daemon.WhatsAppPrompts, err error) {
	switch {
	case c.CodeFrom != "" || c.PasswordFile != "":
		return ask, exit(exitUsage, errors.New("--code-from and --password-file are for Telegram; a WhatsApp account is linked with --qr or --code"))
	case c.QR != "" && c.Code != "":
		return ask, exit(exitUsage, errors.New("give one of --qr and --code"))
	case c.Code != "":
		if c.Code != configuredPhone {
			ask.Phone = c.Code
		}
		ask.ShowCode = func(code string) {
			fmt.Fprintln(s.err, "On the account's phone, in WhatsApp: Settings, Linked devices, Link a device, Link with phone number instead. Type this code:")
			fmt.Fprintln(s.out, code)
		}
		return ask, nil
	case c.QR == "" && !isTerminal(s.err):
		return ask, exit(exitUsage, errors.New("there is no terminal to draw the code on: give --qr text, --qr FILE.png or --code NUMBER"))
	case c.QR == "":
		c.QR = "terminal"
	}
	show, err := s.showQR(c.QR, "On the account's phone, in WhatsApp: Settings, Linked devices, Link a device. Scan this:")
	if err != nil {
		return ask, err
	}
	ask.ShowQR = func(text string) error { return show(text, time.Time{}) }
	return ask, nil
}

// latestVersion asks for the web client's version, and says what to do with it.
func (c loginCmd) latestVersion(s *session, o daemon.Options) error {
	latest, used, err := daemon.LatestWhatsApp(s, o, c.Name)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]string{"latest": latest, "used": used})
	}
	if latest == used {
		fmt.Fprintf(s.out, "WhatsApp serves version %s of its web client, and that is what our accounts say they are\n", latest)
		return nil
	}
	fmt.Fprintf(s.out, "WhatsApp serves version %s of its web client; our accounts say they are %s\nset it in the configuration, and restart the daemon:\n  whatsapp:\n    version: %s\n", latest, used, latest)
	return nil
}
