package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file. Lines and columns count from 1, columns in characters; Line 0 is the file as a whole.
type Position struct {
	File      string
	Line, Col int
}

// String returns file:line:col.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Error is one thing wrong with the configuration.
type Error struct {
	File      string
	Line, Col int
	Path      string // such as people[1].ssh_key; empty for the file as a whole
	Reason    string // a sentence: what is wrong and what to do
}

// Error returns file:line:col: path: reason.
func (e Error) Error() string {
	s := Position{e.File, e.Line, e.Col}.String() + ": "
	if e.Path != "" {
		s += e.Path + ": "
	}
	return s + e.Reason
}

// Errors is everything wrong with the configuration, by file, line and column.
type Errors []Error

// Error prints one error a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, x := range e {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}

// AsErrors returns the positioned errors within err, nil if there are none.
func AsErrors(err error) Errors {
	var es Errors
	if errors.As(err, &es) {
		return es
	}
	var e Error
	if errors.As(err, &e) {
		return Errors{e}
	}
	return nil
}

func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
	})
	return slices.Compact(e)
}
