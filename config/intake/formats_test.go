package intake

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/muhafiz/muhafiz/config"
)

// workbook makes an XLSX file of cells by their names; a value that begins with = is a formula without a stored value.
func workbook(t testing.TB, cells map[string]any, merges ...string) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for name, v := range cells {
		if s, ok := v.(string); ok && strings.HasPrefix(s, "=") {
			if err := f.SetCellFormula("Sheet1", name, s); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := f.SetCellValue("Sheet1", name, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range merges {
		from, to, _ := strings.Cut(m, ":")
		if err := f.MergeCell("Sheet1", from, to); err != nil {
			t.Fatal(err)
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWorkbook(t *testing.T) {
	b := workbook(t, map[string]any{
		"A1": "Annex (simulated)", "A2": "Platform", "B2": "URL", "C2": "Date",
		"A3": "Telegram", "B3": "https://t.me/sim_one", "C3": 46053, // 2026-01-31
		"B4": "@sim_two", "A6": "X", "B6": "@sim_three", "C6": 46053.5,
		"A7": "Telegram", "B7": `=HYPERLINK("https://t.me/sim_four","x")`,
		"A8": "Telegram", "B8": "https://t.me/sim_five",
	}, "A3:A4", "B8:B9")
	r := sorted(t, string(b))
	var got []string
	for _, o := range r.Outcomes {
		got = append(got, strings.TrimSpace(short(o)+" "+o.Date))
	}
	want := []string{
		"1 refused stands above the names of the columns and is not read",
		"2 header",
		"3 new https://t.me/sim_one 2026-01-31",
		"4 new https://t.me/sim_two",
		"6 new https://x.com/sim_three 2026-01-31",
		"7 refused the cell holds a formula without a stored value, and formulas are not evaluated: open the workbook, let it calculate and save it, or write the link itself",
		"8 new https://t.me/sim_five",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestHTML(t *testing.T) {
	r := sorted(t, `<!DOCTYPE html><html><head><style>a{}</style><script>var x="https://t.me/no_script"</script></head><body>
<p>Named: <a href="https://t.me/sim_one">this &amp; that</a></p>
<ul><li>https://t.me/sim_two<li>t.me/sim_three &lt;b&gt;</ul>
<table><tr><td>Telegram</td><td><b>t.me</b>/sim_four</td></tr></table></body></html>`)
	var got []string
	for _, o := range r.Outcomes {
		if o.Status == New {
			got = append(got, o.Address)
		}
	}
	if diff := cmp.Diff([]string{"https://t.me/sim_one", "https://t.me/sim_two", "https://t.me/sim_three", "https://t.me/sim_four"}, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s\n%+v", diff, r.Outcomes)
	}
}

func TestEncodingsAndDelimiters(t *testing.T) {
	const list = "ہینڈل,نام\n@sim_one,ایک\n@sim_two,دو\n"
	units := utf16.Encode([]rune(list))
	little, big := []byte{0xFF, 0xFE}, []byte{0xFE, 0xFF}
	for _, u := range units {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
	}
	for name, b := range map[string]string{
		"UTF-8": list, "UTF-8 with BOM": "\ufeff" + list, "UTF-16 LE": string(little), "UTF-16 BE": string(big),
		"semicolons": strings.ReplaceAll(list, ",", ";"), "tabs": strings.ReplaceAll(list, ",", "\t"), "CRLF": strings.ReplaceAll(list, "\n", "\r\n"),
		"pasted": "@sim_one\n\n  https://t.me/sim_two.\n",
	} {
		if r := sorted(t, b); r.Counts[New] != 2 || r.Counts[Refused] != 0 {
			t.Errorf("%s: %v %+v", name, r.Counts, r.Outcomes)
		}
	}
}

func TestDates(t *testing.T) {
	table := &Table{}
	for in, want := range map[string]string{
		"2026-01-31": "2026-01-31", "31.1.2026": "2026-01-31", "1/31/2026": "2026-01-31", "5/5/26": "2026-05-05", "31st January 2026": "2026-01-31", "Jan 31, 2026": "2026-01-31",
		"31-Jan-26": "2026-01-31", "January 2026": "2026-01", "2026": "2026", "20260131": "2026-01-31", "2026-01-31T10:00:00Z": "2026-01-31", "۳۱ جنوری ۲۰۲۶": "2026-01-31", "": "",
	} {
		if got, err := table.date(in, unknownOrder, now); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"03/04/2026": "day first or month first", "31/02/2026": "no day of the calendar", "2026-13-01": "no day", "last week": "not a date", "2027-01-01": "in the future", "1887-01-01": "before 2000", "46053": "not a date",
	} {
		if got, err := table.date(in, unknownOrder, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
	if o := orderOf([]string{"03/04/2026", "13/04/2026"}); o != dayFirst {
		t.Errorf("order %v", o)
	}
	if o := orderOf([]string{"04/13/2026", "13/04/2026"}); o != bothOrders {
		t.Errorf("order %v", o)
	}
}

func TestWhatIsNoList(t *testing.T) {
	for name, b := range map[string][]byte{
		"UTF-16 that begins in Urdu without a mark": {0xC1, 0x06, 0xCC, 0x06, 0x2C, 0x00, 0x0A, 0x00}, "empty": nil, "blank": []byte(" \n\n"), "a picture": []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00"), "a broken workbook": []byte("PK\x03\x04nonsense"),
		"a workbook cut short": workbook(t, map[string]any{"A1": "x"})[:1000],
		"too many rows":        bytes.Repeat([]byte("t.me/sim_one\n"), MaxRows+1),
		"too many columns":     []byte(strings.Repeat("a,", MaxColumns+1) + "\n"),
	} {
		if _, err := Read(b); err == nil || err.Error() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestA481RowList has every trouble at once and accounts for each row exactly once or for each of its links.
func TestA481RowList(t *testing.T) {
	dir, load := world(t)
	troubles := []func(i int) string{
		func(i int) string {
			return fmt.Sprintf("%d,Telegram,https://t.me/Simulated_%03d,%02d/%02d/2025", i, i, 1+i%28, 1+i%12)
		},
		func(i int) string { return fmt.Sprintf("%d,X,@sim_%03d,2025-%02d-01", i, i, 1+i%12) },
		func(i int) string {
			return fmt.Sprintf("%d,Facebook,\"https://www.facebook.com/sim.%03d\n(page)\",2025", i, i)
		},
		func(i int) string { return fmt.Sprintf("%d,Telegram,t.me/s/simulated_%03d/7,", i, i-3) }, // a duplicate
		func(i int) string { return fmt.Sprintf("%d,Telegram,https://t.me/+Invite%d,", i, i) },
		func(i int) string { return fmt.Sprintf("%d,Telegram,@simulаted_%03d,", i, i) }, // a Cyrillic letter
		func(i int) string { return fmt.Sprintf("%d,Telegram,\"=cmd|' /C calc'!A%d\",", i, i) },
		func(i int) string { return fmt.Sprintf("%d,,,", i) },
	}
	var b strings.Builder
	b.WriteString("No,Platform,Link,Date\n")
	for i := range 480 {
		b.WriteString(troubles[i%len(troubles)](i) + "\n")
	}
	p := apply(t, add(dir, load(), b.String()))
	rows := map[int]int{}
	for _, o := range p.Outcomes {
		rows[o.Row]++
		if o.Status != New && o.Status != Header && o.Reason == "" {
			t.Errorf("row %d is %s without a reason", o.Row, o.Status)
		}
	}
	if p.Rows != 481 || len(rows) != 481 || len(p.Outcomes) != 481 {
		t.Errorf("%d rows, %d of them accounted for by %d outcomes", p.Rows, len(rows), len(p.Outcomes))
	}
	want := map[Status]int{Header: 1, New: 180, Duplicate: 60, Refused: 240}
	if diff := cmp.Diff(want, p.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got := len(load().Targets); got != 181 {
		t.Errorf("%d targets", got)
	}
}

// TestNothingHalfDone lets writing fail, and a file change meanwhile.
func TestNothingHalfDone(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("running as root: a folder's mode does not stop writing, so a file stands where the folder of sources belongs")
	}
	dir, load := world(t)
	lists := filepath.Join(dir, "watchlists")
	before := tree(t, dir)
	p, err := add(dir, load(), "t.me/sim_one\n").Plan()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("planning wrote:\n%s", diff)
	}
	if os.Getuid() != 0 {
		if err := os.Chmod(lists, 0o555); err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(); err == nil {
			t.Error("written into a read-only folder")
		}
		if err := os.Chmod(lists, 0o755); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
			t.Errorf("half done:\n%s", diff)
		}
	}
	// The source is written first; the watchlist's name is a folder, so it fails after that.
	p.change.files[1].path = filepath.Join(lists, "a.yaml", "b.yaml")
	if err := p.Apply(); err == nil {
		t.Error("written below a file")
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("half done:\n%s", diff)
	}
	a := add(dir, load(), "t.me/sim_one\n")
	a.To = filepath.Join(lists, "a.yaml")
	p, err = a.Plan()
	if err != nil {
		t.Fatal(err)
	}
	changed := append([]byte("# somebody else was here\n"), before["watchlists/a.yaml"]...)
	if err := os.WriteFile(a.To, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Apply(); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
	if now, err := os.ReadFile(a.To); err != nil || !bytes.Equal(now, changed) {
		t.Errorf("the other's change is lost: %v\n%s", err, now)
	}
}

// tree is every file below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir+"/")] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestRemoveAndSuccessor(t *testing.T) {
	dir, load := world(t)
	p := apply(t, add(dir, load(), "t.me/sim_one\nt.me/sim_two\nt.me/sim_three\n"))
	path := p.Files[0]
	whole := tree(t, dir)
	edit := func(id string) Edit {
		return Edit{load(), filepath.Join(dir, "muhafiz.yaml"), config.Options{NoSecrets: true}, id}
	}
	ed, err := edit("telegram-sim_two").Successor("https://t.me/sim_four", "it says so: \"simulated\" # yes", "", "bilal", now)
	if err != nil {
		t.Fatal(err)
	}
	if err := ed.Apply(); err != nil {
		t.Fatal(err)
	}
	next, ok := load().Target("telegram-sim_four")
	if !ok || !strings.Contains(next.Affiliation.Basis, "Successor of the target telegram-sim_two (https://t.me/sim_two)") || next.ListedBy != "bilal" {
		t.Errorf("got %+v", next)
	}
	for _, id := range []string{"telegram-sim_four", "telegram-sim_two", "telegram-sim_one", "telegram-sim_three", "one"} {
		before := len(load().Targets)
		ed, err := edit(id).Remove()
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if err := ed.Apply(); err != nil {
			t.Fatal(err)
		}
		if got := len(load().Targets); got != before-1 {
			t.Fatalf("%s: %d targets", id, got)
		}
		if id == "telegram-sim_two" {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text := string(b)
			if strings.Contains(text, "sim_two") || !strings.Contains(text, "# Row 1, cell A1") || !strings.Contains(text, "# Row 3, cell A3") || !strings.HasPrefix(text, whole["watchlists/"+filepath.Base(path)][:200]) {
				t.Errorf("comments of others are lost:\n%s", text)
			}
		}
	}
	if _, err := edit("one").Remove(); err == nil {
		t.Error("removed twice")
	}
	for name, text := range map[string]string{
		"flow":  "targets: [{id: f, address: '@sim_flow', organisation: front, listed_by: amina, affiliation: {basis: b, citation: {title: t, url: 'https://example.org'}}}]\n",
		"block": "targets:\n  - id: f\n    address: '@sim_flow'\n    organisation: front\n    listed_by: amina\n    affiliation:\n      citation: {title: t, url: 'https://example.org'}\n      basis: >\n        several lines\n\n        of text\n  # about g\n  - {id: g, address: '@sim_g', organisation: front, listed_by: amina, affiliation: {basis: b, citation: {title: t, url: 'https://example.org'}}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, "watchlists", "x.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ed, err := edit("f").Remove()
		if name == "flow" {
			if err == nil || !strings.Contains(err.Error(), byHand) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := string(ed.change.files[0].content); got != "targets:\n"+text[strings.Index(text, "  # about g"):] {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}
