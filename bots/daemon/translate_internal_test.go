package daemon

import (
	"testing"

	"github.com/muhafiz/muhafiz/config"
)

// A target that says nothing of modes stands in the log as it did before there were any: with the same digest, so that no configuration
// that did not change is written again, and no signature over it lapses.
func TestATargetWithoutAModeIsWhatItWas(t *testing.T) {
	target := func(mode string) config.Target {
		return config.Target{ID: "one", Organisation: "nf", ListedBy: "amna", Collect: config.Collect{
			Backfill: true, Media: config.MediaKinds(), MaxBytes: config.DefaultMaxBytes, Thumbnails: true, Mode: mode,
		}}
	}
	value := func(mode string) string {
		set := targetSet(&config.Config{LegalBasis: "a test"}, target(mode))
		return set.Facets()[0].Value.String()
	}
	const before = "13520730129828a7cbdd99f5618b274e1747e2d72916bcffe89542627cc2977b"
	for mode, same := range map[string]bool{"": true, config.ModeRotation: true, config.ModePoll: false, config.ModeJoined: false} {
		if got := value(mode); (got == before) != same {
			t.Errorf("mode %q: digest %s, before there were modes %s", mode, got, before)
		}
	}
}
