// Command ingest measures how fast the vault makes posts durable and prints one JSON line, to be read beside that of a bare loop
// over bbolt with the same number of records a commit.
//
// What it does: -flight goroutines (2) each take the next batch of -batch drafted posts, Put it and wait until it is on disk.
// While the writer commits one batch the other is encoded, so that both cores work; with two in flight a commit holds one
// batch, and group commit, which needs several waiting, lends no advantage. Every post is new, has about -size bytes as an
// encoded body and goes through all that Put does: encoding, salting, ids, facets, the index of subjects, the tree, the cursor.
// Drafting the posts is part of the time, as
// far as it goes beyond their texts; creating the vault and binding the accounts is not.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

type options struct {
	dir                               string
	n, batch, targets, size, inFlight int
	profile                           string
	sealed                            bool
}

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", os.TempDir(), "folder on the disk to measure")
	flag.IntVar(&o.n, "n", 200000, "posts")
	flag.IntVar(&o.batch, "batch", 500, "posts a batch")
	flag.IntVar(&o.targets, "targets", 1, "channels that the posts are spread over, round robin")
	flag.IntVar(&o.size, "size", 1024, "bytes of an encoded body, about")
	flag.IntVar(&o.inFlight, "flight", 2, "batches on their way at once")
	flag.BoolVar(&o.sealed, "sealed", false, "seal the vault")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile to this file")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "ingest:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	dir, err := os.MkdirTemp(o.dir, "ingest-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	v, err := lab.Make(filepath.Join(dir, "vault"), o.sealed)
	if err != nil {
		return err
	}
	defer v.Close()
	posts, ctx := lab.NewPosts(o.targets, o.size), context.Background()
	if err := posts.Bind(ctx, v); err != nil {
		return err
	}
	stop, err := lab.Profile(o.profile)
	if err != nil {
		return err
	}
	defer stop()
	start, before := time.Now(), v.Size()
	if err := posts.Ingest(ctx, v, o.n, o.batch, o.inFlight); err != nil {
		return err
	}
	secs := time.Since(start).Seconds()
	if wrote := v.Size() - before; wrote != int64(o.n) {
		return fmt.Errorf("%d posts became %d records", o.n, wrote)
	}
	st, err := os.Stat(filepath.Join(dir, "vault", "vault.db"))
	if err != nil {
		return err
	}
	last, err := v.Record(ctx, v.Size()-1)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"records": o.n, "batch": o.batch, "sealed": o.sealed, "targets": o.targets, "flight": o.inFlight, "seconds": secs, "records_per_s": float64(o.n) / secs,
		"bytes": st.Size(), "body_bytes": len(last.Body),
	})
}
