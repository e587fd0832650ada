// Command muhafiz watches public channels of designated terrorist organisations, keeps what they publish as evidence, and
// turns reviewed evidence into platform reports. `muhafiz -h` lists the subcommands; each has a file of its own here.
//
// Exit codes: 0 done; 1 failed; 2 usage or configuration; 3 integrity violation; 4 done, but something could not be checked
// or is missing.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
