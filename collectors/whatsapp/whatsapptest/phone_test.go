package whatsapptest_test

import (
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

func TestThePhoneOfAnotherProcess(t *testing.T) {
	s := serve(t, whatsapptest.NewWorld(at), whatsapptest.Options{PreKeys: 50, Phone: true})
	addr, a := s.Endpoint().Addr, whatsapptest.DefaultAccount()
	for _, byCode := range []bool{false, true} {
		d := client(t, s, whatsapptest.NewDevice(), nil)
		if err := d.Connect(); err != nil {
			t.Fatal(err)
		}
		scan, code := whatsapptest.ScanAt, wait[*events.QR](t, d).Codes[0]
		if byCode {
			var err error
			if code, err = d.PairPhone(d.ctx, a.Phone, false, whatsmeow.PairClientChrome, "Chrome (Linux)"); err != nil {
				t.Fatal(err)
			}
			scan = whatsapptest.EnterCodeAt
		}
		jid, err := scan(d.ctx, addr, code+"\n", a)
		if err != nil {
			t.Fatal(err)
		}
		wait[*events.Connected](t, d)
		if jid != d.Store.GetJID() {
			t.Errorf("got %v, want %v", jid, d.Store.GetJID())
		}
	}
	if _, err := whatsapptest.ScanAt(t.Context(), addr, "2@nothing", a); err == nil {
		t.Error("nonsense was scanned")
	}
	if _, err := whatsapptest.EnterCodeAt(t.Context(), addr, "ABCD-EFGH", whatsapptest.Account{Phone: "12025550177"}); err == nil {
		t.Error("a code for nobody was entered")
	}
}

func TestAWrongCodePairsNothing(t *testing.T) {
	w := whatsapptest.NewWorld(at)
	s := serve(t, w, whatsapptest.Options{})
	d := client(t, s, whatsapptest.NewDevice(), nil)
	if err := d.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.QR](t, d)
	a := whatsapptest.DefaultAccount()
	if _, err := d.PairPhone(d.ctx, a.Phone, false, whatsmeow.PairClientChrome, "Chrome (Linux)"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EnterCode(d.ctx, "1111-1111", a); err == nil {
		t.Error("a wrong code was accepted")
	}
	if n := len(w.Devices()); n != 0 {
		t.Errorf("got %d devices", n)
	}
}

func TestADeviceThatRefusesThePairing(t *testing.T) {
	w := whatsapptest.NewWorld(at)
	s := serve(t, w, whatsapptest.Options{})
	d := client(t, s, whatsapptest.NewDevice(), func(c *whatsmeow.Client) {
		c.PrePairCallback = func(types.JID, string, string) bool { return false }
	})
	if err := d.Connect(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Scan(d.ctx, wait[*events.QR](t, d).Codes[0], whatsapptest.DefaultAccount()); err == nil {
		t.Error("a refused pairing succeeded")
	}
	wait[*events.PairError](t, d)
	if n := len(w.Devices()); n != 0 {
		t.Errorf("got %d devices", n)
	}
}
