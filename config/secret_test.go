package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"go.yaml.in/yaml/v3"
)

const hidden = "correct horse"

// holder keeps a secret where fmt reaches it by reflection only.
type holder struct {
	Open   Secret
	closed Secret
	ptr    *Secret
	m      map[string]Secret
}

// TestSecretIsHidden prints a secret in every way that a careless line of code could.
func TestSecretIsHidden(t *testing.T) {
	s := NewSecret(hidden)
	h := holder{s, s, &s, map[string]Secret{"k": s}}
	var out []string
	for _, v := range []any{s, &s, h, &h, []Secret{s}, []any{s}, Config{Telegram: Telegram{Accounts: []TelegramAccount{{AppHash: s}}}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p"} {
			out = append(out, fmt.Sprintf(verb, v))
		}
		out = append(out, fmt.Sprint(v), fmt.Sprintln(v))
	}
	for _, v := range []any{s, &s, h.m, struct{ S Secret }{s}, map[string]any{"a": s}} {
		j, err := json.Marshal(v)
		y, err2 := yaml.Marshal(v)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		out = append(out, string(j), string(y))
		for _, b := range [][]byte{j, y} {
			if !bytes.Contains(b, []byte("secret")) {
				t.Errorf("%s does not say that there is a secret", b)
			}
		}
	}
	var log bytes.Buffer
	l := zerolog.New(&log)
	l.Info().Stringer("a", s).Interface("b", s).Any("c", h).Fields(map[string]any{"d": s}).Err(fmt.Errorf("e: %v", s)).Msgf("%v", s)
	out = append(out, log.String(), fmt.Errorf("wrapped: %w, %v", errors.New("x"), s).Error())
	for _, o := range out {
		for _, leak := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden), fmt.Sprint([]byte(hidden))} {
			if strings.Contains(o, leak) {
				t.Errorf("the secret shows: %s", o)
			}
		}
	}
	if got := fmt.Sprintf("%v %s %#v %+v", s, s, s, s); got != "<secret> <secret> <secret> <secret>" {
		t.Errorf("got %s", got)
	}
	if s.Reveal() != hidden || s.IsZero() || !(Secret{}).IsZero() || (Secret{}).Reveal() != "" {
		t.Error("the secret is not what was given")
	}
	if !s.Equal(NewSecret(hidden)) || s.Equal(NewSecret("other")) || s.Equal(Secret{}) {
		t.Error("Equal does not compare the values")
	}
}

func TestSizeText(t *testing.T) {
	for text, want := range map[string]Size{"1": 1, "20MB": 20e6, "1.5 MB": 1.5e6, "512KiB": 512 << 10, "1GiB": 1 << 30, "4TiB": 4 << 40, "7B": 7} {
		var got Size
		d := &decoder{shapes: shapes{}}
		got.decodeNode(d, &yaml.Node{Kind: yaml.ScalarNode, Value: text}, "x")
		if got != want || len(d.errs) > 0 {
			t.Errorf("%s: got %d, %v, want %d", text, got, d.errs, want)
		}
	}
	for _, text := range []string{"0", "-1", "1e3", "0.5B", "5TiB", "20 mb", "MB", "1.2345MB", "९MB"} {
		var got Size
		d := &decoder{shapes: shapes{}}
		got.decodeNode(d, &yaml.Node{Kind: yaml.ScalarNode, Value: text}, "x")
		if len(d.errs) == 0 {
			t.Errorf("%s was taken as %d", text, got)
		}
	}
	for size, want := range map[Size]string{20e6: "20MB", 1500: "1500B", 1000: "1kB", 0: "0B"} {
		if got := size.String(); got != want {
			t.Errorf("%d prints %s, want %s", int64(size), got, want)
		}
	}
}
