package intake

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// lastRow is the last row that a spreadsheet has (ECMA-376 part 1, 18.3.1.73, and the programs' own limit).
const lastRow = 1 << 20

// maxNested is far above what a sheet nests.
const maxNested = 100

const formulaProblem = "the cell holds a formula without a stored value, and formulas are not evaluated: open the workbook, let it calculate and save it, or write the link itself"

// tokens goes through a part's XML to its end; fn is told the element that a token stands in. Raw tokens are three times as quick as the
// decoder's own, which would match starts and ends; that is done here.
func tokens(f *zip.File, fn func(tok xml.Token, within string) error) (err error) {
	r, err := open(f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	d := xml.NewDecoder(r)
	var around []string
	for any := false; ; any = true {
		tok, err := d.RawToken()
		switch {
		case errors.Is(err, io.EOF) && (len(around) > 0 || !any):
			return io.ErrUnexpectedEOF
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if e, ok := tok.(xml.EndElement); ok {
			if len(around) == 0 || around[len(around)-1] != e.Name.Local {
				return fmt.Errorf("</%s> ends what did not begin", clip(e.Name.Local, 40))
			}
			around = around[:len(around)-1]
		}
		within := ""
		if len(around) > 0 {
			within = around[len(around)-1]
		}
		if err := fn(tok, within); err != nil {
			return err
		}
		if e, ok := tok.(xml.StartElement); ok {
			if around = append(around, e.Name.Local); len(around) > maxNested {
				return fmt.Errorf("its elements are nested more than %d deep", maxNested)
			}
		}
	}
}

// sharedStrings reads the texts that cells refer to by number. Readings of characters (rPh) are no part of a text.
func (w *xlsxFile) sharedStrings(name string) ([]string, error) {
	f := w.parts[name]
	if f == nil {
		return nil, fmt.Errorf("its table of texts is missing")
	}
	var out []string
	var b strings.Builder
	inText, readings := false, 0
	err := tokens(f, func(tok xml.Token, _ string) error {
		switch e := tok.(type) {
		case xml.StartElement:
			inText = e.Name.Local == "t"
			if e.Name.Local == "rPh" {
				readings++
			}
		case xml.CharData:
			if inText && readings == 0 && b.Len() <= maxCell {
				b.Write(e)
			}
		case xml.EndElement:
			inText = false
			switch e.Name.Local {
			case "rPh":
				readings--
			case "si":
				out = append(out, unescape(b.String()))
				b.Reset()
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("its table of texts is damaged: %w", err)
	}
	return out, nil
}

// escaped is how a workbook writes characters that XML cannot hold (ECMA-376 part 1, 22.9.2.19, ST_Xstring).
var escaped = regexp.MustCompile(`_x([0-9A-Fa-f]{4})_`)

func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	return escaped.ReplaceAllStringFunc(s, func(m string) string {
		n, err := strconv.ParseUint(m[2:6], 16, 16)
		if err != nil {
			return m
		}
		return string(rune(n))
	})
}

// sheetReader is a sheet on its way into a table.
type sheetReader struct {
	t     *Table
	texts []string

	row    Row
	last   int    // number of the row before
	col    int    // of the cell, from 1
	typ    string // of the cell
	merges []string

	text           strings.Builder
	inText         bool
	formula, value bool
	readings       int
}

func (w *xlsxFile) readSheet(t *Table, f *zip.File) error {
	r := sheetReader{t: t, texts: w.texts}
	var refused *tableError
	switch err := tokens(f, r.token); {
	case errors.As(err, &refused):
		return refused.error
	case err != nil:
		where := "before its first row ends"
		if r.last > 0 {
			where = fmt.Sprintf("after row %d", r.last)
		}
		return fmt.Errorf("the sheet %q is damaged %s (%w); save the workbook anew as XLSX or CSV", clip(t.Sheet, 60), where, err)
	}
	index := make(map[int]int, len(t.Rows))
	if r.merges != nil {
		for i, row := range t.Rows {
			index[row.Number] = i
		}
	}
	for _, ref := range r.merges {
		t.merge(ref, index)
	}
	return nil
}

// tableError says that the table refused a row: the sheet is whole.
type tableError struct{ error }

func (r *sheetReader) token(tok xml.Token, within string) error {
	switch e := tok.(type) {
	case xml.StartElement:
		return r.start(e, within)
	case xml.CharData:
		if r.inText && r.readings == 0 && r.text.Len() <= maxCell { // the table refuses what is longer
			r.text.Write(e)
		}
	case xml.EndElement:
		r.inText = false
		switch e.Name.Local {
		case "rPh":
			r.readings--
		case "c":
			return r.cell()
		case "row":
			return r.endRow()
		}
	}
	return nil
}

func (r *sheetReader) start(e xml.StartElement, within string) error {
	switch name := e.Name.Local; {
	case name == "row" && within != "sheetData", name == "c" && within != "row":
		return fmt.Errorf("<%s> stands in <%s>", name, clip(within, 40))
	}
	switch e.Name.Local {
	case "row":
		return r.startRow(attr(e, "r"))
	case "c":
		r.typ, r.formula, r.value = attr(e, "t"), false, false
		r.text.Reset()
		return r.place(attr(e, "r"))
	case "f":
		r.formula = true
	case "v", "t":
		r.inText, r.value = true, true
	case "rPh":
		r.readings++
	case "mergeCell":
		r.merges = append(r.merges, attr(e, "ref"))
	}
	return nil
}

func (r *sheetReader) startRow(ref string) error {
	n := r.last + 1
	if ref != "" {
		var err error
		if n, err = strconv.Atoi(ref); err != nil || n < 1 || n > lastRow {
			return fmt.Errorf("a row has the number %q", clip(ref, 40))
		}
	}
	if n <= r.last {
		return fmt.Errorf("row %d stands behind row %d", n, r.last)
	}
	r.row, r.col = Row{Number: n}, 0
	return nil
}

// place finds the column of a cell by its name, such as B12, or as the next one.
func (r *sheetReader) place(ref string) error {
	r.col++
	if ref == "" {
		return nil
	}
	col, row, ok := coordinates(ref)
	if !ok || row != r.row.Number {
		return fmt.Errorf("row %d has a cell with the name %q", r.row.Number, clip(ref, 40))
	}
	r.col = col
	return nil
}

// cell ends a cell. Those without anything in them, which only have a colour, are passed over.
func (r *sheetReader) cell() error {
	text, problem := r.text.String(), ""
	switch {
	case r.formula && !r.value:
		problem = formulaProblem
	case r.typ == "s":
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 0 || n >= len(r.texts) {
			return fmt.Errorf("a cell of row %d refers to a text that is not there", r.row.Number)
		}
		text = r.texts[n]
	case r.typ == "e":
		problem = fmt.Sprintf("the cell shows the spreadsheet's error %q: mend it there, or write the link itself", clip(text, 40))
	default:
		text = unescape(text)
	}
	if text == "" && problem == "" {
		return nil
	}
	if r.col > MaxColumns {
		return &tableError{fmt.Errorf("row %d has more than %d columns; this is not a list of accounts", r.row.Number, MaxColumns)}
	}
	for len(r.row.Cells) < r.col {
		r.row.Cells = append(r.row.Cells, "")
	}
	r.row.Cells[r.col-1] = text
	if problem != "" {
		r.row.mark(r.col-1, problem)
	}
	return nil
}

func (r *sheetReader) endRow() error {
	r.last = r.row.Number
	if len(r.row.Cells) == 0 {
		return nil
	}
	if err := r.t.add(r.row); err != nil {
		return &tableError{err}
	}
	r.row = Row{Number: r.last}
	return nil
}

// coordinates reads a cell's name, such as B12; columns count from 1.
func coordinates(ref string) (col, row int, ok bool) {
	letters := 0
	for letters < len(ref) && letters < 4 && (ref[letters]|0x20) >= 'a' && (ref[letters]|0x20) <= 'z' {
		col = col*26 + int(ref[letters]|0x20-'a') + 1
		letters++
	}
	row, err := strconv.Atoi(ref[letters:])
	return col, row, err == nil && letters > 0 && letters < 4 && row > 0 && row <= lastRow
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
