// Command put measures how long one Put takes under several sources at once, and prints one JSON line.
//
// What it does: -sources goroutines, each with a channel of its own, put pages of -batch new posts one after another until all have put
// -pages together. Each waits for its own page only, so that waiting pages share commits, as they do in the daemon. The time is that of Put,
// encoding included, drafting not.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

type options struct {
	dir                          string
	sources, pages, batch, chans int
	sealed                       bool
}

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", os.TempDir(), "folder on the disk to measure")
	flag.IntVar(&o.sources, "sources", 8, "sources at once")
	flag.IntVar(&o.pages, "pages", 4000, "pages, of all sources together")
	flag.IntVar(&o.batch, "batch", 20, "posts a page")
	flag.IntVar(&o.chans, "targets", 8, "channels that the posts are spread over, round robin")
	flag.BoolVar(&o.sealed, "sealed", false, "seal the vault")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "put:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp(o.dir, "put-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	v, err := lab.Make(filepath.Join(dir, "vault"), o.sealed)
	if err != nil {
		return err
	}
	defer v.Close()
	posts := lab.NewPosts(o.chans, 1024)
	if err := posts.Bind(ctx, v); err != nil {
		return err
	}
	var mu sync.Mutex
	var took []time.Duration
	g, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	for range o.sources {
		g.Go(func() error {
			for {
				page, some := posts.Page(o.pages*o.batch, o.batch)
				if !some {
					return nil
				}
				began := time.Now()
				if _, err := v.Put(ctx, page); err != nil {
					return err
				}
				d := time.Since(began)
				mu.Lock()
				took = append(took, d)
				mu.Unlock()
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	secs := time.Since(start).Seconds()
	slices.Sort(took)
	ms := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1e3 }
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"sources": o.sources, "pages": len(took), "batch": o.batch, "sealed": o.sealed, "records_per_s": float64(o.pages*o.batch) / secs,
		"median_ms": ms(0.5), "p99_ms": ms(0.99), "max_ms": ms(1),
	})
}
