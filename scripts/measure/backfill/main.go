// Command backfill measures how fast a channel's history becomes durable, against a bare loop over the same client library that keeps
// nothing. A child process serves a loopback Telegram with one channel of simulated posts; the bare loop and the collector with a
// fresh vault read it alternately, several times. It prints posts a second and the ratio, as a line for people and a line of JSON,
// for a round trip as it is to the real platform and for none at all. Without any, the bare loop is bound by nothing but decoding, and
// the collector by what the vault can make durable (scripts/measure/ingest); with one, both wait for the platform.
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
	"time"

	"github.com/rs/zerolog"

	"github.com/gotd/td/session"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

func main() {
	n := flag.Int("n", 40_000, "posts in the channel")
	runs := flag.Int("runs", 5, "runs of each")
	dir := flag.String("dir", "", "folder for the vaults; default: the system's folder for temporary files")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the client's side to this file")
	child := flag.Bool("serve", false, "be the child process that serves the channel")
	latency := flag.Duration("latency", -1, "delay of every answer; default: 20ms with a fifth of the posts, then 0s with all")
	flag.Parse()
	if flag.NArg() != 0 || *n < 1 || *runs < 1 {
		flag.Usage()
		os.Exit(2)
	}
	var err error
	switch {
	case *child:
		err = serve(*n, *latency)
	case *latency >= 0:
		err = run(*n, *runs, *latency, *dir, *profile)
	default:
		if err = run(max(1, *n/5), *runs, 20*time.Millisecond, *dir, ""); err == nil {
			err = run(*n, *runs, 0, *dir, *profile)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "backfill:", err)
		os.Exit(1)
	}
}

// outcome is the line of JSON.
type outcome struct {
	Benchmark string      `json:"benchmark"`
	Posts     int         `json:"posts"`
	LatencyMS float64     `json:"latency_ms"`
	Bare      lab.Figures `json:"bare_posts_per_second"`
	Durable   lab.Figures `json:"durable_posts_per_second"`
	Ratio     lab.Figures `json:"ratio"`       // of each durable run to the bare run before it
	BareCPU   lab.Figures `json:"bare_cpu_us"` // processor time a post of this process, not of the platform's
	OurCPU    lab.Figures `json:"durable_cpu_us"`
	Goal      float64     `json:"goal"`
}

func run(n, runs int, latency time.Duration, dir, profile string) (err error) {
	tmp, err := os.MkdirTemp(dir, "bench-backfill-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	srv, stop, err := spawn(n, latency)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	b := bench{srv: srv, posts: n, dir: tmp, store: &session.StorageMemory{}}
	if err := b.login(); err != nil {
		return err
	}
	end, err := lab.Profile(profile)
	if err != nil {
		return err
	}
	defer end()
	var bare, durable, ratio, bareCPU, ourCPU []float64
	for i := range runs {
		slow, err := b.bare()
		if err != nil {
			return fmt.Errorf("bare loop: %w", err)
		}
		ours, err := b.durable(i)
		if err != nil {
			return fmt.Errorf("durable backfill: %w", err)
		}
		bare, durable = append(bare, slow.rate), append(durable, ours.rate)
		bareCPU, ourCPU = append(bareCPU, slow.cpu), append(ourCPU, ours.cpu)
		ratio = append(ratio, ours.rate/slow.rate)
	}
	o := outcome{"backfill", n, float64(latency) / 1e6, lab.Summarise(bare), lab.Summarise(durable), lab.Summarise(ratio), lab.Summarise(bareCPU), lab.Summarise(ourCPU), goal(latency)}
	fmt.Printf("backfill: %d posts, round trip %s, %d runs: bare loop %.0f / %.0f / %.0f posts/s, durable %.0f / %.0f / %.0f posts/s, ratio %.2f / %.2f / %.2f (min/median/max; goal %.2f); processor time %.1f and %.1f µs a post (medians)\n",
		n, latency, runs, o.Bare.Min, o.Bare.Median, o.Bare.Max, o.Durable.Min, o.Durable.Median, o.Durable.Max, o.Ratio.Min, o.Ratio.Median, o.Ratio.Max, o.Goal, o.BareCPU.Median, o.OurCPU.Median)
	return json.NewEncoder(os.Stdout).Encode(o)
}

// goal is the ratio that was set for a round trip.
func goal(latency time.Duration) float64 {
	if latency == 0 {
		return 0.6
	}
	return 0.95
}

// pace is how fast posts came, a second, and what processor time one took, in microseconds.
type pace struct{ rate, cpu float64 }

type bench struct {
	srv   where
	posts int
	dir   string
	store *session.StorageMemory
}

func (b *bench) options() telegram.Options {
	return telegram.Options{
		Alias: "bench", AppID: b.srv.AppID, AppHash: b.srv.AppHash, Session: b.store, Build: "bench", Log: zerolog.Nop(), HistoryPace: -1, Unpaced: true,
		Network: &telegram.Network{DC: b.srv.DC, Addr: b.srv.Addr, PublicKeyPEM: []byte(b.srv.Key)},
	}
}

func (b *bench) login() error {
	code := func(context.Context) (string, error) { return b.srv.Code, nil }
	return telegram.Login(context.Background(), b.options(), telegram.Authenticator{Phone: b.srv.Phone, Code: code})
}

// durable reads the history into a fresh vault with the source as it is. The vault stays until the end: a file system that has just
// removed many files looks longer for a place for new ones.
func (b *bench) durable(i int) (p pace, err error) {
	path := filepath.Join(b.dir, "vault"+strconv.Itoa(i))
	v, err := lab.Vault(path)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := know(ctx, v); err != nil {
		return p, err
	}
	m := &meter{Vault: v, posts: b.posts, done: make(chan struct{})}
	src := telegram.New(b.options())
	src.Watch([]collectors.Target{{ID: "bench", Platform: "telegram", Address: "https://t.me/" + b.srv.Channel, Backfill: true, MaxBytes: 1}})
	ended := make(chan error, 1)
	go func() { ended <- src.Run(ctx, m) }()
	select {
	case <-m.done:
		cancel()
		err = <-ended
	case err = <-ended:
		err = errors.Join(errors.New("the source stopped early"), err)
	}
	return pace{float64(b.posts) / m.last.Sub(m.first).Seconds(), (m.endCPU - m.cpu) / float64(b.posts)}, err
}

// meter is the vault with a stop watch: it starts when the target is bound, since the bare loop too begins with a resolved
// channel, and stops when the last post is on disk.
type meter struct {
	*vault.Vault
	posts       int
	seen        int
	first, last time.Time
	cpu, endCPU float64
	done        chan struct{}
}

func (m *meter) Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error) {
	rs, err := m.Vault.Put(ctx, b)
	now := time.Now()
	for _, d := range b.Drafts {
		switch d.Body.(type) {
		case *evidence.AccountSeen:
			m.first, m.cpu = now, lab.CPU()
		case *evidence.PostSeen:
			if err == nil {
				m.seen++
				if m.seen == m.posts {
					m.last, m.endCPU = now, lab.CPU()
					close(m.done)
				}
			}
		}
	}
	return rs, err
}

func know(ctx context.Context, v *vault.Vault) error {
	_, err := v.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Target("bench"), Body: &evidence.TargetSet{Key: "bench", Platform: "telegram"},
	}}})
	return err
}
