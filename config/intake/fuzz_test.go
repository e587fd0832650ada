package intake

import (
	"testing"

	"github.com/muhafiz/muhafiz/config"
)

// FuzzIntake reads any bytes as a list: it never panics, accounts for every row, and what it writes loads.
func FuzzIntake(f *testing.F) {
	for _, s := range []string{
		"link\nhttps://t.me/sim_one\n", "a;b\n\"x\"\"\ny\";t.me/sim_one", "\xff\xfet\x00.\x00m\x00e\x00", "<ul><li><a href=https://x.com/sim>x</a>", "Platform,Handle\nX,@sim\u202e\n",
		"\"open,t.me/sim_one\nt.me/sim_two\n", "=1+1\n@sim_one\n", "Telegram,تاریخ\n@sim,۱۲ فروری ۲۰۲۶\n", "t.me/s\x00im", "#: {}&*!|>'\"%@`,t.me/sim_a\n",
	} {
		f.Add([]byte(s))
	}
	f.Add(workbook(f, map[string]any{"A1": "Link", "A2": "https://t.me/sim_one", "B2": "=1+1"}, "A2:A5"))
	dir, load := world(f)
	cfg := load()
	f.Fuzz(func(t *testing.T, b []byte) {
		a := add(dir, cfg, string(b))
		p, err := a.Plan()
		if err != nil {
			if _, rerr := Read(b); rerr == nil {
				t.Fatalf("a list that can be read gives no valid watchlist: %v", err)
			}
			return
		}
		rows, fresh := map[int]bool{}, map[string]bool{}
		for _, o := range p.Outcomes {
			rows[o.Row] = true
			if o.Status == New {
				if fresh[o.Address] {
					t.Fatalf("%s twice", o.Address)
				}
				fresh[o.Address] = true
				if x, err := config.ParseAddress(o.Address); err != nil || x.Canonical != o.Address {
					t.Fatalf("%s: %v", o.Address, err)
				}
			}
		}
		if len(rows) != p.Rows {
			t.Fatalf("%d rows, %d accounted for", p.Rows, len(rows))
		}
	})
}
