package daemon

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/room"
	"github.com/muhafiz/muhafiz/config"
)

// meter is a disk whose free room the test turns.
type meter struct{ free, total int64 }

func (m *meter) disk(string) (int64, int64, error) { return m.free, m.total, nil }

const spaceConfig = "space: {media: 40MB, history: 28MB, collection: 16MB, media_over: 100kB, reserve: 8MB}\n"

// metered is a vault on a disk of 100 MB by the meter, held without a daemon.
func metered(t *testing.T) (*Client, *Rooms, *meter) {
	t.Helper()
	s, m := newSite(t), &meter{free: 90e6, total: 100e6}
	s.append("muhafiz.yaml", spaceConfig)
	o := s.options()
	o.Disk = m.disk
	r, err := OpenRooms(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c := s.client(func() (*Rooms, error) { return r, nil }) // closes it
	if err := r.space.tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c, r, m
}

func TestSpaceLevels(t *testing.T) {
	_, r, m := metered(t)
	x := r.space
	if st := x.status(); st.Reserve.Missing(st.Reserved) != 0 {
		t.Fatalf("room is not set aside: %+v", st)
	}
	for _, c := range []struct {
		free    int64
		level   string
		history bool
		large   bool
		small   bool
	}{
		{90e6, "ample", true, true, true},
		{39e6, "media-limited", true, false, true},
		{27e6, "no-backfill", false, false, true},
		{15e6, "no-collection", false, false, false},
		{19e6, "no-collection", false, false, false}, // not yet a quarter more
		{20e6, "no-backfill", false, false, true},
		{36e6, "media-limited", true, false, true},
		{90e6, "ample", true, true, true},
	} {
		m.free = c.free
		if got := x.History(); got != c.history {
			t.Errorf("%d free: history %t", c.free, got)
		}
		if got := x.File(1e6); got != c.large {
			t.Errorf("%d free: a large file %t", c.free, got)
		}
		if got := x.File(1e5); got != c.small {
			t.Errorf("%d free: a small file %t", c.free, got)
		}
		st := x.status()
		if st.Level != c.level || (st.Stopped == "") != (c.level == "ample") || (st.Do == "") != (c.level == "ample") {
			t.Errorf("%d free: %+v", c.free, st)
		}
	}
}

// At the last level the reserve's file goes when its bytes are needed, and is there again when clearly more room is.
func TestTheReserveIsGivenUpAndMadeAgain(t *testing.T) {
	_, r, m := metered(t)
	tend := func(free int64) {
		t.Helper()
		m.free = free
		if err := r.space.tend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(r.Vault.Path(), "reserve")
	there := func() bool { _, err := os.Stat(file); return err == nil }
	for _, c := range []struct {
		free int64
		want bool
	}{{90e6, true}, {15e6, true}, {4e6, true}, {3.9e6, false}, {7.9e6, false}, {11e6, false}, {12e6, true}, {90e6, true}} {
		if tend(c.free); there() != c.want {
			t.Errorf("with %d free the file is there: %t", c.free, !c.want)
		}
	}
	if n, err := r.Vault.Ahead(); err != nil || n < 4e6 {
		t.Errorf("vault.db has %d bytes beyond its last page, %v", n, err)
	}
	st, err := os.Stat(filepath.Join(r.Vault.Path(), "vault.db"))
	if err != nil || st.Size() < 4e6 {
		t.Errorf("got %v, %v", st, err)
	}
}

func TestAnImportIsRefusedWithoutRoom(t *testing.T) {
	c, r, m := metered(t)
	s := &site{t: t, dir: filepath.Dir(r.Vault.Path())}
	if err := s.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	m.free = 10e6
	err := c.Call(t.Context(), "POST", "/v1/imports", ImportRequest{Person: "amna", Target: "one", Path: s.path("nothing")}, nil)
	if err == nil || !strings.Contains(err.Error(), "the disk with the vault has no room") {
		t.Errorf("got %v", err)
	}
	sink := roomed{Sink: r.Vault, space: r.space, strict: true}
	if _, err := sink.Put(t.Context(), evidence.Batch{}); err == nil {
		t.Error("an import that was under way goes on")
	}
	if _, _, err := sink.Keep(t.Context(), strings.NewReader("x"), 1); err == nil {
		t.Error("a file of an import that was under way is kept")
	}
	m.free = 90e6
	if _, _, err := sink.Keep(t.Context(), strings.NewReader("x"), 1); err != nil {
		t.Error(err)
	}
}

// Sources wait while there is no room and go on when there is.
func TestReadingWaits(t *testing.T) {
	_, r, m := metered(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := r.space.Reading(ctx, true); err != nil {
		t.Fatal(err)
	}
	m.free = 10e6
	if err := r.space.Reading(ctx, false); err != nil {
		t.Fatal(err)
	}
	began, done := make(chan struct{}), make(chan error, 1)
	go func() {
		close(began)
		done <- r.space.Reading(ctx, true)
	}()
	<-began
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	r.space.mu.Lock()
	m.free = 90e6
	r.space.mu.Unlock()
	r.space.look()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAlertsOfAFillingDisk(t *testing.T) {
	b := newBell(t, "space: {media: 40MB, history: 28MB, collection: 16MB, media_over: 100kB, reserve: 8MB}\n")
	m := &meter{free: 90e6, total: 100e6}
	b.rooms.space.disk = m.disk
	if err := b.rooms.space.tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := b.alarm()
	keys := func(free int64) []string {
		t.Helper()
		b.now, m.free = b.now.Add(time.Minute), free
		if err := a.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		open, err := b.rooms.openAlerts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for k := range open {
			out = append(out, k)
		}
		slices.Sort(out)
		return out
	}
	told := 0
	for _, c := range []struct {
		free  int64
		want  []string
		mails int
	}{
		{90e6, nil, 0},
		{39e6, []string{"disk/media-limited"}, 1},
		{38e6, []string{"disk/media-limited"}, 0}, // said once
		{27e6, []string{"disk/media-limited", "disk/no-backfill"}, 1},
		{15e6, []string{"disk/media-limited", "disk/no-backfill", "disk/no-collection"}, 1},
		{36e6, []string{"disk/media-limited"}, 1},
		{90e6, nil, 1},
	} {
		if got := keys(c.free); !slices.Equal(got, c.want) {
			t.Errorf("%d free: open are %v, want %v", c.free, got, c.want)
		}
		letters := b.mail.take()
		if len(letters) != c.mails {
			t.Errorf("%d free: %d letters", c.free, len(letters))
		}
		told += len(letters)
	}
	if told == 0 {
		t.Error("nobody was told anything")
	}
	// While nothing is collected for want of room, a target that is not seen is no news.
	m.free = 10e6
	b.state(&evidence.Collector{State: "no-room"})
	b.now = b.now.Add(24 * time.Hour)
	troubles, err := a.troubles(t.Context(), b.now)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range troubles {
		if !strings.HasPrefix(x.key, keyDisk) && !x.quiet {
			t.Errorf("told beside the disk: %+v", x)
		}
	}
}

// The forecast is unknown at first, says when the disk is full at the recent rate, and outlives a restart.
func TestForecastOutlivesARestart(t *testing.T) {
	s, m := newSite(t), &meter{free: 90e6, total: 100e6}
	s.append("muhafiz.yaml", spaceConfig)
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	open := func() *Rooms {
		o := s.options()
		o.Disk, o.Now = m.disk, func() time.Time { return now }
		r, err := OpenRooms(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open()
	if st := r.space.status(); st.DaysLeft != nil || !strings.Contains(st.Line(), "not known yet") {
		t.Errorf("got %+v", st)
	}
	for i := range 49 {
		r.space.mu.Lock()
		r.space.kept = int64(i) * 1e6 / 2
		r.space.mu.Unlock()
		r.space.sample()
		now = now.Add(time.Hour)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open()
	st := r.space.status()
	// 12 MB a day; 74 MB are left until 16 MB, less the 8 MB that are not set aside.
	if st.DaysLeft == nil || *st.PerDay < 11.9e6 || *st.PerDay > 12.5e6 || *st.DaysLeft < 5 || *st.DaysLeft > 6.2 {
		t.Errorf("got %s", st.Line())
	}
	if len(st.warnings(true)) == 0 {
		t.Error("less than a week is no warning")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	s.write("vault/index/growth.json", `{"samples":[{"at":"2026-01-02T00:00:00Z","added":-5}]}`)
	r = open()
	if st := r.space.status(); st.DaysLeft != nil {
		t.Errorf("nonsense was believed: %+v", st)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMetricsOfTheDisk(t *testing.T) {
	s := newSite(t)
	s.append("muhafiz.yaml", spaceConfig)
	o := s.options()
	o.Disk = (&meter{free: 27e6, total: 100e6}).disk
	d := New(o)
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer d.Stop()
	text := scrape(t, func(ctx context.Context, _, _ string) (net.Conn, error) { return dialSocket(ctx, s.path("vault")) }, "http://muhafiz/metrics")
	for _, want := range []string{
		"muhafiz_disk_free_bytes 2.7e+07", "muhafiz_disk_bytes 1e+08", `muhafiz_disk_level{level="no-backfill"} 1`, `muhafiz_disk_level{level="ample"} 0`,
		"muhafiz_disk_reserve_missing_bytes 0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "muhafiz_disk_days_left ") {
		t.Error("a forecast out of nothing")
	}
	c := s.client(nil)
	var st Status
	if err := c.Call(t.Context(), "GET", "/v1/status", nil, &st); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(st.Warnings, func(w string) bool { return strings.Contains(w, "no history is read") && strings.Contains(w, "make ") }) {
		t.Errorf("got %v", st.Warnings)
	}
	if b, err := json.Marshal(st.Space); err != nil || !strings.Contains(string(b), `"days_left":null`) {
		t.Errorf("%s, %v", b, err)
	}
}

// Limits in different units come in their order on any disk.
func TestLimitsOf(t *testing.T) {
	for _, total := range []int64{64e6, 1e9, 100e9, 20e12} {
		var c config.Space
		c.Media, c.History, c.Collection, c.Reserve = config.Portion{Bytes: 8e9, PerMille: 100}, config.Portion{Bytes: 4e9, PerMille: 50}, config.Portion{Bytes: 1e9, PerMille: 20}, config.Portion{Bytes: 64e6, PerMille: 20}
		l, r := limitsOf(c, total)
		if l != l.Ordered() || l.Collection < r.File+r.Ahead || l.Media > total/10+1000 || l.Media > 8e9 {
			t.Errorf("on %d: %+v, %+v", total, l, r)
		}
	}
	mixed := room.Limits{Media: 1, History: 2e9, Collection: 3}.Ordered()
	if mixed.Media != 2e9 {
		t.Errorf("got %+v", mixed)
	}
	var _ collectors.Room = (*space)(nil)
}
