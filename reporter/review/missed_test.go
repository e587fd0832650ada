package review_test

import (
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func TestAPostShowsWhatStandsForAFileAndByWhichRule(t *testing.T) {
	d, _ := approvedDesk(t)
	post := d.post("1234", 4711, "simulated", evidence.Media{ID: "video 1", Type: "video"})
	name := account("1234").Post(4711)
	source := evidence.Source("test")
	d.put(source, name, &evidence.MediaMissed{MediaID: "video 1", Reason: "too-large", Rule: "collect.max_bytes", Size: 1 << 30})
	sum, n, err := d.vault.Keep(t.Context(), strings.NewReader("x"), 1)
	if err != nil {
		t.Fatal(err)
	}
	d.put(source, name, &evidence.MediaKept{MediaID: "video 1", Thumbnail: true, StandsFor: "collect.max_bytes", Blob: evidence.Object{SHA256: sum, Size: n}})
	p, err := d.Show(t.Context(), "ana", post)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Media) != 1 {
		t.Fatalf("files %+v", p.Media)
	}
	f := p.Media[0]
	if f.Missed != "too-large" || !strings.Contains(f.Says, "collect.max_bytes") || f.Preview.Size != 1 || !strings.Contains(f.PreviewSays, "in place of the file itself") {
		t.Errorf("got %+v", f)
	}
	told := ""
	for _, h := range p.History {
		told += h.Detail + "\n"
	}
	if !strings.Contains(told, "rule collect.max_bytes") {
		t.Errorf("the history says %q", told)
	}
}
