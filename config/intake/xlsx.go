package intake

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"strings"
)

// maxUnzipped bounds what a workbook may unfold to.
const maxUnzipped = 256 << 20

// readXLSX reads the first sheet that has anything in it. Values are the raw ones that the file holds: no formula is evaluated, no
// number format applied. The sheet is read here and by no library: those that were looked at end without a word where a sheet's XML is
// damaged, and the rows behind are lost.
func readXLSX(data []byte) (*Table, error) {
	w, err := openWorkbook(data)
	if err != nil {
		return nil, fmt.Errorf("the workbook cannot be read (%w); save it anew as XLSX or CSV, without a password", err)
	}
	t := &Table{Format: "xlsx", serials: true, from1904: w.from1904}
	var further []string
	for _, sheet := range w.sheets {
		if len(t.Rows) > 0 {
			further = append(further, fmt.Sprintf("%q", clip(sheet.name, 60)))
			continue
		}
		t.Sheet = sheet.name
		if err := w.readSheet(t, sheet.part); err != nil {
			return nil, err
		}
	}
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("the workbook has nothing in it")
	}
	if further != nil {
		t.Notes = append(t.Notes, fmt.Sprintf("only the sheet %q was read; not read: %s", clip(t.Sheet, 60), strings.Join(further, ", ")))
	}
	return t, nil
}

// xlsxFile is an Office Open XML package (ECMA-376 part 1, 12.3.23 and 18.2).
type xlsxFile struct {
	parts    map[string]*zip.File // by name in lower case
	sheets   []sheet
	from1904 bool
	texts    []string // the shared strings
}

type sheet struct {
	name string
	part *zip.File
}

func openWorkbook(data []byte) (*xlsxFile, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	w, size := &xlsxFile{parts: map[string]*zip.File{}}, uint64(0)
	for _, f := range z.File {
		if size += f.UncompressedSize64; f.UncompressedSize64 > maxUnzipped || size > maxUnzipped {
			return nil, fmt.Errorf("it unfolds to more than %d MiB", maxUnzipped>>20)
		}
		w.parts[partName(f.Name)] = f
	}
	root, err := w.targets("_rels/.rels", "")
	if err != nil {
		return nil, err
	}
	name := "xl/workbook.xml"
	for _, r := range root {
		if strings.HasSuffix(r.Type, "/officeDocument") {
			name = r.Target
		}
	}
	return w, w.open(name)
}

func (w *xlsxFile) open(name string) error {
	var book struct {
		Props struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"id,attr"`
		} `xml:"sheets>sheet"`
	}
	if w.parts[name] == nil {
		return fmt.Errorf("it is an archive without a workbook in it")
	}
	if err := w.decode(name, &book); err != nil {
		return err
	}
	w.from1904 = book.Props.Date1904 == "1" || book.Props.Date1904 == "true"
	rels, err := w.targets(path.Join(path.Dir(name), "_rels", path.Base(name)+".rels"), path.Dir(name))
	if err != nil {
		return err
	}
	byID := map[string]string{}
	for _, r := range rels {
		byID[r.ID] = r.Target
		if strings.HasSuffix(r.Type, "/sharedStrings") {
			if w.texts, err = w.sharedStrings(r.Target); err != nil {
				return err
			}
		}
	}
	for _, s := range book.Sheets {
		part := w.parts[byID[s.ID]]
		if part == nil {
			return fmt.Errorf("its sheet %q is missing", clip(s.Name, 60))
		}
		w.sheets = append(w.sheets, sheet{s.Name, part})
	}
	return nil
}

// relationship leads from one part to another; Target is the part's name, resolved.
type relationship struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
}

func (w *xlsxFile) targets(name, dir string) ([]relationship, error) {
	var rels struct {
		Relationship []relationship
	}
	if w.parts[partName(name)] == nil {
		return nil, nil
	}
	err := w.decode(partName(name), &rels)
	for i, r := range rels.Relationship {
		if strings.HasPrefix(r.Target, "/") {
			dir = ""
		}
		rels.Relationship[i].Target = partName(path.Join(dir, r.Target))
	}
	return rels.Relationship, err
}

func partName(s string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(s, `\`, "/"), "/"))
}

func (w *xlsxFile) decode(name string, v any) error {
	r, err := open(w.parts[name])
	if err != nil {
		return err
	}
	defer r.Close()
	if err := xml.NewDecoder(r).Decode(v); err != nil {
		return fmt.Errorf("%s: %w", clip(name, 60), err)
	}
	return nil
}

// part reads no more than the archive says that the part has.
type part struct {
	io.Reader
	io.Closer
}

func open(f *zip.File) (part, error) {
	r, err := f.Open()
	if err != nil {
		return part{}, fmt.Errorf("%s: %w", clip(f.Name, 60), err)
	}
	return part{io.LimitReader(r, int64(f.UncompressedSize64)), r}, nil
}
