package telegram_test

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// ledger counts the calls of all servers of these tests.
var ledger telegramtest.Ledger

// onlyAllowed prints which methods were ever called, and fails where one of them is not allowed. TestMain calls it after all tests.
func onlyAllowed(w io.Writer) error {
	allowed := append(telegram.Methods(), telegram.LoginMethods()...)
	counts := ledger.Counts()
	for _, m := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "called: %-32s %8d\n", m, counts[m])
	}
	for m := range counts {
		if !slices.Contains(allowed, m) {
			return fmt.Errorf("%s reached a server, and is not among the methods that Muhafiz may call", m)
		}
	}
	return nil
}
