package whatsapptest

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// pairing is the state of a connection whose device is not linked yet.
type pairing struct {
	code *codePairing // when it asked for one; guarded by the server's mutex

	// Guarded by the server's mutex.
	id      string // of the pair-success that the device has yet to sign
	account Account
	details []byte
	result  chan error
}

// refsOffered is how many QR codes a device can show one after another.
const refsOffered = 6

func (c *conn) offerPairing() {
	c.pair = &pairing{}
	var refs []waBinary.Node
	c.s.mu.Lock()
	for range refsOffered {
		ref := "2@" + base64.StdEncoding.EncodeToString(randomBytes(48))
		c.s.refs[ref] = c
		refs = append(refs, waBinary.Node{Tag: "ref", Content: []byte(ref)})
	}
	c.s.mu.Unlock()
	c.sendNode(waBinary.Node{
		Tag:     "iq",
		Attrs:   waBinary.Attrs{"from": types.ServerJID, "type": "set", "id": "pair-device", "xmlns": "md"},
		Content: []waBinary.Node{{Tag: "pair-device", Content: refs}},
	})
}

// Scan does what a phone does when it scans a QR code with this text: it links the device to the account. It returns when the device
// has signed, after which the device logs in by itself.
func (s *Server) Scan(ctx context.Context, qr string, a Account) (types.JID, error) {
	part := strings.Split(qr, ",")
	if len(part) != 4 {
		return types.EmptyJID, errors.New("scan a QR code: it has not the four parts of a WhatsApp code")
	}
	var key [3][]byte
	for i, p := range part[1:] {
		k, err := base64.StdEncoding.DecodeString(p)
		if err != nil || len(k) != 32 {
			return types.EmptyJID, errors.New("scan a QR code: its keys cannot be read")
		}
		key[i] = k
	}
	s.mu.Lock()
	c := s.refs[part[0]]
	s.mu.Unlock()
	if c == nil {
		return types.EmptyJID, errors.New("scan a QR code: no device waits with it; it may have expired")
	}
	if !hmac.Equal(key[0], c.hello.static[:]) || !hmac.Equal(key[1], c.identity()) {
		return types.EmptyJID, errors.New("scan a QR code: its keys are not the waiting device's")
	}
	return c.link(ctx, a, key[2])
}

func (c *conn) identity() []byte { return c.hello.payload.GetDevicePairingData().GetEIdent() }

// link sends pair-success and waits for the signature.
func (c *conn) link(ctx context.Context, a Account, adv []byte) (types.JID, error) {
	if len(c.identity()) != 32 {
		return types.EmptyJID, errors.New("link a device: it registered without an identity key")
	}
	w := c.s.world
	w.mu.Lock()
	d := w.link(a, c.hello.static, [32]byte(c.identity()))
	d.PreKeys = c.s.opts.PreKeys
	jid, lid := d.JID, d.LID
	w.mu.Unlock()
	details, sealed, err := deviceIdentity(a, c.identity(), adv, uint32(jid.Device))
	if err != nil {
		return types.EmptyJID, fmt.Errorf("link a device: %w", err)
	}
	result := make(chan error, 1)
	id := "pair-success-" + jid.String()
	c.s.mu.Lock()
	c.pair.id, c.pair.account, c.pair.details, c.pair.result = id, a, details, result
	c.s.mu.Unlock()
	c.sendNode(waBinary.Node{
		Tag: "iq", Attrs: waBinary.Attrs{"from": types.ServerJID, "type": "set", "id": id, "xmlns": "md"},
		Content: []waBinary.Node{{Tag: "pair-success", Content: []waBinary.Node{
			{Tag: "device-identity", Content: sealed},
			{Tag: "device", Attrs: waBinary.Attrs{"jid": jid, "lid": lid}},
			{Tag: "platform", Attrs: waBinary.Attrs{"name": "android"}},
		}}},
	})
	select {
	case err = <-result:
	case <-c.w.ctx.Done():
		err = errors.New("the device went away")
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		w.Unlink(jid)
		return types.EmptyJID, fmt.Errorf("link a device: %w", err)
	}
	w.mu.Lock()
	w.save()
	w.mu.Unlock()
	c.sendNode(Reconnect.node())
	return jid, nil
}

// deviceIdentity is what the phone vouches for: the details it signs, and the container that the ADV secret authenticates.
func deviceIdentity(a Account, identity, adv []byte, index uint32) (details, sealed []byte, err error) {
	phone := derived("account " + a.Phone)
	if details, err = proto.Marshal(&waAdv.ADVDeviceIdentity{
		RawID: proto.Uint32(1), Timestamp: proto.Uint64(1), KeyIndex: &index,
	}); err != nil {
		return nil, nil, err
	}
	message := slices.Concat(whatsmeow.AdvAccountSignaturePrefix, details, identity)
	sig := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*phone.Priv), message)
	inner, err := proto.Marshal(&waAdv.ADVSignedDeviceIdentity{
		Details: details, AccountSignature: sig[:], AccountSignatureKey: phone.Pub[:],
	})
	if err != nil {
		return nil, nil, err
	}
	mac := hmac.New(sha256.New, adv)
	mac.Write(inner)
	sealed, err = proto.Marshal(&waAdv.ADVSignedDeviceIdentityHMAC{Details: inner, HMAC: mac.Sum(nil)})
	return details, sealed, err
}

// signed takes the device's answer to pair-success, and checks its signature as a phone would.
func (p *pairing) signed(c *conn, n *waBinary.Node) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if p.result == nil || text(n, "id") != p.id {
		return
	}
	p.result <- p.verify(c, n)
	p.result = nil
}

func (p *pairing) verify(c *conn, n *waBinary.Node) error {
	if text(n, "type") == "error" {
		e := n.GetChildByTag("error")
		return fmt.Errorf("the device refused: %v %v", e.Attrs["code"], e.Attrs["text"])
	}
	sign, _ := n.GetOptionalChildByTag("pair-device-sign", "device-identity")
	b, _ := sign.Content.([]byte)
	var id waAdv.ADVSignedDeviceIdentity
	if err := proto.Unmarshal(b, &id); err != nil {
		return fmt.Errorf("the device's identity: %w", err)
	}
	phone := derived("account " + p.account.Phone)
	message := slices.Concat(whatsmeow.AdvDeviceSignaturePrefix, p.details, c.identity(), phone.Pub[:])
	if len(id.GetDeviceSignature()) != 64 ||
		!ecc.VerifySignature(ecc.NewDjbECPublicKey([32]byte(c.identity())), message, [64]byte(id.GetDeviceSignature())) {
		return errors.New("the device's signature is wrong")
	}
	return nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
