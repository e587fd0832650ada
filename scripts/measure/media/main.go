// Command media measures how fast a file becomes durable, against the client library's own downloader with eight parts at a time, which
// keeps nothing. A child process serves a loopback Telegram with one channel and one simulated file; the bare client, the source with a
// plain vault and the source with a sealed one fetch it in turn, several times, over eight connections that are made anew each time. It
// prints bytes a second, the processor time of the client's side and the ratios, as lines for people and a line of JSON, for no round trip
// and for one of 50 ms. It says nothing about the real platform's limits.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/gotd/td/session"
	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

const threads = 8

func main() {
	mib := flag.Int("mib", 256, "size of the file")
	runs := flag.Int("runs", 5, "runs of each")
	dir := flag.String("dir", "", "folder for the vaults; default: the system's folder for temporary files")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the client's side to this file")
	child := flag.Bool("serve", false, "be the child process that serves the file")
	latency := flag.Duration("latency", -1, "delay of every answer; default: 0s, then 50ms")
	flag.Parse()
	if flag.NArg() != 0 || *mib < 1 || *runs < 1 {
		flag.Usage()
		os.Exit(2)
	}
	var err error
	switch {
	case *child:
		err = serve(*mib<<20, *latency)
	case *latency >= 0:
		err = run(*mib, *runs, *latency, *dir, *profile)
	default:
		if err = run(*mib, *runs, 0, *dir, *profile); err == nil {
			err = run(*mib, *runs, 50*time.Millisecond, *dir, "")
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "media:", err)
		os.Exit(1)
	}
}

// outcome is the line of JSON. Rates are in MiB a second, processor time in seconds a download; ratios are of each durable run to the
// bare run before it.
type outcome struct {
	Benchmark   string      `json:"benchmark"`
	MiB         int         `json:"mib"`
	LatencyMS   float64     `json:"latency_ms"`
	Bare        lab.Figures `json:"bare_mib_per_second"`
	BareCPU     lab.Figures `json:"bare_cpu_seconds"`
	Durable     lab.Figures `json:"durable_mib_per_second"`
	CPU         lab.Figures `json:"durable_cpu_seconds"`
	Ratio       lab.Figures `json:"ratio"`
	Sealed      lab.Figures `json:"sealed_mib_per_second"`
	SealedCPU   lab.Figures `json:"sealed_cpu_seconds"`
	SealedRatio lab.Figures `json:"sealed_ratio"`
	Goal        float64     `json:"goal"`
}

// series are the runs of one way to download.
type series struct{ rate, cpu, ratio []float64 }

// add appends a run, and returns its rate.
func (s *series) add(mib int, r once, bare float64) float64 {
	rate := float64(mib) / r.took.Seconds()
	s.rate, s.cpu = append(s.rate, rate), append(s.cpu, r.cpu.Seconds())
	if bare > 0 {
		s.ratio = append(s.ratio, rate/bare)
	}
	return rate
}

func say(name string, f lab.Figures, cpu lab.Figures) {
	fmt.Printf("  %-8s %4.0f / %4.0f / %4.0f MiB/s, %.2f / %.2f / %.2f s of processor time", name, f.Min, f.Median, f.Max, cpu.Min, cpu.Median, cpu.Max)
}

