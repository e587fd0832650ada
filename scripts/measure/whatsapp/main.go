// Command whatsapp measures the collector of WhatsApp Channels on a loopback platform in a child process: how fast a history becomes
// durable against a bare loop over the same client library that keeps nothing, how many pushed posts a second become durable while
// the acknowledgements of earlier ones go out and how long a post takes until it is on disk and until the platform has its
// acknowledgement, and what memory 500 channels take. It prints each as a line for people and a line of JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

func main() {
	n := flag.Int("n", 40_000, "posts of the history, and of the pushes")
	channels := flag.Int("channels", 500, "channels for the memory, of 100 posts each")
	runs := flag.Int("runs", 3, "runs of each but the memory's")
	what := flag.String("what", "history,push,memory", "parts to measure: history, push, memory, or all three")
	dir := flag.String("dir", "", "folder for the vaults; default: the system's folder for temporary files")
	profile := flag.String("cpuprofile", "", "write a CPU profile of our side to this file")
	latency := flag.Duration("latency", 0, "delay of every answer, in the child")
	child := flag.Bool("serve", false, "be the child process that serves the channels")
	flag.Parse()
	if flag.NArg() != 0 || *n < 1 || *runs < 1 || *channels < 1 {
		flag.Usage()
		os.Exit(2)
	}
	err := error(nil)
	if *child {
		err = serve(*channels, *n, *latency)
	} else {
		err = measure(*what, *n, *channels, *runs, *dir, *profile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "whatsapp:", err)
		os.Exit(1)
	}
}

// outcome is a line of JSON.
type outcome struct {
	Benchmark string       `json:"benchmark"`
	Posts     int          `json:"posts"`
	Channels  int          `json:"channels"`
	LatencyMS float64      `json:"latency_ms"`
	Bare      *lab.Figures `json:"bare_posts_per_second,omitempty"`
	Durable   *lab.Figures `json:"durable_posts_per_second,omitempty"`
	Ratio     *lab.Figures `json:"ratio,omitempty"`       // of each durable run to the bare run before it
	BareCPU   *lab.Figures `json:"bare_cpu_us,omitempty"` // processor time a post of this process, not of the platform's
	OurCPU    *lab.Figures `json:"durable_cpu_us,omitempty"`
	RSS       float64      `json:"rss_mb,omitempty"`
	Anonymous float64      `json:"rss_without_the_mapped_log_mb,omitempty"`
	Most      float64      `json:"most_rss_mb,omitempty"`
	Burst     *delays      `json:"at_once,omitempty"`
	Steady    *delays      `json:"steady,omitempty"`
	Goal      float64      `json:"goal"`
}

