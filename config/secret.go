package config

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Hidden is what a secret prints as.
const Hidden = "<secret>"

// Secret is a value that no log, error or dump shows. In YAML it is {file: PATH} or {env: NAME}, never the value itself. A file must
// be readable by its owner only; a line end at its end is dropped.
type Secret struct {
	// A function, because printers that reach an unexported field by reflection print a string but cannot call.
	reveal func() string
}

// NewSecret hides a value.
func NewSecret(value string) Secret { return Secret{reveal: func() string { return value }} }

// Reveal returns the value, empty if none was given.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether no secret was given.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Equal reports whether two secrets are the same.
func (s Secret) Equal(o Secret) bool { return s.IsZero() == o.IsZero() && s.Reveal() == o.Reveal() }

// String returns <secret>.
func (s Secret) String() string { return Hidden }

// GoString returns <secret>.
func (s Secret) GoString() string { return Hidden }

// Format prints <secret> for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Hidden) }

// MarshalText returns <secret>: JSON, XML and loggers that use them see that.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

// MarshalYAML returns <secret>.
func (s Secret) MarshalYAML() (any, error) { return Hidden, nil }

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

type secretSource struct {
	File string `yaml:"file"`
	Env  string `yaml:"env"`
}

func (s *Secret) decodeNode(d *decoder, n *yaml.Node, path string) {
	if n.Kind != yaml.MappingNode {
		d.errorf(n, path, "secrets do not stand in this file: write {file: PATH} or {env: NAME}")
		return
	}
	before := len(d.errs)
	var src secretSource
	d.mapping(n, path, valueOf(&src))
	switch {
	case len(d.errs) > before:
		return
	case (src.File == "") == (src.Env == ""):
		d.errorf(n, path, "give one of file and env")
		return
	case src.Env != "" && !envName.MatchString(src.Env):
		d.errorf(n, path, "%q is not the name of an environment variable", clip(src.Env))
		return
	case d.loader.o.NoSecrets:
		*s = NewSecret("")
		return
	}
	value, err := d.loader.secret(d, src)
	if err != nil {
		d.errorf(n, path, "%v", err)
		return
	}
	*s = NewSecret(value)
}

func (l *loader) secret(d *decoder, src secretSource) (string, error) {
	if src.Env != "" {
		v := strings.TrimRight(l.o.Getenv(src.Env), "\r\n")
		if v == "" {
			return "", fmt.Errorf("the environment variable %s is not set or empty", src.Env)
		}
		return v, nil
	}
	b, err := readPrivate(d.abs(src.File))
	if err != nil {
		return "", err
	}
	b = bytes.TrimRight(b, "\r\n")
	if len(b) == 0 {
		return "", fmt.Errorf("the secrets file %s is empty", src.File)
	}
	return string(b), nil
}
