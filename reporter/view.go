package reporter

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// ViewRuns is the name of the view of the reporter's runs: under `last` the newest, under `held` the restore after which nobody let it
// send again.
const ViewRuns = "reporter.runs"

// Views returns every view that the reporter, the desk and the notices read.
func Views() []evidence.View {
	runs := evidence.View{Name: ViewRuns, Version: 2, Apply: applyRun}
	return slices.Concat(review.Views(), notice.Views(), []evidence.View{runs})
}

func applyRun(r evidence.Record, kv evidence.KV) error {
	switch r.Kind {
	case evidence.KindReporterRun:
	case evidence.KindRunStarted:
		return applyRestore(r, kv)
	case evidence.KindReporterReleased:
		return kv.Delete("held")
	default:
		return nil
	}
	b, err := evidence.Decode[*evidence.ReporterRun](r)
	if err != nil {
		return nil //nolint:nilerr // a view skips what is erased or unknown
	}
	v, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("view %s: %w", ViewRuns, err)
	}
	return kv.Put("last", v)
}
