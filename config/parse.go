package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxFile = 16 << 20 // bytes of one YAML file
	maxText = 64 << 10 // bytes of one value
)

var utf8BOM = []byte("\ufeff")

// parse returns the root node of the only document in b, or the errors that make it unreadable.
func parse(file string, b []byte) (*yaml.Node, Errors) {
	b = bytes.TrimPrefix(b, utf8BOM)
	if e := checkBytes(file, b); e != nil {
		return nil, Errors{*e}
	}
	docs, err := documents(b)
	switch {
	case err != nil:
		return nil, Errors{syntaxError(file, b, err)}
	case len(docs) == 0 || len(docs[0].Content) == 0:
		return nil, Errors{{File: file, Line: 1, Col: 1, Reason: "the file is empty"}}
	case len(docs) > 1:
		// The node of a second document starts at its content, and an empty one at the end of the file.
		return nil, Errors{{File: file, Line: max(docs[1].Line, 1), Col: max(docs[1].Column, 1), Reason: "a second document begins (---); put everything into one"}}
	}
	return docs[0].Content[0], nil
}

// documents reads at most two documents as node trees, in which aliases are not expanded.
func documents(b []byte) (docs []*yaml.Node, err error) {
	defer func() {
		// The library reports its own failures as errors; this is for the ones that it does not know of.
		if r := recover(); r != nil {
			err = fmt.Errorf("not readable as YAML (%v)", r)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(b))
	for len(docs) < 2 {
		var n yaml.Node
		err := dec.Decode(&n)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return docs, err
		}
		docs = append(docs, &n)
	}
	return docs, nil
}

// checkBytes refuses bytes that would be read differently by different readers, or by a person.
func checkBytes(file string, b []byte) *Error {
	if len(b) > maxFile {
		return &Error{File: file, Line: 1, Col: 1, Reason: "the file is larger than 16 MiB; split it into several watchlists"}
	}
	line, col := 1, 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		col++
		switch {
		case r == utf8.RuneError && n == 1:
			return &Error{File: file, Line: line, Col: col, Reason: fmt.Sprintf("byte 0x%02X is not valid UTF-8; save the file as UTF-8", b[i])}
		case r == '\n':
			line, col = line+1, 0
		case r == '\t' || r == '\r':
		case badRune(r):
			return &Error{File: file, Line: line, Col: col, Reason: "contains " + runeName(r) + ", which does not show; remove it"}
		}
		i += n
	}
	return nil
}

var (
	yamlLine      = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.+)' referenced$`)
	// The library counts the lines of these from 0, those of all others from 1.
	countedFrom0 = regexp.MustCompile(`^(?:did not find expected (?:<|node content|key|'-'|',')|found (?:undefined|duplicate|incompatible))`)
)

// syntaxError gives the library's error a position. The library knows the line only.
func syntaxError(file string, b []byte, err error) Error {
	msg := err.Error()
	m := yamlLine.FindStringSubmatch(msg)
	msg = msg[len(m[0]):]
	line := 1
	if n, err := strconv.Atoi(m[1]); err == nil {
		line = n
		if countedFrom0.MatchString(msg) {
			line++
		}
	}
	lines := strings.Split(string(b), "\n")
	line = min(max(line, 1), len(lines))
	if a := unknownAnchor.FindStringSubmatch(msg); a != nil {
		return unknownAlias(file, lines, a[1])
	}
	e := Error{File: file, Line: line, Col: 1, Reason: "not valid YAML: " + clip(msg)}
	for i, text := range lines[line-1:] {
		indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
		if tab := strings.Index(indent, "\t"); tab >= 0 {
			return Error{File: file, Line: line + i, Col: tab + 1, Reason: e.Reason + " (a tab; indent with spaces)"}
		}
		if !strings.Contains(msg, "tab") { // only then is the mistake below the line that is named
			break
		}
	}
	return e
}

// unknownAlias finds the alias for which the library gives no place. Its name is left out where it may be a password.
func unknownAlias(file string, lines []string, name string) Error {
	e := Error{File: file, Line: 1, Col: 1, Reason: "not valid YAML: an alias (*NAME) stands for nothing; a text that begins with * needs quotes"}
	for i, text := range lines {
		if before, _, ok := strings.Cut(text, "*"+name); ok {
			e.Line, e.Col = i+1, utf8.RuneCountInString(before)+1
			break
		}
	}
	return e
}
