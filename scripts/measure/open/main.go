// Command open measures how long it takes to open a vault with the program's views, warm and with a cold page cache, and prints one JSON
// line.
//
// What it does: it ingests -n posts, closes the vault, and opens it -runs times as it is and -runs times after its files were
// written back and dropped from the page cache (fsync, then POSIX_FADV_DONTNEED, which needs no rights and touches no other file; a disk's
// own cache stays). How much of vault.db was left in memory before each cold opening is told as well: it should be nothing.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

func main() {
	dir := flag.String("dir", os.TempDir(), "folder on the disk to measure")
	n := flag.Int("n", 1_000_000, "posts")
	targets := flag.Int("targets", 1000, "channels that the posts are spread over, round robin")
	runs := flag.Int("runs", 3, "openings of each sort")
	sealed := flag.Bool("sealed", false, "seal the vault")
	flag.Parse()
	if err := run(context.Background(), *dir, *n, *targets, *runs, *sealed); err != nil {
		fmt.Fprintln(os.Stderr, "open:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, parent string, n, targets, runs int, sealed bool) error {
	dir, err := os.MkdirTemp(parent, "open-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "vault")
	if err := fill(ctx, path, n, targets, sealed); err != nil {
		return err
	}
	o, err := lab.Options()
	if err != nil {
		return err
	}
	o.Signer, o.LogKey = nil, ""
	if sealed {
		if o.Keys, err = lab.Keys(path); err != nil {
			return err
		}
	}
	var warm, cold, left []float64
	for range runs {
		w, err := open(path, o)
		if err != nil {
			return err
		}
		l, err := drop(path)
		if err != nil {
			return err
		}
		c, err := open(path, o)
		if err != nil {
			return err
		}
		warm, cold, left = append(warm, w), append(cold, c), append(left, l)
	}
	st, err := os.Stat(filepath.Join(path, "vault.db"))
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"records": n, "targets": targets, "sealed": sealed, "bytes": st.Size(),
		"warm_s": lab.Summarise(warm), "cold_s": lab.Summarise(cold), "left_in_cache": lab.Summarise(left),
	})
}

func fill(ctx context.Context, path string, n, targets int, sealed bool) (err error) {
	v, err := lab.Make(path, sealed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	posts := lab.NewPosts(targets, 1024)
	if err := posts.Bind(ctx, v); err != nil {
		return err
	}
	return posts.Ingest(ctx, v, n, 500, 2)
}

// open returns the seconds that it took to open the vault; closing it again is not counted.
func open(path string, o vault.Options) (float64, error) {
	start := time.Now()
	v, err := vault.Open(path, o)
	if err != nil {
		return 0, err
	}
	took := time.Since(start).Seconds()
	return took, v.Close()
}

// drop writes the vault's files back and drops them from the page cache. It returns the share of vault.db that stayed there.
func drop(path string) (float64, error) {
	err := filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED), f.Close())
	})
	if err != nil {
		return 0, err
	}
	return lab.Cached(filepath.Join(path, "vault.db"))
}
