package config

import (
	"reflect"
	"slices"
	"strings"
)

// shape is what the decoder needs to know of a struct type. It is made once a file's reading and type: asking reflect for tags at each
// of 100,000 targets takes longer than reading their values.
type shape struct {
	fields   []field
	pos      []int // index of the field Pos, nil without one
	defaults bool  // the type, or one within it, has defaults
}

type field struct {
	key             string
	index           int
	required, empty bool
}

// shapes holds them by type.
type shapes map[reflect.Type]*shape

func (s shapes) of(t reflect.Type) *shape {
	if x, ok := s[t]; ok {
		return x
	}
	x := &shape{defaults: hasDefaults(t)}
	for i := range t.NumField() {
		name, opts, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		words := strings.Split(opts, ",")
		x.fields = append(x.fields, field{name, i, slices.Contains(words, "required"), slices.Contains(words, "empty")})
	}
	if f, ok := t.FieldByName("Pos"); ok {
		x.pos = f.Index
	}
	s[t] = x
	return x
}

func (s *shape) field(key string) (field, bool) {
	for _, f := range s.fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

func (s *shape) keys() []string {
	var keys []string
	for _, f := range s.fields {
		keys = append(keys, f.key)
	}
	return keys
}

func hasDefaults(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[defaulter]()) {
		return true
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && hasDefaults(f.Type) {
			return true
		}
	}
	return false
}

// setDefaults sets the defaults of v and of the structs within it.
func (s shapes) setDefaults(v reflect.Value) {
	if v.Kind() != reflect.Struct || !s.of(v.Type()).defaults {
		return
	}
	if x, ok := v.Addr().Interface().(defaulter); ok {
		x.setDefaults()
	}
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			s.setDefaults(v.Field(i))
		}
	}
}
