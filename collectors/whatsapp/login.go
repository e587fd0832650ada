package whatsapp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types/events"
)

// Pairing is how a person links our device to an account: by scanning a code with its phone, or by typing one there.
type Pairing struct {
	// QR is called with the text of each code, some 20 seconds apart; a later one replaces the earlier. It may be nil with Phone.
	QR func(text string)
	// Phone is the account's number, international. Where it is given a code to be typed on the phone is asked for, and Code called with it.
	Phone string
	Code  func(code string)
}

// ErrLogin is wrapped by every refusal of a login that a person can do something about.
var ErrLogin = errors.New("login refused")

// ErrLinked is returned where the device is linked to an account already.
var ErrLinked = fmt.Errorf("%w: this account is linked already; forget it first to link it anew", ErrLogin)

// pairingTime is a little more than the codes of one connection last.
const pairingTime = 3 * time.Minute

// props guards the library's global description of the device.
var props sync.Once

// Login links a device to an account and leaves its keys in o.Device. It returns when the device is linked and its first login has
// succeeded, so that the keys are known to work.
func Login(ctx context.Context, o Options, p Pairing) error {
	o.setDefaults()
	props.Do(func() {
		name := cmp.Or(o.Shown, "Muhafiz")
		store.DeviceProps.Os, store.DeviceProps.PlatformType = &name, waCompanionReg.DeviceProps_DESKTOP.Enum()
		store.DeviceProps.RequireFullSync = new(bool)
	})
	dev, err := o.Device.open(ctx, o.Log)
	if err != nil {
		return err
	}
	if dev.device.ID != nil {
		return errors.Join(ErrLinked, dev.close())
	}
	err = pair(ctx, &o, dev, p)
	return loginError(&o, errors.Join(err, dev.close()))
}

