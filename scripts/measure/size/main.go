// Command size measures how many bytes a post takes on disk: it puts the posts of a folder of *_messages.json files (arrays of messages
// with message_id, date and text) into a fresh vault, page by page as a collector would, and prints one JSON line with the size of vault.db, bucket by bucket,
// beside that of the same messages as JSON Lines under `zstd -3`.
//
// vault.db holds envelopes, bodies, tree, indexes and views. Raw replies are blobs and told apart; here a page's reply is the JSON Lines of
// its messages. What compaction leaves is measured too.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

func main() {
	dir := flag.String("dir", os.TempDir(), "folder on the disk to measure")
	page := flag.Int("page", 100, "posts of one acquisition")
	sealed := flag.Bool("sealed", false, "seal the vault")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: size [flags] FOLDER")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 || *page < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), flag.Arg(0), *dir, *page, *sealed); err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, from, parent string, page int, sealed bool) error {
	channels, err := read(from)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(parent, "size-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lines, posts := []byte(nil), 0
	for _, c := range channels {
		for _, m := range c {
			lines, posts = append(append(lines, m.line...), '\n'), posts+1
		}
	}
	packed, err := zstd(lines)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "vault")
	raw, err := fill(ctx, path, channels, page, sealed)
	if err != nil {
		return err
	}
	file := filepath.Join(path, "vault.db")
	before, err := os.Stat(file)
	if err != nil {
		return err
	}
	of, err := buckets(file)
	if err != nil {
		return err
	}
	compacted, err := compact(ctx, path, sealed)
	if err != nil {
		return err
	}
	per := func(n int64) float64 { return float64(n) / float64(posts) }
	used := int64(0)
	for _, b := range of {
		used += b.Alloc
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"posts": posts, "sealed": sealed, "zstd_bytes_a_post": per(int64(packed)), "file_bytes_a_post": per(before.Size()), "pages_bytes_a_post": per(used),
		"compacted_bytes_a_post": per(compacted), "raw_bytes_a_post": per(raw), "ratio": float64(used) / float64(packed),
		"file_ratio": float64(before.Size()) / float64(packed), "compacted_ratio": float64(compacted) / float64(packed), "buckets": of,
	})
}

// zstd returns how many bytes `zstd -3` makes of b.
func zstd(b []byte) (int, error) {
	cmd := exec.Command("zstd", "-3", "-c", "-q")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(b), os.Stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		err = errors.New("the zstd command is not installed (Debian: apt install zstd)")
	}
	return len(out), err
}

func compact(ctx context.Context, path string, sealed bool) (int64, error) {
	o, err := lab.Options()
	if err != nil {
		return 0, err
	}
	o.Signer, o.LogKey = nil, ""
	if sealed {
		if o.Keys, err = lab.Keys(path); err != nil {
			return 0, err
		}
	}
	if _, err := vault.Compact(ctx, path, o, nil); err != nil {
		return 0, err
	}
	st, err := os.Stat(filepath.Join(path, "vault.db"))
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}
