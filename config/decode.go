package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxAliases = 1000    // alias nodes followed in one file
	maxVisits  = 500_000 // nodes read in one file, those behind aliases counted each time
	maxErrors  = 1000    // reported of one file
)

// decoder fills structs from one file's node tree. It walks the tree itself instead of calling node.Decode, which forgets strictness
// and positions below a custom type.
type decoder struct {
	loader  *loader
	file    string // as errors name it
	dir     string // relative paths start here
	errs    Errors
	places  places
	shapes  shapes
	aliases int
	visits  int
	dropped int // errors beyond maxErrors
}

// nodeDecoder is a type that reads itself from a node.
type nodeDecoder interface {
	decodeNode(d *decoder, n *yaml.Node, path string)
}

// defaulter is a struct with defaults other than the zero value.
type defaulter interface{ setDefaults() }

// read fills the struct that p points to from a document's root.
func (d *decoder) read(root *yaml.Node, p any) {
	v := valueOf(p)
	d.shapes.setDefaults(v)
	d.value(root, "", v)
}

func (d *decoder) pos(n *yaml.Node) Position { return Position{d.file, n.Line, n.Column} }

func (d *decoder) errorf(n *yaml.Node, path, format string, args ...any) {
	if !d.full() {
		d.errs = append(d.errs, Error{d.file, n.Line, n.Column, path, fmt.Sprintf(format, args...)})
	}
}

// full counts an error and reports whether it is one too many.
func (d *decoder) full() bool {
	if len(d.errs) < maxErrors {
		return false
	}
	d.dropped++
	return true
}

// limit is errorf for what must be said however many errors there are.
func (d *decoder) limit(n *yaml.Node, path, format string, args ...any) {
	d.errs = append(d.errs, Error{d.file, n.Line, n.Column, path, fmt.Sprintf(format, args...)})
}

// failed reports whether the value at a path was refused already.
func (d *decoder) failed(path string) bool {
	return slices.ContainsFunc(d.errs, func(e Error) bool { return e.Path == path })
}

// value reads n into v, which is addressable.
func (d *decoder) value(n *yaml.Node, path string, v reflect.Value) {
	if d.visits++; d.visits > maxVisits {
		if d.visits == maxVisits+1 {
			d.limit(n, path, "the file has more than %d values once its aliases are followed; split it", maxVisits)
		}
		return
	}
	if n.Kind == yaml.AliasNode {
		d.alias(n, path, v)
		return
	}
	if !d.plain(n, path) {
		return
	}
	if x, ok := v.Addr().Interface().(nodeDecoder); ok {
		x.decodeNode(d, n, path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.shapes.setDefaults(v.Elem())
		d.value(n, path, v.Elem())
	case reflect.Struct:
		d.mapping(n, path, v)
	case reflect.Slice:
		d.list(n, path, v)
	case reflect.String:
		if s, ok := d.text(n, path); ok {
			v.SetString(s)
		}
	case reflect.Bool:
		d.boolean(n, path, v)
	case reflect.Int:
		d.integer(n, path, v)
	default:
		panic("config: no rule for " + v.Type().String()) // a field of a Config struct, not input
	}
}

// alias reads what the alias stands for. An alias within its own anchor ends where the types do: none of them holds itself.
func (d *decoder) alias(n *yaml.Node, path string, v reflect.Value) {
	switch d.aliases++; {
	case d.aliases == maxAliases+1:
		d.limit(n, path, "the file uses aliases more than %d times; write the values out", maxAliases)
	case d.aliases <= maxAliases:
		d.value(n.Alias, path, v)
	}
}

// plain refuses null and the tags that change what a value is.
func (d *decoder) plain(n *yaml.Node, path string) bool {
	if n.Style&yaml.TaggedStyle != 0 {
		d.errorf(n, path, "the tag %s is not used here; remove it", clip(n.Tag))
		return false
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		d.errorf(n, path, "has no value: give one, or remove the key")
		return false
	}
	return true
}

func (d *decoder) mapping(n *yaml.Node, path string, v reflect.Value) {
	shape := d.shapes.of(v.Type())
	if n.Kind != yaml.MappingNode {
		d.errorf(n, path, "must be a mapping of keys (%s), is %s", strings.Join(shape.keys(), ", "), kindName(n))
		return
	}
	if shape.pos != nil {
		*v.FieldByIndex(shape.pos).Addr().Interface().(*Position) = d.pos(n)
	}
	var seen keySet
	var misspelt []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if !d.key(key, path, &seen) {
			continue
		}
		f, ok := shape.field(key.Value)
		if !ok {
			meant, list := suggest(key.Value, shape.keys())
			d.errorf(key, join(path, clip(key.Value)), "unknown key%s", list)
			misspelt = append(misspelt, meant)
			continue
		}
		d.value(val, join(path, key.Value), v.Field(f.index))
		if f.required && !f.empty && val.Kind == yaml.SequenceNode && len(val.Content) == 0 {
			d.errorf(val, join(path, key.Value), "is empty: at least one is needed")
		}
	}
	for _, f := range shape.fields {
		if f.required && seen.first(f.key) == nil && !slices.Contains(misspelt, f.key) {
			d.errorf(n, join(path, f.key), "required, but not given")
		}
	}
}

