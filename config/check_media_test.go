package config

import (
	"strings"
	"testing"
)

func TestMediaTypes(t *testing.T) {
	d := &decoder{}
	d.mediaTypes("collect.mime.deny", []string{"application/pdf", "image/*", "application/vnd.example.x+json"})
	if len(d.errs) != 0 {
		t.Errorf("good types are refused: %v", d.errs)
	}
	d.mediaTypes("collect.mime.deny", []string{"pdf", "Image/PNG", "*/*", "image/*", "image/*", "image/a*"})
	if len(d.errs) != 5 || !strings.Contains(d.errs[0].Error(), "media type") {
		t.Errorf("got %d: %v", len(d.errs), d.errs)
	}
}

func TestKindSizes(t *testing.T) {
	if got := (KindSizes{}).Map(); got != nil {
		t.Errorf("got %v of nothing", got)
	}
	got := KindSizes{Video: 200}.Map()
	if len(got) != 1 || got["video"] != 200 {
		t.Errorf("got %v", got)
	}
}
