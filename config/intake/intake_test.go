package intake

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// short is an outcome as the tables of these tests write it: `row status address-or-reason`.
func short(o Outcome) string {
	what := o.Address
	if o.Status == Refused || o.Status == Duplicate {
		what = o.Reason
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", o.Row, o.Status, what))
}

func sorted(t *testing.T, list string, prior ...Prior) *Result {
	t.Helper()
	_, load := world(t)
	table, err := Read([]byte(list))
	if err != nil {
		t.Fatal(err)
	}
	return Sort(table, Sorting{load(), prior, now})
}

func TestMessyCSV(t *testing.T) {
	list := "\ufeffNo,Platform,Link / handle,Date\n" // not a header word: found by content
	list = strings.Replace(list, "Link / handle", "Link", 1) + `1,Telegram,https://t.me/Sim_One,31/01/2026
2,Telegram,t.me/s/sim_one/12,2026-02-01
3,X,@Sim_Two,01/02/2026

5,Facebook,"https://www.facebook.com/sim.three
",12 فروری ۲۰۲۶
6,Telegram,https://t.me/+AbCdEf,
7,,@sim_four,1 Feb 2026
8,WhatsApp,+92 300 0000000,1 Feb 2026
9,Telegram,"=HYPERLINK(""https://t.me/sim_five"",""x"")",
10,Telegram,@exаmple_x` + "\u202e" + `,
11,Instagram,sim.six,32/13/2026
12,Telegram,hxxps://t[.]me/sim_seven,2026-07-09
13,TikTok,@sim_eight,
14,Telegram,"https://t.me/sim_nine,2026
15,Telegram,https://x.com/sim_ten,Jan 2026
16,Telegram,t.me/sim_a and t.me/sim_b,2026
17,Telegram,,
18,Telegram,https://t.me/example_one,
19,Telegram,@s1m_one,
20,Telegram,https://t.me/sim_past,
21,Telegram,https://t.me/sim_innocent,
22,Telegram,https://t.me/sim_stopped,
23,Telegram,https://t.me/sim_new_name,
`
	r := sorted(t, list, Prior{ID: "p", Address: "https://t.me/sim_past", State: "removed"}, Prior{ID: "i", Address: "https://t.me/sim_innocent", State: "innocent"},
		Prior{ID: "s", Address: "https://t.me/sim_stopped", State: "suspended"}, Prior{ID: "r", Address: "https://t.me/sim_new_name", State: "approved", Renamed: true})
	var got []string
	for _, o := range r.Outcomes {
		line := short(o)
		if o.Date != "" {
			line += " " + o.Date
		}
		got = append(got, line)
	}
	want := []string{
		"1 header",
		"2 new https://t.me/sim_one 2026-01-31",
		"3 duplicate the same account as in row 2 2026-02-01",
		"4 new https://x.com/sim_two 2026-02-01",
		"6 new https://www.facebook.com/sim.three 2026-02-12",
		"7 refused t.me/+… is a private invitation or a person's phone number: only public broadcast channels are collected",
		`8 refused "@sim_four" does not say on which platform it is, and the list has several; give the link 2026-02-01`,
		"9 refused is a phone number, which is a person's: only public broadcast channels are collected 2026-02-01",
		"10 refused the cell holds a formula, and formulas are not evaluated: write the link itself",
		"11 refused the address contains U+0430 'а' (Cyrillic) at byte 3 and U+202E RIGHT-TO-LEFT OVERRIDE at byte 11; addresses are plain ASCII without spaces: type it anew",
		"12 new https://www.instagram.com/sim.six",
		"13 new https://t.me/sim_seven",
		`14 refused "TikTok" is on no platform that is known here (Telegram, WhatsApp, X, Facebook, Instagram)`,
		"15 refused a quotation mark opens a cell and is not closed; close or remove it",
		"16 new https://x.com/sim_ten 2026-01",
		"17 new https://t.me/sim_a 2026",
		"17 new https://t.me/sim_b 2026",
		"18 refused the row has no link and no handle",
		"19 known https://t.me/example_one",
		"20 new https://t.me/s1m_one",
		"21 past https://t.me/sim_past",
		"22 rejected https://t.me/sim_innocent",
		"23 suspended https://t.me/sim_stopped",
		"24 renamed https://t.me/sim_new_name",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	for _, o := range r.Outcomes {
		if o.Row == 20 && o.Note != "the name looks like that of row 2, and is another" {
			t.Errorf("row 20: %q", o.Note)
		}
	}
}

func TestWrittenListLoads(t *testing.T) {
	dir, load := world(t)
	list := "link,name\nhttps://t.me/sim_one,\"a # name: with \"\"quotes\"\"\nand a line\u202e\"\n@sim_two,=cmd|' /C calc'!A0\nhttps://whatsapp.com/channel/0029VaSimulated00000000,x\n"
	p := apply(t, add(dir, load(), list))
	c := load()
	if len(c.Targets) != 4 || p.Counts[New] != 3 {
		t.Fatalf("%d targets, %v", len(c.Targets), p.Counts)
	}
	one, _ := c.Target("telegram-sim_one")
	if cite := one.Affiliation.Citation; cite.URL != "https://example.org/statement" || cite.SHA256 == [32]byte{} || !strings.HasPrefix(one.Affiliation.Basis, "Row 2 of the cited list: ") {
		t.Errorf("got %+v", one.Affiliation)
	}
	b, err := os.ReadFile(p.Files[0])
	if err != nil || !strings.Contains(string(b), "# Row 2, cell A2: https://t.me/sim_one") {
		t.Errorf("%v\n%s", err, b)
	}
	// The same list again holds nothing new, and another one goes into the same file.
	if p := apply(t, add(dir, c, list)); p.Counts[Known] != 3 || p.Files != nil {
		t.Errorf("again: %v, %v", p.Counts, p.Files)
	}
	more := add(dir, c, "t.me/sim_three\n")
	more.To = p.Files[0]
	apply(t, more)
	if c := load(); len(c.Targets) != 5 {
		t.Errorf("%d targets after --to", len(c.Targets))
	}
	if now, err := os.ReadFile(p.Files[0]); err != nil || !strings.HasPrefix(string(now), string(b)) {
		t.Errorf("what was there changed: %v\n%s", err, now)
	}
}
