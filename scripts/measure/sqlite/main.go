// Command sqlite writes the posts that the command ingest puts into a vault into SQLite instead, with the same envelopes, bodies and
// indexes, and prints one JSON line to be read beside ingest's.
//
// What it does: one goroutine drafts posts, encodes and hashes them; another writes them, -batch posts a transaction, in WAL mode with
// synchronous=FULL, by prepared statements and without database/sql between. The tables are the vault's buckets: log by number, tree hashes,
// ids (unique), the index of subjects, the latest value of each facet, names, the cursor. It looks nothing up, compares nothing and keeps no
// views, all of which the vault does in the same time.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

func main() {
	dir := flag.String("dir", os.TempDir(), "folder on the disk to measure")
	n := flag.Int("n", 200000, "posts")
	batch := flag.Int("batch", 500, "posts a transaction")
	targets := flag.Int("targets", 1, "channels that the posts are spread over, round robin")
	size := flag.Int("size", 1024, "bytes of an encoded body, about")
	flag.Parse()
	if err := run(*dir, *n, *batch, *targets, *size); err != nil {
		fmt.Fprintln(os.Stderr, "sqlite:", err)
		os.Exit(1)
	}
}

func run(parent string, n, batch, targets, size int) error {
	dir, err := os.MkdirTemp(parent, "sqlite-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := create(filepath.Join(dir, "log.db"))
	if err != nil {
		return err
	}
	defer db.close()
	posts := lab.NewPosts(targets, size)
	ready := make(chan []row, 1)
	var g errgroup.Group
	start := time.Now()
	g.Go(func() error {
		defer close(ready)
		return encode(posts, n, batch, ready)
	})
	g.Go(func() error {
		for rows := range ready {
			if err := db.write(rows); err != nil {
				for range ready { // lets the other end
				}
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	secs := time.Since(start).Seconds()
	if wrote, err := db.count(); err != nil || wrote != n {
		return fmt.Errorf("%d posts became %d rows (%w)", n, wrote, err)
	}
	bytes := int64(0)
	for _, suffix := range []string{"", "-wal"} {
		if st, err := os.Stat(filepath.Join(dir, "log.db"+suffix)); err == nil {
			bytes += st.Size()
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"records": n, "batch": batch, "targets": targets, "seconds": secs, "records_per_s": float64(n) / secs, "bytes": bytes,
	})
}
