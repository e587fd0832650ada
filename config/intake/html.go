package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var htmlTag = regexp.MustCompile(`(?i)<(?:!doctype html|html|body|table|tr|td|ul|ol|li|p|div|br|a\s[^>]*href)[\s>/]`)

func looksHTML(b []byte) bool { return htmlTag.Match(b[:min(len(b), 64<<10)]) }

// readHTML reads a page: a table's row, a list's item, a paragraph or a line is a row, and the address behind a link counts as well
// as its text. Scripts and styles are skipped.
func readHTML(b []byte) (*Table, error) {
	t := &Table{Format: "html"}
	p := page{table: t}
	z := html.NewTokenizer(bytes.NewReader(b))
	z.SetMaxBuf(4 << 20)
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("the page cannot be read as HTML: %w", err)
			}
			return t, p.endRow()
		case html.TextToken:
			if p.skip == 0 {
				p.text.Write(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			if err := p.open(z.Token()); err != nil {
				return nil, err
			}
		case html.EndTagToken:
			if err := p.close(z.Token().DataAtom); err != nil {
				return nil, err
			}
		}
	}
}

type page struct {
	table *Table
	text  strings.Builder
	cells []string
	link  string // the href of the open <a>
	skip  int    // depth of scripts and styles
	row   int
	inRow bool // within <tr>
}

func (p *page) open(t html.Token) error {
	switch t.DataAtom {
	case atom.Script, atom.Style, atom.Noscript, atom.Template:
		if t.Type == html.StartTagToken {
			p.skip++
		}
	case atom.A:
		p.link = ""
		for _, a := range t.Attr {
			if a.Key == "href" && strings.Contains(a.Val, "://") {
				p.link = a.Val
			}
		}
	case atom.Tr:
		err := p.endRow()
		p.inRow = true
		return err
	case atom.Td, atom.Th:
		if p.inRow && strings.TrimSpace(p.text.String()) != "" {
			p.endCell()
		}
	case atom.Br, atom.Li, atom.P, atom.Div, atom.Ul, atom.Ol, atom.H1, atom.H2, atom.H3:
		if p.inRow {
			p.text.WriteByte(' ')
			return nil
		}
		return p.endRow()
	}
	return nil
}

func (p *page) close(a atom.Atom) error {
	switch a {
	case atom.Script, atom.Style, atom.Noscript, atom.Template:
		p.skip = max(0, p.skip-1)
	case atom.A:
		if p.link != "" && !strings.Contains(p.text.String(), p.link) {
			p.text.WriteString(" " + p.link + " ")
		}
		p.link = ""
	case atom.Td, atom.Th:
		p.endCell()
	case atom.Tr, atom.Table:
		err := p.endRow()
		p.inRow = false
		return err
	case atom.Li, atom.P, atom.Div:
		if !p.inRow {
			return p.endRow()
		}
	}
	return nil
}

func (p *page) endCell() {
	p.cells = append(p.cells, strings.Join(strings.Fields(p.text.String()), " "))
	p.text.Reset()
}

func (p *page) endRow() error {
	if strings.TrimSpace(p.text.String()) != "" {
		if p.inRow {
			p.endCell()
		} else {
			return p.lines()
		}
	}
	p.text.Reset()
	if blank(p.cells) {
		p.cells = nil
		return nil
	}
	p.row++
	r := Row{Number: p.row, Cells: p.cells}
	p.cells = nil
	return p.table.add(r)
}

// lines makes a row of each line of text outside of tables.
func (p *page) lines() error {
	text := p.text.String()
	p.text.Reset()
	for line := range strings.Lines(text) {
		if line = strings.Join(strings.Fields(line), " "); line == "" {
			continue
		}
		p.row++
		if err := p.table.add(Row{Number: p.row, Cells: []string{line}}); err != nil {
			return err
		}
	}
	return nil
}
