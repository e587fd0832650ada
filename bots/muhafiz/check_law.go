package main

import (
	"fmt"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/notice"
)

// How far the law refuses a route's notices about an organisation, as the configuration alone tells.
const (
	refusedAlways     = "always"      // on whatever ground
	refusedOnListings = "on_listings" // unless the case itself names a rule or an offence that carries it
)

// lawFinding is what the law says of a route's notices about an organisation that has targets to report there.
type lawFinding struct {
	Platform     string `json:"platform"`
	Kind         string `json:"kind"`
	Organisation string `json:"organisation"`
	Targets      int    `json:"targets"`           // whose approved cases may become notices
	Refused      string `json:"refused,omitempty"` // always, on_listings
	Sentence     string `json:"sentence"`
}

// lawFindings holds each route's kind against the listings of every organisation that is reported over it. What is refused here is
// refused of every case; a case may still fail for reasons of its own.
func lawFindings(c *config.Config) []lawFinding {
	out := []lawFinding{}
	if c.Reporter == nil {
		return out
	}
	who := notifier(c.Reporter)
	for _, route := range c.Reporter.Routes {
		for _, org := range c.Organisations {
			f := lawFinding{Platform: route.Platform, Kind: route.Kind, Organisation: org.ID}
			for _, t := range c.Targets {
				if t.Report && t.Organisation == org.ID && t.Address.Platform == route.Platform {
					f.Targets++
				}
			}
			if f.judge(org, who); f.Targets > 0 && f.Sentence != "" {
				out = append(out, f)
			}
		}
	}
	return out
}

func (f *lawFinding) judge(org config.Organisation, who notice.Notifier) {
	var listed []evidence.Designation
	for _, d := range org.Designations {
		listed = append(listed, evidence.Designation{Authority: d.Authority})
	}
	grounds := notice.GroundsOf(listed, nil)
	ok, sentence := notice.Admissible(f.Kind, grounds, who)
	f.Sentence = sentence
	if ok {
		return
	}
	f.Refused = refusedOnListings
	if ok, _ := notice.Admissible(f.Kind, append(slices.Clone(grounds), notice.GroundRules, notice.GroundOffence), who); !ok {
		f.Refused = refusedAlways
	}
}

func notifier(r *config.Reporter) notice.Notifier {
	return notice.Notifier{Status: r.Notifier.Status, Country: r.Notifier.Country}
}

// checkSenders refuses a route whose kind of notice is not this notifier's to send.
func checkSenders(c *config.Config) error {
	if c.Reporter == nil {
		return nil
	}
	var errs config.Errors
	for i, route := range c.Reporter.Routes {
		if ok, sentence := notice.MaySend(route.Kind, notifier(c.Reporter)); !ok {
			errs = append(errs, c.ErrorAt(fmt.Sprintf("reporter.routes[%d].kind", i), sentence))
		}
	}
	if errs == nil {
		return nil
	}
	return errs
}

func (s *session) printLaw(findings []lawFinding) {
	if len(findings) == 0 {
		return
	}
	fmt.Fprintln(s.out, "\nLaw, as far as the configuration tells")
	says := map[string]string{refusedAlways: "refused", refusedOnListings: "refused on the listings alone", "": "allowed"}
	rows := make([][]string, 0, len(findings))
	for _, f := range findings {
		rows = append(rows, []string{" ", f.Platform, f.Kind, f.Organisation, fmt.Sprintf("%d to report", f.Targets), says[f.Refused], f.Sentence})
	}
	s.table(rows)
}
