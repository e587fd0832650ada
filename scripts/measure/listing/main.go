// Command listing measures how fast a list becomes a watchlist: it makes a list of fictional accounts with the usual troubles, adds it to an
// empty configuration as `muhafiz watch add` does (read, sort, write, load the configuration as it would be, rename into place), several
// times, and prints rows a second as a line for people and a line of JSON.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/config/intake"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

func main() {
	n := flag.Int("n", 100_000, "rows of the list")
	runs := flag.Int("runs", 3, "how often")
	format := flag.String("format", "csv", "csv or xlsx")
	profile := flag.String("cpuprofile", "", "write a CPU profile to this file")
	flag.Parse()
	if err := run(*n, *runs, *format, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "listing:", err)
		os.Exit(1)
	}
}

type outcome struct {
	Benchmark string                `json:"benchmark"`
	Format    string                `json:"format"`
	Rows      int                   `json:"rows"`
	Counts    map[intake.Status]int `json:"counts"`
	Files     int                   `json:"files"`
	PerSecond lab.Figures           `json:"rows_per_second"`
	Seconds   lab.Figures           `json:"seconds"`
}

func run(n, runs int, format, profile string) error {
	list, err := list(n, format)
	if err != nil {
		return err
	}
	stop, err := lab.Profile(profile)
	if err != nil {
		return err
	}
	defer stop()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the command does
	o := outcome{Benchmark: "listing", Format: format, Rows: n}
	var rates, seconds []float64
	for range runs {
		p, took, err := once(list)
		if err != nil {
			return err
		}
		if p.Rows != n+1 {
			return fmt.Errorf("%d rows in, %d accounted for", n+1, p.Rows)
		}
		o.Counts, o.Files = p.Counts, len(p.Files)
		rates, seconds = append(rates, float64(n)/took.Seconds()), append(seconds, took.Seconds())
	}
	o.PerSecond, o.Seconds = lab.Summarise(rates), lab.Summarise(seconds)
	fmt.Printf("listing: %d rows of %s, %d new, %d runs: %.0f / %.0f / %.0f rows/s, %.2f s at worst\n", n, format, o.Counts[intake.New], runs, o.PerSecond.Min, o.PerSecond.Median, o.PerSecond.Max, o.Seconds.Max)
	return json.NewEncoder(os.Stdout).Encode(o)
}

func once(list []byte) (p *intake.Plan, took time.Duration, err error) {
	dir, err := os.MkdirTemp("", "bench-listing-")
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			return nil, 0, err
		}
	}
	start := time.Now()
	path, o := filepath.Join(dir, "muhafiz.yaml"), config.Options{NoSecrets: true}
	c, err := config.Load(path, o)
	if err != nil {
		return nil, 0, err
	}
	p, err = intake.Add{
		Config: c, ConfigPath: path, Load: o, ListName: "list", List: list, Organisation: "front",
		Source: "Statement (simulated), https://example.org/statement", As: "amina", Now: start,
	}.Plan()
	if err == nil {
		err = p.Apply()
	}
	return p, time.Since(start), err
}

var files = map[string]string{
	"muhafiz.yaml": `vault: vault
log_key: keys/log
legal_basis: a measurement needs no more than this
people:
  - {id: amina, name: Amina, roles: [analyst], ssh_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f}
organisations: organisations.yaml
watchlists: [watchlists/*.yaml]
`,
	"organisations.yaml": `organisations:
  - {id: front, name: Example Front, designations: [{authority: UN 1267, reference: X.1, date: 2011-07-29, source: un.org}]}
`,
	"watchlists/a.yaml": "targets: []\n",
}

// row is a fictional account with the troubles that lists have: every tenth row is a duplicate, every twentieth cannot be listed.
func row(i int) []string {
	platform, link := "Telegram", fmt.Sprintf("https://t.me/Simulated_%06d", i)
	switch {
	case i%20 == 19:
		link = "https://t.me/+AbCdEf"
	case i%10 == 9:
		link = fmt.Sprintf("t.me/s/simulated_%06d/7", i-1)
	case i%7 == 0:
		platform, link = "X", fmt.Sprintf("@sim_%06d", i)
	case i%7 == 1:
		platform, link = "Facebook", fmt.Sprintf("https://www.facebook.com/simulated.%06d/", i)
	}
	return []string{fmt.Sprint(i + 1), platform, link, fmt.Sprintf("%02d/%02d/2025", 1+i%28, 1+i%12)}
}

func list(n int, format string) ([]byte, error) {
	head := []string{"No", "Platform", "Link", "Date"}
	if format == "csv" {
		var b strings.Builder
		b.WriteString(strings.Join(head, ",") + "\n")
		for i := range n {
			b.WriteString(strings.Join(row(i), ",") + "\n")
		}
		return []byte(b.String()), nil
	}
	f := excelize.NewFile()
	defer f.Close()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return nil, err
	}
	for i := range n + 1 {
		cells := head
		if i > 0 {
			cells = row(i - 1)
		}
		values := make([]any, len(cells))
		for j, c := range cells {
			values[j] = c
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), values); err != nil {
			return nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