func pair(ctx context.Context, o *Options, dev *opened, p Pairing) error {
	ctx, cancel := context.WithTimeoutCause(ctx, pairingTime, errCodesOver)
	defer cancel()
	h := newHTTP(o)
	defer h.close() // before the context's end
	cli, _, err := o.client(dev.device, h, o.Version, nil)
	if err != nil {
		return err
	}
	cli.BackgroundEventCtx = ctx
	c := &ceremony{ctx: ctx, o: o, p: p, cli: cli, end: make(chan error, 1), codes: make(chan []string, 1)}
	cli.AddEventHandlerWithSuccessStatus(c.handle)
	if err := cli.ConnectContext(ctx); err != nil {
		return errors.Join(errUnreachable, err)
	}
	for {
		select {
		case codes := <-c.codes:
			go c.show(codes)
		case err := <-c.end:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ceremony is one try to pair.
type ceremony struct {
	ctx   context.Context
	o     *Options
	p     Pairing
	cli   *whatsmeow.Client
	end   chan error
	codes chan []string
}

func (c *ceremony) over(err error) {
	select {
	case c.end <- err:
	default:
	}
}

func (c *ceremony) handle(e any) bool {
	switch e := e.(type) {
	case *events.QR:
		select {
		case c.codes <- e.Codes:
		default:
		}
	case *events.PairError:
		c.over(fmt.Errorf("%w: the phone's confirmation could not be used; run the login again: %w", ErrLogin, e.Error))
	case *events.QRScannedWithoutMultidevice:
		c.over(fmt.Errorf("%w: the phone's WhatsApp is too old for linked devices; update it and run the login again", ErrLogin))
	case *events.Connected:
		c.over(nil)
	case *events.LoggedOut:
		c.over(loggedOut(c.o.Alias, e))
	case *events.TemporaryBan:
		c.over(lockedOut(c.o.Alias, e, c.o.Now(), c.o.LockedOut))
	case *events.ClientOutdated:
		c.over(outdated(c.o.Alias, versionName(c.o.Version)))
	case *events.ConnectFailure:
		c.over(fmt.Errorf("%w: WhatsApp answers %d %s", ErrLogin, int(e.Reason), valid(e.Message)))
	case *events.Disconnected:
		if c.cli.Store.GetJID().IsEmpty() {
			c.over(errCodesOver)
		} else {
			c.over(errUnreachable)
		}
	case *events.Message:
		return false // nothing of a channel is acknowledged before there is a source that keeps it
	}
	return true
}

var errCodesOver = fmt.Errorf("%w: nobody scanned or typed the code in time; run the login again", ErrLogin)

// codeTimes are how long the platform takes a code: the first for a minute, the others for 20 seconds.
const (
	firstCode = time.Minute
	laterCode = 20 * time.Second
)

func (c *ceremony) show(codes []string) {
	if c.p.Phone != "" {
		code, err := c.cli.PairPhone(c.ctx, c.p.Phone, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
		if err != nil {
			c.over(phoneError(err))
			return
		}
		if c.p.Code != nil {
			c.p.Code(code)
		}
	}
	if c.p.QR == nil {
		return
	}
	for i, code := range codes {
		c.p.QR(code)
		wait := laterCode
		if i == 0 {
			wait = firstCode
		}
		if sleep(c.ctx, wait) != nil {
			return
		}
	}
	c.over(errCodesOver)
}

func phoneError(err error) error {
	if errors.Is(err, whatsmeow.ErrPhoneNumberTooShort) || errors.Is(err, whatsmeow.ErrPhoneNumberIsNotInternational) {
		return fmt.Errorf("%w: give the number in international form, such as +12025550100", ErrLogin)
	}
	if limited(err) {
		return fmt.Errorf("%w: WhatsApp saw too many codes for this number; wait an hour, or scan a code", ErrLogin)
	}
	return fmt.Errorf("%w: WhatsApp gave no code to type; scan one instead: %w", ErrLogin, err)
}

// loginError says whose login it was.
func loginError(o *Options, err error) error {
	if err == nil || errors.Is(err, ErrLogin) {
		return err
	}
	if lost(err) != nil {
		return fmt.Errorf("%w: %w", ErrLogin, err)
	}
	return fmt.Errorf("link account %s to WhatsApp: %w", o.Alias, err)
}

// Linked tells the number that the device is linked to, without a connection; empty where there is none.
func Linked(ctx context.Context, o Options) (string, error) {
	o.setDefaults()
	dev, err := o.Device.open(ctx, o.Log)
	if err != nil {
		return "", err
	}
	jid := dev.device.GetJID()
	if err := dev.close(); err != nil {
		return "", err
	}
	return strings.TrimSpace(jid.User), nil
}

// Forget unlinks the device at the platform and removes its keys. The keys are removed even where the platform could not be told, which is
// the error then: the device must be removed on the phone.
func Forget(ctx context.Context, o Options) error {
	o.setDefaults()
	dev, err := o.Device.open(ctx, o.Log)
	if err != nil {
		return err
	}
	if dev.device.ID != nil {
		err = unlink(ctx, &o, dev)
	}
	err = errors.Join(err, dev.close(), o.Device.remove())
	if err != nil {
		return fmt.Errorf("the keys of account %s are gone from here, but WhatsApp may not know; on its phone, remove the device under linked devices: %w", o.Alias, err)
	}
	return nil
}

func unlink(ctx context.Context, o *Options, dev *opened) error {
	ctx, cancel := context.WithTimeout(ctx, o.ConnectTimeout)
	defer cancel()
	h := newHTTP(o)
	defer h.close()
	cli, _, err := o.client(dev.device, h, o.Version, nil)
	if err != nil {
		return err
	}
	cli.BackgroundEventCtx = ctx
	end := make(chan error, 1)
	cli.AddEventHandler(func(e any) {
		var err error
		switch e := e.(type) {
		case *events.Connected:
		case *events.LoggedOut:
			err = nil // it is unlinked already
		case *events.Disconnected, *events.TemporaryBan, *events.ClientOutdated, *events.ConnectFailure, *events.StreamReplaced:
			err = fmt.Errorf("the login failed (%T)", e)
		default:
			return
		}
		select {
		case end <- err:
		default:
		}
	})
	if err := cli.ConnectContext(ctx); err != nil {
		return err
	}
	select {
	case err = <-end:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err != nil || !cli.IsLoggedIn() {
		return err
	}
	return cli.Logout(ctx)
}
