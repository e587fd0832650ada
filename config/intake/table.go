package intake

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
)

// The limits of a list. What is larger is refused as a whole: split it.
const (
	MaxBytes   = 64 << 20 // of the file
	MaxRows    = 200_000  // with anything in them
	MaxColumns = 1_000
	maxCell    = 64 << 10 // bytes of a cell
)

// Row is one row of a list.
type Row struct {
	Number  int // as a spreadsheet or editor counts it, from 1
	Cells   []string
	Problem string // why nothing of the row can be read, empty otherwise
	// Marks are reasons why single cells, by their index, cannot be used: a formula without a value, a merged cell's shadow.
	Marks map[int]string
}

// Table is a list as it was read.
type Table struct {
	Format string // csv, xlsx, html, text
	Sheet  string // name, of a workbook
	Rows   []Row
	Notes  []string // what a person should know: further sheets, a guessed encoding
	// serials says that bare numbers in date columns are a spreadsheet's days since 1899-12-30, or since 1904-01-01.
	serials, from1904 bool
	copied            int // cells gone through for merged ranges
}

// Read reads a list. The format comes from the bytes, not from the name.
func Read(data []byte) (*Table, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("the list is larger than %d MiB; split it", MaxBytes>>20)
	}
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return readXLSX(data)
	}
	text, note, err := decode(data)
	if err != nil {
		return nil, err
	}
	var t *Table
	switch {
	case looksHTML(text):
		t, err = readHTML(text)
	default:
		t, err = readText(text)
	}
	if err == nil && note != "" {
		t.Notes = append(t.Notes, note)
	}
	return t, err
}

// decode returns a text file's bytes as UTF-8.
func decode(b []byte) (text []byte, note string, err error) {
	switch {
	case len(bytes.TrimSpace(b)) == 0:
		return nil, "", fmt.Errorf("the list is empty")
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		b = b[3:]
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return fromUTF16(b[2:], binary.LittleEndian), "", nil
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return fromUTF16(b[2:], binary.BigEndian), "", nil
	case len(b) > 3 && b[1] == 0 && b[3] == 0:
		return fromUTF16(b, binary.LittleEndian), "read as UTF-16 without a byte order mark", nil
	case len(b) > 3 && b[0] == 0 && b[2] == 0:
		return fromUTF16(b, binary.BigEndian), "read as UTF-16 without a byte order mark", nil
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return nil, "", fmt.Errorf("the list is neither text nor a workbook (%s); give CSV, XLSX, HTML or a text with one link a line", mimetype.Detect(b).String())
	}
	if !utf8.Valid(b) {
		note = "some bytes are not UTF-8; rows with them are refused where a link is concerned: save the list as UTF-8"
	}
	return b, note, nil
}

func fromUTF16(b []byte, o binary.ByteOrder) []byte {
	u := make([]uint16, 0, len(b)/2)
	for ; len(b) > 1; b = b[2:] {
		u = append(u, o.Uint16(b))
	}
	return []byte(string(utf16.Decode(u)))
}

// add appends a row, or refuses the list where there are too many.
func (t *Table) add(r Row) error {
	if len(t.Rows) == MaxRows {
		return fmt.Errorf("the list has more than %d rows; split it, or cut it to the rows that are meant", MaxRows)
	}
	if len(r.Cells) > MaxColumns {
		return fmt.Errorf("row %d has more than %d columns; this is not a list of accounts", r.Number, MaxColumns)
	}
	for i, c := range r.Cells {
		if len(c) > maxCell {
			r.Cells[i] = clip(c, 200)
			r.mark(i, fmt.Sprintf("the cell is longer than %d KiB", maxCell>>10))
		}
	}
	t.Rows = append(t.Rows, r)
	return nil
}

func (r *Row) mark(i int, reason string) {
	if r.Marks == nil {
		r.Marks = map[int]string{}
	}
	r.Marks[i] = reason
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
