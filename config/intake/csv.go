package intake

import (
	"bytes"
	"strings"
)

// readText reads delimited rows, or one link a line where there is no delimiter.
func readText(b []byte) (*Table, error) {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	t := &Table{Format: "csv"}
	sep := separator(b)
	if sep == 0 {
		t.Format = "text"
	}
	s := scanner{text: string(b), sep: sep}
	for n := 1; s.pos < len(s.text); n++ {
		r := s.row()
		r.Number = n
		if r.Problem == "" && blank(r.Cells) {
			continue
		}
		if err := t.add(r); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// separator is the delimiter that the first lines agree on most, 0 if none of them has one.
func separator(b []byte) byte {
	lines := strings.SplitN(string(b[:min(len(b), 64<<10)]), "\n", 51)
	if len(lines) > 1 {
		lines = lines[:len(lines)-1]
	}
	var best byte
	bestScore := 0
	for _, sep := range []byte{'\t', ';', ','} {
		with, counts := 0, map[int]int{}
		for _, l := range lines {
			if n := strings.Count(l, string(sep)); n > 0 {
				with++
				counts[n]++
			}
		}
		agree := 0
		for _, c := range counts {
			agree = max(agree, c)
		}
		if score := 2*agree + with; score > bestScore {
			best, bestScore = sep, score
		}
	}
	return best
}

// scanner reads RFC 4180 rows from a text whose lines end in LF. A quote that never closes costs its own line, not the rest of the list.
type scanner struct {
	text string
	pos  int
	sep  byte // 0: the line is one cell
}

// maxQuoted bounds a quoted cell; a longer one is taken for a quote that was not closed.
const maxQuoted = 8 << 10

func (s *scanner) row() Row {
	start := s.pos
	if s.sep == 0 {
		return Row{Cells: []string{s.line()}}
	}
	var cells []string
	for {
		cell, end, ok := s.cell()
		if !ok {
			s.pos = start
			line := s.line()
			return Row{Cells: []string{line}, Problem: "a quotation mark opens a cell and is not closed; close or remove it"}
		}
		cells = append(cells, cell)
		if end {
			return Row{Cells: cells}
		}
	}
}

func (s *scanner) line() string {
	rest := s.text[s.pos:]
	line, _, found := strings.Cut(rest, "\n")
	s.pos += len(line)
	if found {
		s.pos++
	}
	return line
}

// cell reads one cell and what ends it; last says that the row ends with it.
func (s *scanner) cell() (cell string, last, ok bool) {
	rest := s.text[s.pos:]
	if !strings.HasPrefix(rest, `"`) {
		n := strings.IndexAny(rest, "\n"+string(s.sep))
		if n < 0 {
			s.pos = len(s.text)
			return rest, true, true
		}
		s.pos += n + 1
		return rest[:n], rest[n] == '\n', true
	}
	for i := 1; i < len(rest) && i < maxQuoted; i++ {
		if rest[i] != '"' {
			continue
		}
		if i+1 < len(rest) && rest[i+1] == '"' {
			i++
			continue
		}
		if i+1 == len(rest) {
			s.pos = len(s.text)
			return unquote(rest[1:i]), true, true
		}
		if c := rest[i+1]; c == s.sep || c == '\n' {
			s.pos += i + 2
			return unquote(rest[1:i]), c == '\n', true
		}
	}
	return "", false, false
}

func unquote(s string) string { return strings.ReplaceAll(s, `""`, `"`) }

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}
