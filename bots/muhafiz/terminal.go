package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/muhafiz/muhafiz/bots/daemon"
)

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printJSON prints v as indented JSON.
func (s *session) printJSON(v any) error {
	enc := json.NewEncoder(s.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// table prints rows in columns that line up, whatever the script of their cells. Cells are shown by safe.
func (s *session) table(rows [][]string) {
	var width []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], runewidth.StringWidth(safe(c)))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, c := range r {
			c = safe(c)
			b.WriteString(c)
			if i < len(r)-1 {
				b.WriteString(strings.Repeat(" ", width[i]-runewidth.StringWidth(c)+2))
			}
		}
		fmt.Fprintln(s.out, strings.TrimRight(b.String(), " "))
	}
}

// safe returns a text of foreign origin as a terminal may show it: control and bidirectional override characters by their
// code points, so that a channel's title can neither move the cursor nor turn a line around.
func safe(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			fmt.Fprintf(&b, "<U+%04X>", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// progress returns a function that draws a bar on a terminal and nothing in a pipe, and one that ends it.
func (s *session) progress(label string) (func(daemon.Progress), func()) {
	if !isTerminal(s.err) || s.json {
		return nil, func() {}
	}
	p := mpb.New(mpb.WithOutput(s.err), mpb.WithWidth(40))
	var bar *mpb.Bar
	stage := ""
	return func(pr daemon.Progress) {
			if bar == nil || pr.Stage != stage {
				if bar != nil {
					bar.Abort(true)
				}
				stage = pr.Stage
				bar = p.AddBar(pr.Total, mpb.PrependDecorators(decor.Name(label+" "+stage)), mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))
			}
			bar.SetTotal(pr.Total, false)
			bar.SetCurrent(pr.Done)
		}, func() {
			if bar != nil {
				bar.Abort(true)
			}
			p.Wait()
		}
}
