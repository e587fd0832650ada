package whatsapptest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"go.mau.fi/whatsmeow/types"
)

// Account is a WhatsApp account, on whose phone codes are scanned. Any number that Options lists or a caller makes up is an account.
type Account struct {
	Phone string // international, digits only
	Name  string
}

// DefaultAccount is an account with a number that is reserved for fiction.
func DefaultAccount() Account { return Account{Phone: "12025550100", Name: "Records desk"} }

// lid is the account's other, number-free id.
func (a Account) lid() string {
	k := derived("lid " + a.Phone)
	n := uint64(0)
	for _, b := range k.Pub[:6] {
		n = n<<8 | uint64(b)
	}
	return fmt.Sprintf("1%014d", n%1e14)
}

// device is a linked device. The world's mutex guards it.
type device struct {
	JID      types.JID
	LID      types.JID
	Noise    [32]byte // public key that the device logs in with
	Identity [32]byte
	PreKeys  int // uploaded and unused
	Queue    []*envelope

	open map[string][]*envelope // of the queue, by id
	conn *conn                  // that pushes go to; nil while it is away
	subs map[string]int64       // channel to Unix seconds until which counts are pushed
}

// Device is what the world tells of a linked device.
type Device struct {
	JID     types.JID
	PreKeys int
	Pending int // pushes that it did not acknowledge
	Online  bool
}

// Devices returns the linked devices by JID.
func (w *World) Devices() []Device {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Device
	for _, d := range w.devices {
		all = append(all, Device{JID: d.JID, PreKeys: d.PreKeys, Pending: len(d.pending()), Online: d.conn != nil})
	}
	slices.SortFunc(all, func(a, b Device) int { return cmp.Compare(a.JID.String(), b.JID.String()) })
	return all
}

// Unlink removes a device as its phone does; it is told so at the next login, or by End(DeviceRemoved).
func (w *World) Unlink(jid types.JID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.devices, jid)
	w.save()
}

// link adds a device to an account and gives it the next free number.
func (w *World) link(a Account, noise, identity [32]byte) *device {
	n := uint16(1)
	for w.devices[types.JID{User: a.Phone, Server: types.DefaultUserServer, Device: n}] != nil {
		n++
	}
	d := &device{
		JID:   types.JID{User: a.Phone, Server: types.DefaultUserServer, Device: n},
		LID:   types.JID{User: a.lid(), Server: types.HiddenUserServer, Device: n},
		Noise: noise, Identity: identity,
	}
	w.devices[d.JID] = d
	return d
}

var errUnknownDevice = errors.New("no such device, or another key")

// login finds the device of a handshake.
func (w *World) login(h *hello) (types.JID, types.JID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	jid := types.JID{
		User: fmt.Sprint(h.payload.GetUsername()), Server: types.DefaultUserServer, Device: uint16(h.payload.GetDevice()),
	}
	d := w.devices[jid]
	if d == nil || d.Noise != h.static {
		return jid, types.EmptyJID, errUnknownDevice
	}
	return d.JID, d.LID, nil
}

// withDevice runs f on a device, if it is still linked.
func (w *World) withDevice(jid types.JID, f func(d *device)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d := w.devices[jid]; d != nil {
		f(d)
	}
}
