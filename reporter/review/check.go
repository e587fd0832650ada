package review

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// checkExhibits asks whether the exhibits are the case's posts as they stand now.
func (d *Desk) checkExhibits(ctx context.Context, c Case, exhibits []evidence.Exhibit) error {
	if len(exhibits) == 0 {
		return refuse(Incomplete, "the statement names no exhibit; prepare it again")
	}
	for i, e := range exhibits {
		if e.Number != i+1 || slices.ContainsFunc(exhibits[:i], func(o evidence.Exhibit) bool { return o.Post == e.Post }) {
			return refuse(BadStatement, "the exhibits are not numbered 1, 2 … each once; prepare the statement again")
		}
		if e.Post.Whole() != c.Account {
			return refuse(ManyAccounts, "%s is not of account %s, of which case %s is", clip(string(e.Post)), c.Account, c.Ordinal)
		}
		p, err := d.post(ctx, e.Post)
		if err != nil {
			return err
		}
		switch latest := p.Latest(); {
		case latest.Seq > e.Seq:
			return refuse(ChangedSince, "post %s has a newer version (record %d) than the one that was decided on; look at it and decide again", e.Post, latest.Seq)
		case latest.RecordRef != e.RecordRef:
			return refuse(ChangedSince, "post %s is record %d with another leaf hash than the statement names; look at it and decide again", e.Post, latest.Seq)
		}
	}
	return nil
}

// checkGrounds asks whether the decision says all that its outcome needs, and whether it may be taken about this target.
func (d *Desk) checkGrounds(ctx context.Context, t Target, st evidence.Statement) error {
	g := st.Grounds
	if g == nil {
		return refuse(Incomplete, "the statement holds no grounds; prepare it again")
	}
	if g.Designation != t.Set {
		return refuse(ChangedSince, "target %s was set anew (record %d) since it was looked at; look at it and decide again", t.ID, t.Set.Seq)
	}
	for _, p := range g.Passages {
		if err := d.checkPassage(ctx, st, p); err != nil {
			return err
		}
	}
	switch st.Outcome {
	case OutcomeNoAction:
		if len(g.Passages) == 0 && st.Comment == "" {
			return refuse(Incomplete, "say in a comment why nothing is to be done")
		}
		return nil
	case OutcomeReport:
		return d.checkReport(ctx, t, st)
	}
	return refuse(Incomplete, "the outcome is %q; it is %s or %s", clip(st.Outcome), OutcomeReport, OutcomeNoAction)
}

func (d *Desk) checkReport(ctx context.Context, t Target, st evidence.Statement) error {
	g := st.Grounds
	if err := d.needReportable(t); err != nil {
		return err
	}
	if err := d.checkFree(ctx, t, st); err != nil {
		return err
	}
	for _, p := range g.Passages {
		if p.Exclusion != exclusions[0] {
			return refuse(Exclusion, "exhibit %d falls under the exclusion %q, so it is not reported; decide no_action, or leave it out", p.Exhibit, p.Exclusion)
		}
	}
	switch {
	case len(g.Passages) == 0:
		return refuse(Incomplete, "a report needs at least one passage: exhibit, quote, rule, severity and the answer to the exclusion question")
	case strings.TrimSpace(g.Affiliation) == "":
		return refuse(Incomplete, "say why this account is the organisation's, as you reviewed it")
	case len(g.Languages) == 0:
		return refuse(Incomplete, "say which languages you read, so that the second person knows what the glosses rest on")
	}
	return nil
}

// checkFree refuses a version that has left, or is about to leave, in another case.
func (d *Desk) checkFree(ctx context.Context, t Target, st evidence.Statement) error {
	for _, e := range st.Exhibits {
		var dec decidedPost
		if _, err := d.get(ctx, ViewCases, postKey(e.Post), &dec); err != nil {
			return err
		}
		if dec.Case == "" || dec.Case == st.Case || dec.Seq < e.Seq {
			continue
		}
		c, err := d.Case(ctx, dec.Case)
		if err != nil {
			return err
		}
		waits := c.Status == CaseDecided || c.stale(t)
		if c.Status == CaseNoticed || (c.Status == CaseApproved && !waits) || (waits && st.Case != "") {
			return refuse(AlreadyDecided, "post %s is an exhibit of case %s, which is %s; it is not reported twice", e.Post, c.Ordinal, c.Status)
		}
	}
	return nil
}

func (d *Desk) checkPassage(ctx context.Context, st evidence.Statement, p evidence.Passage) error {
	switch {
	case p.Exhibit < 1 || p.Exhibit > len(st.Exhibits):
		return refuse(Incomplete, "a passage names exhibit %d and there are %d", p.Exhibit, len(st.Exhibits))
	case !slices.Contains(exclusions[:], p.Exclusion):
		return refuse(Exclusion, "answer the exclusion question of exhibit %d with one of: %s", p.Exhibit, strings.Join(exclusions[:], ", "))
	case strings.TrimSpace(p.Quote) == "":
		return refuse(QuoteMissing, "quote the passage of exhibit %d, or describe its media in square brackets", p.Exhibit)
	case p.Exclusion == exclusions[0] && strings.TrimSpace(p.Rule) == "":
		return refuse(Incomplete, "name the rule or offence that exhibit %d breaks", p.Exhibit)
	case (p.Offence != "" || st.Outcome == OutcomeReport && p.Exclusion == exclusions[0]) && !slices.Contains(offences[:], p.Offence):
		return refuse(Incomplete, "say what exhibit %d does, as one of: %s", p.Exhibit, strings.Join(offences[:], ", "))
	case !slices.Contains(severities[:], p.Severity):
		return refuse(Incomplete, "give the severity of exhibit %d as one of: %s", p.Exhibit, strings.Join(severities[:], ", "))
	case p.Gloss != "" && p.GlossBy != "human" && p.GlossBy != "machine":
		return refuse(Incomplete, "say whether the gloss of exhibit %d is by a human or a machine", p.Exhibit)
	}
	return d.checkQuote(ctx, st.Exhibits[p.Exhibit-1], p.Quote)
}

// checkQuote compares bytes: a quote is copied, not retyped. Media is described in square brackets, or freely where the post has no
// text.
func (d *Desk) checkQuote(ctx context.Context, e evidence.Exhibit, quote string) error {
	r, err := d.Log.Record(ctx, e.Seq)
	if err != nil {
		return wrap("read exhibit", err)
	}
	seen, err := evidence.Decode[*evidence.PostSeen](r)
	if errors.Is(err, evidence.ErrErased) {
		return refuse(ChangedSince, "the content of exhibit %d was erased; leave it out", e.Number)
	}
	if err != nil {
		return refuse(BadStatement, "exhibit %d is no version of a post; prepare the statement again", e.Number)
	}
	describes := strings.HasPrefix(quote, "[") && strings.HasSuffix(quote, "]") || seen.Text == ""
	if strings.Contains(seen.Text, quote) && seen.Text != "" || len(seen.Media) > 0 && describes {
		return nil
	}
	return refuse(QuoteMissing, "the quote does not occur in the text of exhibit %d (%s); copy it exactly as `review show` prints it", e.Number, e.Post)
}