func run(mib, runs int, latency time.Duration, dir, profile string) (err error) {
	tmp, err := os.MkdirTemp(dir, "bench-media-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	srv, stop, err := spawn(mib, latency)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	b := bench{srv: srv, dir: tmp, store: &session.StorageMemory{}}
	code := func(context.Context) (string, error) { return srv.Code, nil }
	if err := telegram.Login(context.Background(), b.options(), telegram.Authenticator{Phone: srv.Phone, Code: code}); err != nil {
		return err
	}
	end, err := lab.Profile(profile)
	if err != nil {
		return err
	}
	defer end()
	var bare, plain, sealed series
	for i := range runs {
		slow, err := b.bare(int64(mib) << 20)
		if err != nil {
			return fmt.Errorf("bare download: %w", err)
		}
		rate := bare.add(mib, slow, 0)
		for _, way := range []struct {
			make func(string) (*vault.Vault, error)
			to   *series
		}{{lab.Vault, &plain}, {lab.SealedVault, &sealed}} {
			ours, err := b.durable(i, way.make)
			if err != nil {
				return fmt.Errorf("durable download: %w", err)
			}
			way.to.add(mib, ours, rate)
		}
	}
	sum := lab.Summarise
	o := outcome{
		"media", mib, float64(latency) / 1e6, sum(bare.rate), sum(bare.cpu), sum(plain.rate), sum(plain.cpu), sum(plain.ratio),
		sum(sealed.rate), sum(sealed.cpu), sum(sealed.ratio), 0.8,
	}
	fmt.Printf("media: %d MiB, round trip %s, %d runs (min / median / max; goal %.1f)\n", mib, latency, runs, o.Goal)
	say("bare", o.Bare, o.BareCPU)
	fmt.Println()
	say("durable", o.Durable, o.CPU)
	fmt.Printf(", ratio %.2f / %.2f / %.2f\n", o.Ratio.Min, o.Ratio.Median, o.Ratio.Max)
	say("sealed", o.Sealed, o.SealedCPU)
	fmt.Printf(", ratio %.2f / %.2f / %.2f\n", o.SealedRatio.Min, o.SealedRatio.Median, o.SealedRatio.Max)
	return json.NewEncoder(os.Stdout).Encode(o)
}

type bench struct {
	srv   where
	dir   string
	store *session.StorageMemory
}

func (b *bench) options() telegram.Options {
	return telegram.Options{
		Alias: "bench", AppID: b.srv.AppID, AppHash: b.srv.AppHash, Session: b.store, Build: "bench", Log: zerolog.Nop(), HistoryPace: -1,
		Unpaced: true, Threads: threads,
		Network: &telegram.Network{DC: b.srv.DC, Addr: b.srv.Addr, PublicKeyPEM: []byte(b.srv.Key)},
	}
}

// once is one download: how long it took, and the processor time of this process meanwhile.
type once struct{ took, cpu time.Duration }

// durable fetches the file into a fresh vault with the source as it is, its parts resumable.
func (b *bench) durable(i int, fresh func(string) (*vault.Vault, error)) (r once, err error) {
	path := filepath.Join(b.dir, "vault"+strconv.Itoa(i))
	v, err := fresh(path)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, v.Close(), os.RemoveAll(path), os.RemoveAll(path+".key")) }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err = v.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Target("bench"), Body: &evidence.TargetSet{Key: "bench", Platform: "telegram"},
	}}})
	if err != nil {
		return r, err
	}
	m := &meter{Vault: v, done: make(chan error, 1)}
	o := b.options()
	o.Partial = filepath.Join(path, "partial")
	src := telegram.New(o)
	src.Watch([]collectors.Target{{
		ID: "bench", Platform: "telegram", Address: "https://t.me/" + b.srv.Channel, Backfill: true, Media: []string{"document"}, MaxBytes: 4 << 30,
	}})
	ended := make(chan error, 1)
	go func() { ended <- src.Run(ctx, m) }()
	select {
	case err = <-m.done:
		cancel()
		err = errors.Join(err, <-ended)
	case err = <-ended:
		err = errors.Join(errors.New("the source stopped early"), err)
	}
	return once{m.last.Sub(m.first), m.cpu}, err
}

// cpu is the processor time of this process so far, the system's part of it included.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0 // cannot be, for oneself
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// meter is the vault with a stop watch: it starts when the post with the file is on disk, since the bare download too begins with a
// known location, and stops when the file's record is.
type meter struct {
	*vault.Vault
	first, last time.Time
	cpu         time.Duration // between them
	done        chan error
}

func (m *meter) Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error) {
	rs, err := m.Vault.Put(ctx, b)
	now := time.Now()
	for _, d := range b.Drafts {
		switch x := d.Body.(type) {
		case *evidence.PostSeen:
			m.first, m.cpu = now, -cpu()
		case *evidence.MediaKept:
			m.last = now
			m.cpu += cpu()
			m.done <- err
		case *evidence.MediaMissed:
			m.done <- errors.New("the file was missed: " + x.Reason + " " + x.Detail)
		}
	}
	return rs, err
}