func measure(what string, n, channels, runs int, dir, profile string) (err error) {
	tmp, err := os.MkdirTemp(dir, "bench-whatsapp-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	end, err := lab.Profile(profile)
	if err != nil {
		return err
	}
	defer end()
	for _, part := range []struct {
		name            string
		channels, posts int
		latency         time.Duration
		run             func(*bench, int) (outcome, error)
	}{
		{"history", 1, max(1, n/5), 20 * time.Millisecond, (*bench).history},
		{"history", 1, n, 0, (*bench).history},
		{"push", 1, 1, 0, (*bench).push},
		{"memory", channels, 100, 0, (*bench).memory},
	} {
		if what != "history,push,memory" && what != part.name {
			continue
		}
		if err := in(tmp, part.channels, part.posts, n, part.latency, func(b *bench) error {
			o, err := part.run(b, runs)
			if err != nil {
				return err
			}
			return json.NewEncoder(os.Stdout).Encode(o)
		}); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// in measures on a platform of its own, with an account that is linked.
func in(dir string, channels, posts, pushes int, latency time.Duration, f func(*bench) error) (err error) {
	srv, err := spawn(channels, posts, latency)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.stop()) }()
	if dir, err = os.MkdirTemp(dir, "part-"); err != nil {
		return err
	}
	b := &bench{srv: srv, posts: posts, pushes: pushes, latency: latency, dir: dir}
	ctx := context.Background()
	err = whatsapp.Login(ctx, b.options(), whatsapp.Pairing{QR: func(text string) {
		go func() {
			if _, err := whatsapptest.ScanAt(ctx, srv.Addr, text, whatsapptest.DefaultAccount()); err != nil {
				fmt.Fprintln(os.Stderr, "scan:", err)
			}
		}()
	}})
	if err != nil {
		return err
	}
	return f(b)
}

type bench struct {
	srv           *platform
	posts, pushes int
	latency       time.Duration
	dir           string
	key           key
}

// key keeps the key of the device's store for as long as the measurement runs.
type key struct{ b []byte }

func (k *key) LoadSession(context.Context) ([]byte, error) { return k.b, nil }
func (k *key) StoreSession(_ context.Context, b []byte) error {
	k.b = b
	return nil
}

func (b *bench) options() whatsapp.Options {
	n := whatsapp.Network(b.srv.Endpoint)
	return whatsapp.Options{
		Alias: "bench", Device: whatsapp.Device{Path: filepath.Join(b.dir, "device.db"), Key: &b.key}, Network: &n, Build: "bench", Log: zerolog.Nop(),
		QueryPace: -1, QueriesAnHour: -1,
	}
}

func (b *bench) history(runs int) (outcome, error) {
	cli, err := b.bareClient(context.Background())
	if err != nil {
		return outcome{}, err
	}
	defer cli.Disconnect()
	var bare, durable, ratio, bareCPU, ourCPU []float64
	for i := range runs {
		cpu := lab.CPU()
		slow, err := b.bare(context.Background(), cli)
		bareCPU = append(bareCPU, (lab.CPU()-cpu)/float64(b.posts))
		if err != nil {
			return outcome{}, fmt.Errorf("bare loop: %w", err)
		}
		var ours float64
		err = b.observe(i, collectors.ModeRotation, func(m *meter) error {
			if err := m.wait(b.posts); err != nil {
				return err
			}
			ours = float64(b.posts) / m.last.Sub(m.first).Seconds()
			ourCPU = append(ourCPU, (m.endCPU-m.cpu)/float64(b.posts))
			return nil
		})
		if err != nil {
			return outcome{}, fmt.Errorf("durable history: %w", err)
		}
		bare, durable, ratio = append(bare, slow), append(durable, ours), append(ratio, ours/slow)
	}
	o := outcome{Benchmark: "whatsapp history", Posts: b.posts, Channels: 1, LatencyMS: float64(b.latency) / 1e6, Bare: of(bare), Durable: of(durable), Ratio: of(ratio), BareCPU: of(bareCPU), OurCPU: of(ourCPU), Goal: 0.6}
	fmt.Printf("whatsapp history: %d posts, round trip %s, %d runs: bare loop %.0f / %.0f / %.0f posts/s, durable %.0f / %.0f / %.0f posts/s, ratio %.2f / %.2f / %.2f (min/median/max; goal %.1f); processor time %.1f and %.1f µs a post (medians)\n",
		b.posts, b.latency, runs, o.Bare.Min, o.Bare.Median, o.Bare.Max, o.Durable.Min, o.Durable.Median, o.Durable.Max, o.Ratio.Min, o.Ratio.Median, o.Ratio.Max, o.Goal, o.BareCPU.Median, o.OurCPU.Median)
	return o, nil
}

// steady is the pace of the second part of push, in which nothing piles up: 500 posts a second, for a few seconds.
const (
	steady      = 2 * time.Millisecond
	steadyPosts = 2500
)

// push follows the channel, and has it post: as quickly as it can, and at a steady pace.
func (b *bench) push(runs int) (outcome, error) {
	var rates []float64
	var burst, paced waits
	for i := range runs {
		err := b.observe(i, collectors.ModeJoined, func(m *meter) error {
			if err := m.wait(b.posts + i*(b.pushes+steadyPosts)); err != nil {
				return err
			}
			rate, err := b.pushed(m, b.pushes, 0, &burst)
			if err != nil {
				return err
			}
			rates = append(rates, rate)
			_, err = b.pushed(m, steadyPosts, steady, &paced)
			return err
		})
		if err != nil {
			return outcome{}, err
		}
	}
	o := outcome{
		Benchmark: "whatsapp push", Posts: b.pushes, Channels: 1, Durable: of(rates), Goal: 5000,
		Burst: burst.delays(), Steady: paced.delays(),
	}
	fmt.Printf("whatsapp push: %d posts at once, %d runs: %.0f / %.0f / %.0f posts/s durable (min/median/max; goal %.0f); %s\n",
		b.pushes, runs, o.Durable.Min, o.Durable.Median, o.Durable.Max, o.Goal, o.Burst)
	fmt.Printf("whatsapp push: %d posts, one every %s: %s\n", steadyPosts, steady, o.Steady)
	return o, nil
}

// pushed has the channel post, and returns how many a second became durable.
func (b *bench) pushed(m *meter, n int, every time.Duration, w *waits) (float64, error) {
	m.again()
	if err := b.srv.push(n, every); err != nil {
		return 0, err
	}
	if err := m.wait(n); err != nil {
		return 0, err
	}
	ds, err := b.srv.pushed()
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return float64(n) / m.last.Sub(m.first).Seconds(), w.add(ds, m.at)
}

func (b *bench) memory(int) (o outcome, err error) {
	n := len(b.srv.Links)
	o = outcome{Benchmark: "whatsapp memory", Posts: b.posts, Channels: n, Goal: 150}
	err = b.observe(0, collectors.ModeRotation, func(m *meter) error {
		if err := m.wait(n * b.posts); err != nil {
			return err
		}
		debug.FreeOSMemory()
		if o.RSS, err = lab.Memory("VmRSS"); err != nil {
			return err
		}
		if o.Anonymous, err = lab.Memory("RssAnon"); err != nil {
			return err
		}
		o.Most, err = lab.Memory("VmHWM")
		return err
	})
	fmt.Printf("whatsapp memory: %d channels of %d posts: RSS %.0f MB (goal %.0f), %.0f without the mapped log, %.0f at most\n", n, b.posts, o.RSS, o.Goal, o.Anonymous, o.Most)
	return o, err
}

func of(v []float64) *lab.Figures {
	f := lab.Summarise(v)
	return &f
}

// observe runs the source as it is over all channels, into a fresh vault, while f runs.
func (b *bench) observe(i int, mode string, f func(*meter) error) (err error) {
	path := filepath.Join(b.dir, "vault"+strconv.Itoa(i))
	v, err := lab.Vault(path)
	if err != nil {
		return err
	}
	// The vault stays until the end: a file system that has just removed many files looks longer for a place for new ones.
	defer func() { err = errors.Join(err, v.Close()) }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var targets []collectors.Target
	var known []evidence.Draft
	for i, link := range b.srv.Links {
		id := fmt.Sprintf("bench%04d", i)
		targets = append(targets, collectors.Target{ID: id, Platform: "whatsapp", Address: link, Backfill: true, MaxBytes: 1, Mode: mode})
		known = append(known, evidence.Draft{ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Target(id), Body: &evidence.TargetSet{Key: id, Platform: "whatsapp"}})
	}
	if _, err := v.Put(ctx, evidence.Batch{Drafts: known}); err != nil {
		return err
	}
	m := &meter{
		Vault: v, ended: make(chan error, 1), news: make(chan struct{}, 1),
		hash: maphash.MakeSeed(), seen: map[uint64]bool{}, at: map[string]int64{},
	}
	src := whatsapp.New(b.options())
	src.Watch(targets)
	go func() { m.ended <- src.Run(ctx, m) }()
	if err := f(m); err != nil {
		return err
	}
	cancel()
	return <-m.ended
}
