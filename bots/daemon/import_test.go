package daemon

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/chatexport"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

const simulatedChannel = "Northhaven Front (simulated)"

// whatsappSite is a daemon with an approved WhatsApp channel that a source has not read yet.
func whatsappSite(t *testing.T) (*site, *Daemon, *Client) {
	t.Helper()
	s := newSite(t)
	s.write("list.yaml", "targets:\n"+target("one")+strings.Replace(target("wa"), "https://t.me/northhaven_wa", "https://whatsapp.com/channel/0029VaExample_-00000000", 1))
	d := s.start()
	c := s.client(nil)
	for _, id := range []string{"one", "wa"} {
		if err := s.approve(c, "bilal", id); err != nil {
			t.Fatal(err)
		}
	}
	return s, d, c
}

// known binds the channel, as the source that read it would.
func known(t *testing.T, d *Daemon) {
	t.Helper()
	account, source := evidence.Account("whatsapp", "channel", "120363000000000000@newsletter"), evidence.Source("whatsapp/main")
	acq := evidence.NewAcq(time.Now())
	batch := evidence.Batch{}
	for i, draft := range []evidence.Draft{
		{Subject: source, Body: &evidence.Collector{Key: "whatsapp/main", Platform: "whatsapp", State: "starting"}},
		{Subject: evidence.Target("wa"), Body: &evidence.TargetBound{Account: evidence.Ref{Name: account}, Address: "https://whatsapp.com/channel/0029VaExample_-00000000"}},
		{Subject: account, Body: &evidence.AccountSeen{Method: evidence.MethodWhatsApp, Title: simulatedChannel}},
	} {
		draft.ID, draft.Actor = evidence.ID{Acq: acq, N: uint32(i)}, source
		batch.Drafts = append(batch.Drafts, draft)
	}
	if _, err := d.rooms.Vault.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func TestAWhatsAppExportIsImportedForTheChannelThatIsKnown(t *testing.T) {
	s, d, c := whatsappSite(t)
	s.write("_chat.txt", "13/1/24, 10:00 - "+simulatedChannel+": This post is simulated.\n13/1/24, 10:01 - "+simulatedChannel+": IMG-20240113-WA0001.jpg (file attached)")
	s.write("group.txt", "13/1/24, 10:00 - "+simulatedChannel+": This post is simulated.\n13/1/24, 10:01 - Somebody: So is this.")
	s.write("when.txt", "1/2/24, 10:00 - "+simulatedChannel+": This post, too, is simulated.\n1/3/24, 10:00 - "+simulatedChannel+": Simulated.")
	send := func(target, file, order string) (rep chatexport.Report, err error) {
		err = c.Call(t.Context(), "POST", "/v1/imports", ImportRequest{Person: "amna", Target: target, Path: filepath.Join(s.dir, file), DateOrder: order}, &rep)
		return rep, err
	}
	refused := func(target, file, order, want string) {
		t.Helper()
		if _, err := send(target, file, order); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Somebody") {
			t.Errorf("%s for %s: got %v, want %q", file, target, err, want)
		}
	}
	refused("wa", "_chat.txt", "", "let a WhatsApp account read the channel first")
	known(t, d)
	first, err := send("wa", "_chat.txt", "")
	if err != nil {
		t.Fatal(err)
	}
	if first.Posts != 2 || first.Name != simulatedChannel || !first.TimesAreLocal || first.DateOrder != chatexport.DayFirst || first.MediaMissed["missing"] != 1 {
		t.Errorf("first: %+v", first)
	}
	if again, err := send("wa", "_chat.txt", ""); err != nil || again.Records != 0 || again.Unchanged != 2 {
		t.Errorf("again: %+v, %v", again, err)
	}
	refused("wa", "group.txt", "", "line 2 has a sender other than the channel")
	refused("wa", "when.txt", "", "--date-order dmy or mdy")
	if rep, err := send("wa", "when.txt", "mdy"); err != nil || rep.Posts != 2 {
		t.Errorf("told the order: %+v, %v", rep, err)
	}
	refused("one", "_chat.txt", "", "is a WhatsApp export and target one is on Telegram")
}