// key reports whether a mapping's key can be looked up.
func (d *decoder) key(key *yaml.Node, path string, seen *keySet) bool {
	if key.Kind != yaml.ScalarNode {
		d.errorf(key, path, "a key must be a word, is %s", kindName(key))
		return false
	}
	if key.Value == "<<" && key.Tag == "!!merge" {
		d.errorf(key, path, "merge keys (<<) are not supported; write the keys out, or use an alias for the whole value")
		return false
	}
	if first := seen.first(key.Value); first != nil {
		d.errorf(key, join(path, clip(key.Value)), "given twice; first at line %d", first.Line)
		return false
	}
	seen.add(key)
	return true
}

func (d *decoder) list(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.errorf(n, path, "must be a list, is %s", kindName(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, min(len(n.Content), 8192)))
	for i, c := range n.Content {
		v.Grow(1)
		v.SetLen(i + 1)
		d.shapes.setDefaults(v.Index(i))
		d.value(c, item(path, i), v.Index(i))
	}
}

// text returns a scalar's text as it is written: 2011 and yes are texts where a text is wanted.
func (d *decoder) text(n *yaml.Node, path string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		d.errorf(n, path, "must be a text, is %s", kindName(n))
		return "", false
	}
	if len(n.Value) > maxText {
		d.errorf(n, path, "is longer than 64 KiB")
		return "", false
	}
	if strings.TrimSpace(n.Value) == "" {
		d.errorf(n, path, "is empty: give a value, or remove the key")
		return "", false
	}
	for _, r := range n.Value {
		if r != '\n' && r != '\t' && badRune(r) {
			d.errorf(n, path, "contains %s, which does not show; remove it", runeName(r))
			return "", false
		}
	}
	return n.Value, true
}

func (d *decoder) boolean(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		d.errorf(n, path, "must be true or false, is %s", kindName(n))
		return
	}
	v.SetBool(strings.EqualFold(n.Value, "true"))
}

func (d *decoder) integer(n *yaml.Node, path string, v reflect.Value) {
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || i < 0 || i > math.MaxInt32 {
		d.errorf(n, path, "must be a whole number from 0 to %d, is %s", math.MaxInt32, kindName(n))
		return
	}
	v.SetInt(i)
}

// errAt is errorf for a path that was read before.
func (d *decoder) errAt(path, format string, args ...any) {
	if !d.full() {
		p := d.places.position(path)
		d.errs = append(d.errs, Error{p.File, p.Line, p.Col, path, fmt.Sprintf(format, args...)})
	}
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	case yaml.ScalarNode:
		return strconv.Quote(clip(n.Value))
	}
	return "something else"
}

func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
