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

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// syntaxError gives the library's error a position. It knows the line only, and not always that.
func syntaxError(file string, b []byte, err error) Error {
	msg := err.Error()
	m := yamlLine.FindStringSubmatch(msg)
	line, convErr := strconv.Atoi(m[1])
	if convErr != nil || line < 1 {
		line = 1
	}
	reason := "not valid YAML: " + msg[len(m[0]):]
	lines := bytes.Split(b, []byte("\n"))
	for l := line; l <= min(line+1, len(lines)); l++ { // the library counts some lines from 0
		text := string(lines[l-1])
		if indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]; strings.Contains(indent, "\t") {
			return Error{File: file, Line: l, Col: strings.Index(text, "\t") + 1, Reason: reason + " (a tab; indent with spaces)"}
		}
	}
	return Error{File: file, Line: line, Col: 1, Reason: reason}
}
