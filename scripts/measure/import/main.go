// Command import measures how fast a Telegram Desktop export becomes durable: it repeats the messages of a given export under fresh
// numbers until there are enough of them, imports the copy without media into a fresh vault, several times, and prints posts a
// second as a line for people and a line of JSON. The copy and the vaults are thrown away.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/muhafiz/muhafiz/collectors/chatexport"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

func main() {
	n := flag.Int("n", 200_000, "messages in the copy")
	runs := flag.Int("runs", 3, "imports")
	dir := flag.String("dir", "", "folder for the copy and the vaults; default: the system's folder for temporary files")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the imports to this file")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: import [flags] EXPORT\n\nEXPORT is a result.json of Telegram Desktop or its folder.")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 || *n < 1 || *runs < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *dir, *profile, *n, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "import:", err)
		os.Exit(1)
	}
}

// outcome is the line of JSON.
type outcome struct {
	Benchmark string      `json:"benchmark"`
	Messages  int         `json:"messages"`
	Bytes     int64       `json:"bytes"`
	Records   int         `json:"records"`
	PerSecond lab.Figures `json:"posts_per_second"`
	HeapMiB   uint64      `json:"heap_sys_mib"` // that the process took from the system, vault and all
}

func run(export, dir, profile string, n, runs int) error {
	tmp, err := os.MkdirTemp(dir, "bench-import-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	file := filepath.Join(tmp, "result.json")
	if err := generate(export, file, n); err != nil {
		return err
	}
	stop, err := lab.Profile(profile)
	if err != nil {
		return err
	}
	defer stop()
	o := outcome{Benchmark: "import", Messages: n}
	var rates []float64
	for i := range runs {
		rep, took, err := once(file, filepath.Join(tmp, "vault"+strconv.Itoa(i)))
		if err != nil {
			return err
		}
		if rep.Messages != n || rep.Posts+rep.Service != n {
			return fmt.Errorf("%d messages in, %d posts and %d service messages out", n, rep.Posts, rep.Service)
		}
		o.Bytes, o.Records = rep.Bytes, rep.Records
		rates = append(rates, float64(n)/took.Seconds())
	}
	o.PerSecond = lab.Summarise(rates)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	o.HeapMiB = m.HeapSys >> 20
	fmt.Printf("import: %d messages (%d MiB) to %d records, %d runs: %.0f / %.0f / %.0f posts/s (min/median/max)\n",
		o.Messages, o.Bytes>>20, o.Records, runs, o.PerSecond.Min, o.PerSecond.Median, o.PerSecond.Max)
	return json.NewEncoder(os.Stdout).Encode(o)
}

func once(file, path string) (chatexport.Report, time.Duration, error) {
	v, err := lab.Vault(path)
	if err != nil {
		return chatexport.Report{}, 0, err
	}
	start := time.Now()
	rep, err := chatexport.Import(context.Background(), chatexport.Options{Sink: v, Target: "bench", Path: file})
	took := time.Since(start)
	return rep, took, errors.Join(err, v.Close(), os.RemoveAll(path))
}

// generate writes n messages: those of the export over and over, each under a number of its own, and without their media.
func generate(export, file string, n int) error {
	if st, err := os.Stat(export); err == nil && st.IsDir() {
		export = filepath.Join(export, "result.json")
	}
	raw, err := os.ReadFile(export)
	if err != nil {
		return err
	}
	var in struct {
		Name     string
		Type     string
		ID       json.Number
		Messages []json.RawMessage
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return fmt.Errorf("%s: %w", export, err)
	}
	if len(in.Messages) == 0 {
		return fmt.Errorf("%s holds no messages", export)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	name, _ := json.Marshal(in.Name)
	fmt.Fprintf(w, "{\n \"name\": %s,\n \"type\": %q,\n \"id\": %s,\n \"messages\": [\n", name, in.Type, in.ID)
	for i := range n {
		m, err := renumber(in.Messages[i%len(in.Messages)], i+1)
		if err != nil {
			return err
		}
		if i > 0 {
			io.WriteString(w, ",\n")
		}
		io.WriteString(w, "  ")
		w.Write(m)
	}
	io.WriteString(w, "\n ]\n}\n")
	return errors.Join(w.Flush(), f.Close())
}

// renumber gives a message another number and takes its files away; everything else stays as Telegram Desktop wrote it.
func renumber(m []byte, n int) ([]byte, error) {
	const key = "\"id\":"
	at := bytes.Index(m, []byte(key))
	end := bytes.IndexByte(m, ',')
	if at < 0 || end < at {
		return nil, errors.New("a message does not begin with its id")
	}
	out := append([]byte{}, m[:at+len(key)]...)
	out = strconv.AppendInt(append(out, ' '), int64(n), 10)
	var kept [][]byte
	for _, line := range bytes.Split(m[end:], []byte("\n")) {
		if !isFile(line) {
			kept = append(kept, line)
		}
	}
	return append(out, bytes.Join(kept, []byte("\n"))...), nil
}

// isFile reports whether a line of an export names a file. None of the lines is a message's last one.
func isFile(line []byte) bool {
	for _, k := range []string{"   \"photo\": ", "   \"file\": ", "   \"thumbnail\": "} {
		if bytes.HasPrefix(line, []byte(k)) {
			return true
		}
	}
	return false
}
