// Command sweep measures what it costs to look at thousands of idle targets in rotation: the processor's time of one sweep, and the
// memory. A child process serves a loopback Telegram with that many channels. A first source reads their short histories into a
// vault; a second one, on the same vault, then finds nothing new, which is what is measured: once with its start, and once more
// without. It prints a line for people and a line of JSON.
//
// Budgets are off: they spread a sweep over an hour and cost nothing that is worth measuring.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
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
	n := flag.Int("targets", 5000, "targets in rotation")
	posts := flag.Int("posts", 100, "posts of each")
	dir := flag.String("dir", "", "folder for the vault; default: the system's folder for temporary files")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the sweeps to this file")
	child := flag.Bool("serve", false, "be the child process that serves the channels")
	flag.Parse()
	if flag.NArg() != 0 || *n < 1 || *posts < 1 {
		flag.Usage()
		os.Exit(2)
	}
	err := error(nil)
	if *child {
		err = serve(*n, *posts)
	} else {
		err = run(*n, *posts, *dir, *profile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sweep:", err)
		os.Exit(1)
	}
}

// outcome is the line of JSON. The goals are 3 s of a sweep and 200 MB.
type outcome struct {
	Benchmark string  `json:"benchmark"`
	Targets   int     `json:"targets"`
	Posts     int     `json:"posts_each"`
	StartCPU  float64 `json:"first_sweep_with_start_cpu_s"`
	SweepCPU  float64 `json:"sweep_cpu_s"` // all between the ends of two sweeps
	SweepWall float64 `json:"sweep_s"`
	RSS       float64 `json:"rss_mb"`
	Anonymous float64 `json:"rss_without_the_mapped_log_mb"`
	Commits   int     `json:"commits_during_sweep"`
}

type bench struct {
	srv     *server
	v       *sink
	n       int
	session *session.FileStorage
}

func run(n, posts int, dir, profile string) (err error) {
	tmp, err := os.MkdirTemp(dir, "bench-sweep-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	srv, err := spawn(n, posts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.stop()) }()
	vo, err := lab.Options()
	if err != nil {
		return err
	}
	v, err := vault.Create(filepath.Join(tmp, "vault"), vo)
	if err != nil {
		return err
	}
	b := bench{srv: srv, v: &sink{Vault: v, want: n * posts, done: make(chan struct{})}, n: n, session: &session.FileStorage{Path: filepath.Join(tmp, "session")}}
	if err := errors.Join(b.prepare(), v.Close()); err != nil {
		return err
	}
	// Opened again, the log is mapped anew: what writing it touched is no longer in memory.
	if b.v.Vault, err = vault.Open(filepath.Join(tmp, "vault"), vo); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.v.Vault.Close()) }()
	debug.FreeOSMemory()
	end, err := lab.Profile(profile)
	if err != nil {
		return err
	}
	o, err := b.sweep()
	end()
	if err != nil {
		return err
	}
	o.Targets, o.Posts = n, posts
	fmt.Printf("sweep: %d idle targets of %d posts each: %.2f s of CPU a sweep (goal 3), %.2f s with the start; RSS %.0f MB (goal 200), %.0f without the mapped log; %d commits a sweep; a sweep took %.1f s\n",
		n, posts, o.SweepCPU, o.StartCPU, o.RSS, o.Anonymous, o.Commits, o.SweepWall)
	return json.NewEncoder(os.Stdout).Encode(o)
}

// pause is between the sweeps.
const pause = 45 * time.Second

func (b *bench) options() telegram.Options {
	return telegram.Options{
		Alias: "bench", AppID: b.srv.AppID, AppHash: b.srv.AppHash, Session: b.session, Build: "bench", Log: zerolog.Nop(),
		HistoryPace: -1, Unpaced: true, RotateMin: pause, RotateMax: pause, RecheckEvery: 24 * time.Hour,
		Network: &telegram.Network{DC: b.srv.DC, Addr: b.srv.Addr, PublicKeyPEM: []byte(b.srv.Key)},
	}
}

func (b *bench) start() (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	src := telegram.New(b.options())
	var ts []collectors.Target
	for i := range b.n {
		ts = append(ts, collectors.Target{ID: channel(i), Platform: "telegram", Address: "https://t.me/" + channel(i), Backfill: true, MaxBytes: 1})
	}
	src.Watch(ts)
	ended := make(chan error, 1)
	go func() { ended <- src.Run(ctx, b.v) }()
	return func() error {
		cancel()
		return <-ended
	}
}

// prepare reads every channel's history.
func (b *bench) prepare() error {
	code := func(context.Context) (string, error) { return b.srv.Code, nil }
	if err := telegram.Login(context.Background(), b.options(), telegram.Authenticator{Phone: b.srv.Phone, Code: code}); err != nil {
		return err
	}
	for i := range b.n {
		if err := know(b.v.Vault, channel(i)); err != nil {
			return err
		}
	}
	stop := b.start()
	<-b.v.done
	// The last pages are the empty ones, with which a history ends.
	for last := -1; ; {
		n, err := b.srv.reads()
		if err != nil {
			return errors.Join(err, stop())
		}
		if n == last {
			break
		}
		last = n
		time.Sleep(2 * time.Second)
	}
	return stop()
}

// sweep watches the second source find nothing, twice.
func (b *bench) sweep() (o outcome, err error) {
	o.Benchmark = "sweep"
	before, err := b.srv.reads()
	if err != nil {
		return o, err
	}
	begin := processor()
	stop := b.start()
	defer func() { err = errors.Join(err, stop()) }()
	if err := b.await(before + b.n); err != nil {
		return o, err
	}
	o.StartCPU = processor() - begin
	cpu, commits := processor(), b.v.commits()
	if err := b.await(before + b.n + 1); err != nil {
		return o, err
	}
	began := time.Now()
	if err := b.await(before + 2*b.n); err != nil {
		return o, err
	}
	o.SweepWall = time.Since(began).Seconds()
	time.Sleep(time.Second) // the last answers
	o.SweepCPU, o.Commits = processor()-cpu, b.v.commits()-commits
	if o.RSS, err = lab.Memory("VmRSS"); err == nil {
		o.Anonymous, err = lab.Memory("RssAnon")
	}
	return o, err
}

func (b *bench) await(reads int) error {
	for t := time.NewTicker(50 * time.Millisecond); ; <-t.C {
		if n, err := b.srv.reads(); err != nil || n >= reads {
			t.Stop()
			return err
		}
	}
}

// processor returns the seconds of CPU that this process has used.
func processor() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func know(v *vault.Vault, id string) error {
	_, err := v.Put(context.Background(), evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Target(id), Body: &evidence.TargetSet{Key: id, Platform: "telegram"},
	}}})
	return err
}
