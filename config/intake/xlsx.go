package intake

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/xuri/excelize/v2"
)

// maxUnzipped bounds what a workbook may unfold to.
const maxUnzipped = 512 << 20

// readXLSX reads the first sheet that has anything in it. Values are the raw ones that the file holds: no formula is evaluated, no
// number format applied.
func readXLSX(data []byte) (t *Table, err error) {
	defer func() {
		// The library panics on some damaged workbooks; such a file is refused like any other that cannot be read.
		if r := recover(); r != nil {
			t, err = nil, fmt.Errorf("the workbook is damaged (%v); save it anew as XLSX or CSV", r)
		}
	}()
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped})
	if err != nil {
		return nil, fmt.Errorf("the workbook cannot be read (%w); save it anew as XLSX or CSV, without a password", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	t = &Table{Format: "xlsx", serials: true}
	if p, err := f.GetWorkbookProps(); err == nil && p.Date1904 != nil {
		t.from1904 = *p.Date1904
	}
	var further []string
	for _, sheet := range f.GetSheetList() {
		if len(t.Rows) > 0 {
			further = append(further, fmt.Sprintf("%q", clip(sheet, 60)))
			continue
		}
		t.Sheet = sheet
		if err := t.readSheet(f, sheet); err != nil {
			return nil, err
		}
	}
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("the workbook has nothing in it")
	}
	if further != nil {
		t.Notes = append(t.Notes, fmt.Sprintf("only the sheet %q was read; not read: %s", clip(t.Sheet, 60), strings.Join(further, ", ")))
	}
	return t, t.markSpecial(data)
}

func (t *Table) readSheet(f *excelize.File, sheet string) (err error) {
	rows, err := f.Rows(sheet)
	if err != nil {
		return fmt.Errorf("the sheet %q cannot be read: %w", clip(sheet, 60), err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for n := 1; rows.Next(); n++ {
		cells, err := rows.Columns()
		if err != nil {
			return fmt.Errorf("row %d cannot be read: %w", n, err)
		}
		if len(cells) == 0 {
			continue
		}
		if err := t.add(Row{Number: n, Cells: cells}); err != nil {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return fmt.Errorf("the sheet %q cannot be read: %w", clip(sheet, 60), err)
	}
	return nil
}

// markSpecial marks cells whose formula has no value in the file, and copies a merged range's value to the rows that it covers. The
// streaming reader tells neither, so the sheet's XML is gone through again where it has any.
func (t *Table) markSpecial(data []byte) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fmt.Errorf("the workbook cannot be read: %w", err)
	}
	part, err := sheetPart(z, t.Sheet)
	if err != nil || part == nil {
		return err
	}
	b, err := readPart(part)
	if err != nil {
		return err
	}
	if !bytes.Contains(b, []byte("mergeCell ")) && !bytes.Contains(b, []byte("<f")) && !bytes.Contains(b, []byte(":f>")) && !bytes.Contains(b, []byte(":f ")) {
		return nil
	}
	index := map[int]int{}
	for i, r := range t.Rows {
		index[r.Number] = i
	}
	return t.scanSheet(b, index)
}

// scanSheet goes through the cells and merges of a sheet's XML.
func (t *Table) scanSheet(b []byte, index map[int]int) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	var ref string
	var formula, value bool
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the sheet's XML cannot be read: %w", err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "c":
				ref, formula, value = attr(e, "r"), false, false
			case "f":
				formula = true
			case "v", "is":
				value = true
			case "mergeCell":
				t.merge(attr(e, "ref"), index)
			}
		case xml.EndElement:
			if e.Name.Local == "c" && formula && !value {
				t.markFormula(ref, index)
			}
		}
	}
}

func (t *Table) markFormula(ref string, index map[int]int) {
	col, row, err := excelize.CellNameToCoordinates(ref)
	if err != nil || col > MaxColumns {
		return
	}
	i, ok := index[row]
	if !ok {
		return
	}
	r := &t.Rows[i]
	for len(r.Cells) < col {
		r.Cells = append(r.Cells, "")
	}
	r.mark(col-1, "the cell holds a formula without a stored value, and formulas are not evaluated: open the workbook, let it calculate and save it, or write the link itself")
}

// merge copies the value of a merged range's first cell down its first column, so that a platform or date that was merged over several
// rows counts for each of them. Copies are marked, so that a merged link is not taken for several.
func (t *Table) merge(ref string, index map[int]int) {
	from, to, ok := strings.Cut(ref, ":")
	if !ok {
		return
	}
	col, top, err := excelize.CellNameToCoordinates(from)
	_, bottom, err2 := excelize.CellNameToCoordinates(to)
	first, ok := index[top]
	if err != nil || err2 != nil || !ok || col > len(t.Rows[first].Cells) {
		return
	}
	value := t.Rows[first].Cells[col-1]
	for i := first + 1; i < len(t.Rows) && t.Rows[i].Number <= bottom; i++ {
		r := &t.Rows[i]
		for len(r.Cells) < col {
			r.Cells = append(r.Cells, "")
		}
		if t.copied++; t.copied > maxCopies {
			return
		}
		if r.Cells[col-1] == "" {
			r.Cells[col-1] = value
			r.mark(col-1, fmt.Sprintf("%smerged with row %d", mergedMark, top))
		}
	}
}

// maxCopies bounds the work that merged ranges make.
const maxCopies = 4 * MaxRows

// mergedMark begins the mark of a cell that shows another's value; it is no fault.
const mergedMark = "\x00"

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// sheetPart finds the file of a sheet within the package, nil where there is none.
func sheetPart(z *zip.Reader, sheet string) (*zip.File, error) {
	var book struct {
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	var rels struct {
		Relationship []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		}
	}
	parts := map[string]*zip.File{}
	for _, f := range z.File {
		parts[strings.TrimPrefix(f.Name, "/")] = f
	}
	for name, v := range map[string]any{"xl/workbook.xml": &book, "xl/_rels/workbook.xml.rels": &rels} {
		f := parts[name]
		if f == nil {
			return nil, nil
		}
		b, err := readPart(f)
		if err != nil {
			return nil, err
		}
		if err := xml.Unmarshal(b, v); err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", name, err)
		}
	}
	for _, s := range book.Sheets {
		for _, r := range rels.Relationship {
			if s.Name != sheet || s.ID != r.ID {
				continue
			}
			if abs, ok := strings.CutPrefix(r.Target, "/"); ok {
				return parts[abs], nil
			}
			return parts[path.Join("xl", r.Target)], nil
		}
	}
	return nil, nil
}

func readPart(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.Name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxUnzipped))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.Name, err)
	}
	return b, nil
}
