package intake

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// withPart is a workbook with one of its parts written anew.
func withPart(t testing.TB, b []byte, part, content string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		old, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		to, err := w.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name == part {
			old = []byte(content)
		}
		if _, err := to.Write(old); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const (
	sheetPart = "xl/worksheets/sheet1.xml"
	sheetHead = `<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>`
	sheetTail = `</x:sheetData></x:worksheet>`
)

func inline(ref, text string) string {
	return fmt.Sprintf(`<x:row><x:c r=%q t="inlineStr"><x:is><x:t>%s</x:t></x:is></x:c></x:row>`, ref, text)
}

// TestADamagedSheetLosesNoRowSilently refuses a sheet that cannot be read to its end, and says where it ended.
func TestADamagedSheetLosesNoRowSilently(t *testing.T) {
	good := inline("A1", "https://t.me/sim_one") + inline("A2", "https://t.me/sim_two")
	b := workbook(t, map[string]any{"A1": "x"})
	for name, c := range map[string]struct{ sheet, says string }{
		"cut off in a cell":      {sheetHead + good + `<x:row r="3"><x:c r="A3" t="inli`, "damaged after row 2"},
		"cut off between rows":   {sheetHead + good, "damaged after row 2"},
		"an entity":              {sheetHead + good + inline("A3", "&bad;") + sheetTail, "damaged after row 2"},
		"an entity of its own":   {`<!DOCTYPE x [<!ENTITY bad SYSTEM "file:///etc/hostname">]>` + sheetHead + good + inline("A3", "&bad;") + sheetTail, "damaged after row 2"},
		"bytes that are no text": {sheetHead + good + inline("A3", "\xff\xfe") + sheetTail, "damaged after row 2"},
		"rows in disorder":       {sheetHead + good + `<x:row r="1"></x:row>` + sheetTail, "row 1 stands behind row 2"},
		"a row beyond all":       {sheetHead + good + `<x:row r="99999999999"></x:row>` + sheetTail, `the number "99999999999"`},
		"another row's cell":     {sheetHead + good + inline("A9", "https://t.me/sim_nine") + sheetTail, `a cell with the name "A9"`},
		"a column beyond all":    {sheetHead + good + inline("AAAA3", "https://t.me/sim_far") + sheetTail, `a cell with the name "AAAA3"`},
		"a text that is missing": {sheetHead + `<x:row><x:c t="s"><x:v>77</x:v></x:c></x:row>` + sheetTail, "refers to a text that is not there"},
		"nothing":                {"", "damaged before its first row"},
		"a column too many":      {sheetHead + inline("ALM1", "https://t.me/sim_far") + sheetTail, "more than 1000 columns"},
	} {
		if _, err := Read(withPart(t, b, sheetPart, c.sheet)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}

func TestCellsOfManyKinds(t *testing.T) {
	b := workbook(t, map[string]any{"A1": "x"})
	table, err := Read(withPart(t, b, sheetPart, sheetHead+
		inline("A1", "https://t.me/sim_x005F_x0041_b")+
		`<x:row><x:c><x:v>46053</x:v></x:c><x:c t="b"><x:v>1</x:v></x:c><x:c r="E2" t="e"><x:v>#REF!</x:v></x:c><x:c r="F2" t="str"><x:f>A1</x:f><x:v>kept</x:v></x:c></x:row>`+
		`<x:row r="7"><x:c r="A7" s="3"/></x:row>`+
		`<x:row r="9"><x:c r="A9" t="inlineStr"><x:is><x:r><x:t>two </x:t></x:r><x:r><x:t>runs</x:t></x:r><x:rPh><x:t>reading</x:t></x:rPh></x:is></x:c></x:row>`+
		sheetTail))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range table.Rows {
		got = append(got, fmt.Sprintf("%d %q %d", r.Number, r.Cells, len(r.Marks)))
	}
	want := `1 ["https://t.me/sim_x0041_b"] 0
2 ["46053" "1" "" "" "#REF!" "kept"] 1
9 ["two runs"] 0`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	if m := table.Rows[1].Marks[4]; !strings.Contains(m, "the spreadsheet's error") {
		t.Errorf("the mark is %q", m)
	}
}

// FuzzSheet reads any sheet in an otherwise sound workbook: rows come in order, within the limits, or the workbook is refused.
func FuzzSheet(f *testing.F) {
	for _, s := range []string{
		sheetHead + inline("A1", "https://t.me/sim_one") + sheetTail, sheetHead + inline("B1", "a") + `</x:sheetData><x:mergeCells><x:mergeCell ref="B1:C9"/></x:mergeCells></x:worksheet>`,
		sheetHead + `<x:row r="2"><x:c t="s"><x:v>0</x:v></x:c><x:c t="e"><x:v>#N/A</x:v></x:c><x:c><x:f>A1</x:f></x:c></x:row>` + sheetTail, "<a", "",
	} {
		f.Add(s)
	}
	b := workbook(f, map[string]any{"A1": "x"})
	f.Fuzz(func(t *testing.T, s string) {
		table, err := Read(withPart(t, b, sheetPart, s))
		if err != nil {
			return
		}
		last := 0
		for _, r := range table.Rows {
			if r.Number <= last || r.Number > lastRow || len(r.Cells) > MaxColumns {
				t.Fatalf("row %d behind row %d, with %d cells", r.Number, last, len(r.Cells))
			}
			last = r.Number
		}
	})
}
