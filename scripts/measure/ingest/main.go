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
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
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
	create := lab.Vault
	if o.sealed {
		create = lab.SealedVault
	}
	v, err := create(filepath.Join(dir, "vault"))
	if err != nil {
		return err
	}
	defer v.Close()
	b := &bench{o: o, v: v, channels: make([]evidence.Name, o.targets)}
	b.write()
	if err := b.bind(); err != nil {
		return err
	}
	stop, err := lab.Profile(o.profile)
	if err != nil {
		return err
	}
	defer stop()
	start, before := time.Now(), v.Size()
	if err := b.ingest(); err != nil {
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
	last, err := v.Record(context.Background(), v.Size()-1)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"records": o.n, "batch": o.batch, "sealed": o.sealed, "targets": o.targets, "flight": o.inFlight, "seconds": secs, "records_per_s": float64(o.n) / secs,
		"bytes": st.Size(), "body_bytes": len(last.Body),
	})
}

const source = "bench/main"

// bodyHead is about what an encoded body holds beside the text.
const bodyHead = 387

type bench struct {
	o        options
	v        *vault.Vault
	channels []evidence.Name
	texts    []string // of the posts, by turns
	next     atomic.Int64
}

// write makes the texts, so that measuring does not include thinking of them.
func (b *bench) write() {
	filler := strings.Repeat("A simulated post of a fictional channel, for measuring. ", b.o.size/56+1)[:max(1, b.o.size-bodyHead)]
	for i := range 997 {
		b.texts = append(b.texts, fmt.Sprintf("%06d %s", i, filler))
	}
}

// bind gives every channel its ordinal, as its snapshot would.
func (b *bench) bind() error {
	now := time.Now()
	drafts := []evidence.Draft{{
		ID: evidence.NewID(now), Actor: evidence.Source(source), Subject: evidence.Source(source), Body: &evidence.Collector{Key: source, State: "starting"},
	}}
	acq := evidence.NewAcq(now)
	for i := range b.channels {
		b.channels[i] = evidence.Account("bench", "channel", fmt.Sprint(1_000_000+i))
		drafts = append(drafts, evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Source(source), Subject: b.channels[i],
			Body: &evidence.AccountSeen{Method: evidence.MethodMTProto, Vantage: "main", Title: fmt.Sprintf("Simulated channel %d", i)},
		})
	}
	_, err := b.v.Put(context.Background(), evidence.Batch{Drafts: drafts})
	return err
}

func (b *bench) ingest() error {
	g, ctx := errgroup.WithContext(context.Background())
	for range b.o.inFlight {
		g.Go(func() error {
			for {
				first := int(b.next.Add(int64(b.o.batch))) - b.o.batch
				if first >= b.o.n {
					return nil
				}
				if _, err := b.v.Put(ctx, b.page(first, min(b.o.batch, b.o.n-first))); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// page drafts n posts, numbered within their channels from first on, as one acquisition would bring them.
func (b *bench) page(first, n int) evidence.Batch {
	now := time.Now()
	acq := evidence.NewAcq(now)
	drafts := make([]evidence.Draft, n)
	for i := range drafts {
		k := first + i
		drafts[i] = evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Source(source),
			Subject: b.channels[k%len(b.channels)].Post(int64(k/len(b.channels) + 1)),
			Body: &evidence.PostSeen{
				Method: evidence.MethodMTProto, Vantage: "main", Acquisition: evidence.ID{Acq: acq, N: uint32(n)},
				Observed: evidence.Span{From: evidence.At(now), To: evidence.At(now)}, ClaimedAt: evidence.At(now), Text: b.texts[k%len(b.texts)],
				Entities: []evidence.Entity{{Type: "bold", Offset: 0, Length: 4}}, Raw: &evidence.Slice{Offset: int64(i) * 900, Length: 900}, RawExact: true,
			},
		}
	}
	return evidence.Batch{Drafts: drafts, Cursor: &evidence.Cursor{Name: "bench", Data: []byte(acq)}}
}
