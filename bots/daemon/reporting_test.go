package daemon

import (
	"slices"
	"testing"

	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/notice"
)

// The configuration's kinds of routes are the law's kinds of notices but for those that follow a notice.
func TestRouteKindsAreTheLaws(t *testing.T) {
	var want []string
	for _, code := range notice.Kinds() {
		if k, _ := notice.LawOf(code); !k.Redress {
			want = append(want, code)
		}
	}
	if got := config.RouteKinds(); !slices.Equal(got, want) {
		t.Errorf("the configuration takes %v, the law knows %v", got, want)
	}
	for _, status := range []string{config.NotifierOrdinary, config.NotifierTrustedFlagger, config.NotifierAuthority} {
		if ok, sentence := notice.MaySend(notice.KindPlatformRules, notice.Notifier{Status: status, Country: "PK"}); !ok {
			t.Errorf("%s: %s", status, sentence)
		}
	}
}
