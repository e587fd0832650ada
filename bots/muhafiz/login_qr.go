package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"rsc.io/qr"
)

// bareQR lets --qr stand without a word, which means the terminal, and --code, which means the number in the configuration; the grammar
// knows flags with a value and without, and none with either.
func bareQR(args []string) []string {
	args = slices.Clone(args)
	for i, a := range args {
		if byDefault := map[string]string{"--qr": "terminal", "--code": configuredPhone}[a]; byDefault != "" && (i == len(args)-1 || strings.HasPrefix(args[i+1], "-")) {
			args[i] = a + "=" + byDefault
		}
	}
	return args
}

// showQR returns what shows a login code the way that the flag says; what says what to do with it. Until when a code is good is not
// always known.
func (s *session) showQR(how, what string) (func(link string, until time.Time) error, error) {
	switch {
	case how == "terminal":
		return s.drawQR(what), nil
	case how == "text":
		return func(link string, _ time.Time) error {
			_, err := fmt.Fprintln(s.out, link)
			return err
		}, nil
	case strings.HasSuffix(how, ".png"):
		return func(link string, until time.Time) error {
			code, err := qr.Encode(link, qr.M)
			if err != nil {
				return err
			}
			// Whoever sees the picture can take the session, so it is private.
			if err := renameio.WriteFile(how, code.PNG(), 0o600); err != nil {
				return err
			}
			if until.IsZero() {
				fmt.Fprintf(s.err, "wrote %s; a new one follows by itself\n", how)
			} else {
				fmt.Fprintf(s.err, "wrote %s; it is good until %s\n", how, until.Local().Format(time.TimeOnly))
			}
			return nil
		}, nil
	}
	return nil, exit(exitUsage, fmt.Errorf("--qr must be terminal, text or a file that ends in .png, is %q", how))
}

// drawQR returns what draws a code in half blocks, dark on light, whatever the terminal's colours are. A later code takes the place of the
// earlier one.
func (s *session) drawQR(what string) func(link string, until time.Time) error {
	lines := 0 // of what was drawn before
	return func(link string, until time.Time) error {
		code, err := qr.Encode(link, qr.L)
		if err != nil {
			return err
		}
		good := "A new one follows by itself."
		if !until.IsZero() {
			good = "Good until " + until.Local().Format(time.TimeOnly) + "; a new one follows by itself."
		}
		text := what + "\n" + halfBlocks(code.Black, code.Size) + good + "\n"
		if lines > 0 && isTerminal(s.err) {
			fmt.Fprintf(s.err, "\x1b[%dA\x1b[J", lines) // up, and clear to the end
		}
		lines = strings.Count(text, "\n")
		_, err = fmt.Fprint(s.err, text)
		return err
	}
}

// quiet is the light margin that ISO/IEC 18004 asks for, in modules.
const quiet = 4

// halfBlocks draws two modules a character: the upper one as foreground, the lower one as background.
func halfBlocks(black func(x, y int) bool, size int) string {
	colour := func(dark bool) int {
		if dark {
			return 0 // black
		}
		return 15 // bright white
	}
	var b strings.Builder
	for y := -quiet; y < size+quiet; y += 2 {
		for x := -quiet; x < size+quiet; x++ {
			fmt.Fprintf(&b, "\x1b[38;5;%dm\x1b[48;5;%dm▀", colour(black(x, y)), colour(black(x, y+1)))
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}
