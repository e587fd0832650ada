// Command growth measures what a record costs as a vault grows, and prints one JSON line for each size on the way and one that compares
// the last with the first.
//
// What it does: it ingests posts as the command ingest does up to -n, and stops the clock over the last tenth of 10^5, 3·10^5, 10^6 … records.
// The cost is given as time and as processor time of the whole process, of which the latter feels less of what else the machine does;
// a disk that gets slower as it is written to shows in the former only. Memory is what the process holds apart from mapped files.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

func main() {
	dir := flag.String("dir", os.TempDir(), "folder on the disk to measure; a million posts take about 1.7 GB")
	n := flag.Int("n", 1_000_000, "posts")
	targets := flag.Int("targets", 1000, "channels that the posts are spread over, round robin")
	sealed := flag.Bool("sealed", false, "seal the vault")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the last size to this file")
	flag.Parse()
	if err := run(context.Background(), *dir, *profile, *n, *targets, *sealed); err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

// cost is that of a record at one size of the vault.
type cost struct {
	Records int     `json:"records"`
	Micros  float64 `json:"us_a_record"`
	CPU     float64 `json:"cpu_us_a_record"`
	AnonMB  float64 `json:"anon_mb"`
	FileMB  float64 `json:"file_mb"`
}

func run(ctx context.Context, parent, profile string, n, targets int, sealed bool) error {
	dir, err := os.MkdirTemp(parent, "growth-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	v, err := lab.Make(filepath.Join(dir, "vault"), sealed)
	if err != nil {
		return err
	}
	defer v.Close()
	posts := lab.NewPosts(targets, 1024)
	if err := posts.Bind(ctx, v); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	var first, last cost
	for _, size := range sizes(n) {
		file := ""
		if size == n {
			file = profile
		}
		if last, err = reach(ctx, v, posts, size, file); err != nil {
			return err
		}
		if first.Records == 0 {
			first = last
		}
		if err := out.Encode(last); err != nil {
			return err
		}
	}
	return out.Encode(map[string]any{
		"from": first.Records, "to": last.Records, "targets": targets, "sealed": sealed,
		"cost_ratio": last.Micros / first.Micros, "cpu_ratio": last.CPU / first.CPU, "memory_ratio": last.AnonMB / first.AnonMB,
	})
}

// sizes are those at which the cost is taken.
func sizes(n int) (out []int) {
	for s := 100_000; s < n; s *= 10 {
		out = append(out, s)
		if 3*s < n {
			out = append(out, 3*s)
		}
	}
	return append(out, n)
}

// reach ingests up to a size, and measures the last tenth of it.
func reach(ctx context.Context, v *vault.Vault, posts *lab.Posts, size int, profile string) (c cost, err error) {
	tenth := size / 10
	if err := posts.Ingest(ctx, v, size-tenth, 500, 2); err != nil {
		return c, err
	}
	stop, err := lab.Profile(profile)
	if err != nil {
		return c, err
	}
	defer stop()
	start, cpu := time.Now(), processor()
	if err := posts.Ingest(ctx, v, size, 500, 2); err != nil {
		return c, err
	}
	c.Records = size
	c.Micros = time.Since(start).Seconds() * 1e6 / float64(tenth)
	c.CPU = (processor() - cpu).Seconds() * 1e6 / float64(tenth)
	if c.AnonMB, err = lab.Memory("RssAnon"); err != nil {
		return c, err
	}
	st, err := os.Stat(filepath.Join(v.Path(), "vault.db"))
	if err == nil {
		c.FileMB = float64(st.Size()) / 1e6
	}
	return c, err
}

// processor is the time that the process took of all processors.
func processor() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
