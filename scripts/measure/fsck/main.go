// Command fsck measures how fast a vault is checked, beside how fast it was written, and prints one JSON line.
//
// What it does: it ingests -n posts as the command ingest does, keeps -blobs MiB of blobs of -blob MiB each, closes the vault, and
// lets vault.Fsck read it with all of the program's views. The log is the stages records and index: every envelope, body, hash, name, id and
// facet; the views are rebuilt and compared, and the database's pages checked, in stages of their own, which are given apart. Blobs are compared
// with `sha256sum` of the same files in the same run, once each before and after, of which the quicker one counts. Everything is read warm.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

type options struct {
	dir, profile         string
	n, targets           int
	blobs, blob, workers int
	sealed               bool
}

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", os.TempDir(), "folder on the disk to measure")
	flag.IntVar(&o.n, "n", 200000, "posts")
	flag.IntVar(&o.targets, "targets", 1, "channels that the posts are spread over, round robin")
	flag.IntVar(&o.blobs, "blobs", 1024, "MiB of blobs, 0 for none")
	flag.IntVar(&o.blob, "blob", 4, "MiB of one blob")
	flag.IntVar(&o.workers, "workers", 0, "fsck's workers; 0: one a processor")
	flag.BoolVar(&o.sealed, "sealed", false, "seal the vault")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of the check to this file")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "fsck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp(o.dir, "fsck-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "vault")
	ingest, err := fill(ctx, o, path)
	if err != nil {
		return err
	}
	stop, err := lab.Profile(o.profile)
	if err != nil {
		return err
	}
	defer stop()
	sums := 0.0
	if o.blobs > 0 {
		if sums, err = sha256sum(path); err != nil {
			return err
		}
	}
	at, rep, err := check(ctx, o, path)
	if err != nil {
		return err
	}
	out := map[string]any{"records": o.n, "sealed": o.sealed, "targets": o.targets, "ingest_per_s": ingest, "stages_s": at}
	log := float64(rep.Records) / (at["records"] + at["index"])
	out["log_per_s"], out["log_ratio"] = log, log/ingest
	if o.blobs > 0 {
		again, err := sha256sum(path)
		if err != nil {
			return err
		}
		ours := float64(rep.BlobBytes) / at["blobs"] / 1e6
		out["blobs_mb_per_s"], out["sha256sum_mb_per_s"], out["blobs_ratio"] = ours, max(sums, again), ours/max(sums, again)
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// fill writes the vault and returns the posts a second.
func fill(ctx context.Context, o options, path string) (perSecond float64, err error) {
	v, err := lab.Make(path, o.sealed)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	posts := lab.NewPosts(o.targets, 1024)
	if err := posts.Bind(ctx, v); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := posts.Ingest(ctx, v, o.n, 500, 2); err != nil {
		return 0, err
	}
	perSecond = float64(o.n) / time.Since(start).Seconds()
	return perSecond, keep(ctx, v, o)
}

// keep stores blobs of random bytes under one post.
func keep(ctx context.Context, v *vault.Vault, o options) error {
	size := int64(o.blob) << 20
	now := time.Now()
	acq := evidence.NewAcq(now)
	post := evidence.Account("bench", "channel", "1000000").Post(1)
	var b evidence.Batch
	for i := range o.blobs / o.blob {
		d, n, err := v.Keep(ctx, io.LimitReader(rand.Reader, size), size)
		if err != nil {
			return err
		}
		id := evidence.ID{Acq: acq, N: uint32(i)}
		b.Drafts = append(b.Drafts, evidence.Draft{ID: id, Actor: evidence.Source("bench/main"), Subject: post, Body: &evidence.MediaKept{
			MediaID: fmt.Sprint("photo ", i), Blob: evidence.Object{SHA256: d, Size: n}, Acquisition: id, Observed: evidence.Span{From: evidence.At(now), To: evidence.At(now)},
		}})
	}
	_, err := v.Put(ctx, b)
	return err
}

// sha256sum returns the MB a second that it reads of the blobs' files.
func sha256sum(path string) (float64, error) {
	start := time.Now()
	cmd := exec.Command("sh", "-c", `find "$0/blobs" -type f -print0 | xargs -0 sha256sum >/dev/null && find "$0/blobs" -type f -printf '%s\n' | awk '{n+=$1} END {printf "%d", n}'`, path)
	var text strings.Builder
	cmd.Stdout, cmd.Stderr = &text, os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, err
	}
	took := time.Since(start)
	var n float64
	_, err := fmt.Sscan(text.String(), &n)
	return n / took.Seconds() / 1e6, err
}

// check runs fsck and returns the seconds that each stage took.
func check(ctx context.Context, o options, path string) (map[string]float64, vault.FsckReport, error) {
	vo, err := lab.Options()
	if err != nil {
		return nil, vault.FsckReport{}, err
	}
	fo := vault.FsckOptions{Views: vo.Views, Workers: o.workers}
	if o.sealed {
		if fo.Keys, err = lab.Keys(path); err != nil {
			return nil, vault.FsckReport{}, err
		}
	}
	at, last := map[string]float64{}, time.Now()
	fo.Progress = func(stage string, _, _ int64) {
		now := time.Now()
		at[stage] += now.Sub(last).Seconds()
		last = now
	}
	rep, err := vault.Fsck(ctx, path, fo)
	if err == nil && len(rep.Problems) > 0 {
		err = fmt.Errorf("a vault that was just written has %d problems: %s", len(rep.Problems)+rep.More, rep.Problems[0])
	}
	return at, rep, err
}
