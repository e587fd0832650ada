package evidence

import (
	"testing"
	"time"
)

func TestAMissedFileSaysWhyInPlainWords(t *testing.T) {
	next := At(time.Date(2026, 11, 24, 8, 15, 0, 0, time.UTC))
	for _, c := range []struct {
		m    MediaMissed
		want string
	}{
		{MediaMissed{Reason: "too-large", Rule: "collect.max_bytes", Size: 9}, "it is larger than may be kept: the target's limit for one file (rule collect.max_bytes); 9 bytes are announced"},
		{MediaMissed{Reason: "not-collected", Rule: "collect.media"}, "it is of a sort that is not collected: the target keeps no files of this kind (rule collect.media)"},
		{MediaMissed{Reason: "not-collected", Rule: "collect.mime.deny"}, "it is of a sort that is not collected: the target keeps no files of this type (rule collect.mime.deny)"},
		{MediaMissed{Reason: "not-collected", Rule: "collect.mime.allow"}, "it is of a sort that is not collected: the type is not among those that the target keeps (rule collect.mime.allow)"},
		{MediaMissed{Reason: "unreachable", Next: next}, "it could not be fetched; next try 2026-11-24 08:15 UTC"},
		{MediaMissed{Reason: "unreachable", Attempts: 5, Thumbnail: true}, "its smaller rendering could not be fetched; given up after 5 attempts"},
		{MediaMissed{Reason: "gone"}, "the platform no longer serves it"},
		{MediaMissed{Reason: "of a later build", Rule: "x.y"}, "of a later build: by the target's configuration (rule x.y)"},
	} {
		if got := c.m.Says(); got != c.want {
			t.Errorf("%+v\n got %q\nwant %q", c.m, got, c.want)
		}
	}
	k := MediaKept{Thumbnail: true, StandsFor: "collect.max_bytes_of.video"}
	if want := "a smaller rendering, in place of the file itself: the target's limit for one file of the kind video (rule collect.max_bytes_of.video)"; k.Says() != want {
		t.Errorf("got %q", k.Says())
	}
	if (&MediaKept{}).Says() != "" || (&MediaKept{Thumbnail: true}).Says() == "" {
		t.Error("a file that stands for itself says otherwise")
	}
}
