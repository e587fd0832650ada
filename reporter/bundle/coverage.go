package bundle

import (
	"context"
	"sort"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// coverage is data/coverage.json: what the bag does not hold, and why.
type coverage struct {
	Format      int               `json:"format"` // 1
	Bundle      string            `json:"bundle"`
	Edition     Edition           `json:"edition"`
	Vault       string            `json:"vault"`
	MadeAt      evidence.Time     `json:"made_at"` // by this machine's clock
	TreeSize    int64             `json:"tree_size"`
	Records     int               `json:"records"`
	Targets     []targetCoverage  `json:"targets"`
	Accounts    []accountCoverage `json:"accounts"`
	Withheld    []withheldBody    `json:"withheld"`
	MediaAbsent []absentMedia     `json:"media_absent"`
	RawAbsent   []rawAbsent       `json:"raw_absent,omitempty"`
	RawHeld     string            `json:"raw"`    // why there are raw replies or none
	Anchor      *anchorCoverage   `json:"anchor"` // newest outside anchor, null where there is none
	Warnings    []string          `json:"warnings"`
}

// targetCoverage says how much of the time a target was looked at.
type targetCoverage struct {
	Target    evidence.Ordinal   `json:"target"`
	Key       string             `json:"key"`
	Account   evidence.Ordinal   `json:"account"`
	From      evidence.Time      `json:"from,omitzero"` // first resolved or first request
	To        evidence.Time      `json:"to"`            // the checkpoint
	Share     *float64           `json:"observed_share"`
	Recover   *float64           `json:"observed_or_recovered_share"` // counting gaps across which the history was read again
	Statement string             `json:"statement"`
	Gaps      []evidence.Missing `json:"gaps"`
}

// accountCoverage counts what the log holds about an account and the bag does not.
type accountCoverage struct {
	Account         evidence.Ordinal `json:"account"`
	Identity        string           `json:"identity"`
	PostsInLog      int64            `json:"posts_in_log"`
	PostsInBundle   int64            `json:"posts_in_bundle"`
	RecordsInLog    int64            `json:"records_in_log"`
	RecordsInBundle int64            `json:"records_in_bundle"`
	NotInBundle     []leftOutCount   `json:"not_in_bundle"`
}

type leftOutCount struct {
	Kind    evidence.Kind `json:"kind"`
	Records int64         `json:"records"`
	Reason  string        `json:"reason"`
}

type withheldBody struct {
	Record  int64            `json:"record"`
	Kind    evidence.Kind    `json:"kind"`
	Subject evidence.Ordinal `json:"subject"`
	Reason  string           `json:"reason"`
}

type absentMedia struct {
	Post    evidence.Ordinal `json:"post"`
	Record  int64            `json:"record"`
	MediaID string           `json:"media_id"`
	Reason  string           `json:"reason"`
}

func (b *builder) writeCoverage(ctx context.Context) error {
	c := coverage{
		Format: 1, Bundle: b.o.Name, Edition: b.o.Edition, Vault: b.o.Log.ID(), MadeAt: evidence.At(b.at), TreeSize: b.note.Size, Records: len(b.seqs),
		Targets: []targetCoverage{}, Accounts: []accountCoverage{}, Withheld: b.withheld, MediaAbsent: []absentMedia{}, RawAbsent: b.rawAbsent,
		RawHeld: "none: raw replies name everyone whom the platform named, so only the full edition holds them",
	}
	c.Anchor, c.Warnings = b.newestAnchor()
	if c.Withheld == nil {
		c.Withheld = []withheldBody{}
	}
	if b.o.Edition == Full {
		c.RawHeld = "the replies of the acquisitions in this bundle, as far as they are kept"
	}
	for _, p := range b.sel.posts {
		for _, m := range p.Media {
			if m.Absent != "" {
				c.MediaAbsent = append(c.MediaAbsent, absentMedia{p.Ordinal, m.Record, m.MediaID, m.Absent})
			}
		}
	}
	for _, a := range b.sel.accounts.sorted() {
		x, err := b.accountCoverage(ctx, a)
		if err != nil {
			return err
		}
		c.Accounts = append(c.Accounts, x)
	}
	for _, t := range b.sel.targets.sorted() {
		x, err := b.targetCoverage(ctx, t)
		if err != nil {
			return err
		}
		c.Targets = append(c.Targets, x)
	}
	b.coverage, b.res.Warnings = c, c.Warnings
	return b.writeJSON(fileCoverage, c)
}

// accountCoverage counts every record under the checkpoint that is about the account or one of its posts.
func (b *builder) accountCoverage(ctx context.Context, a evidence.Ordinal) (accountCoverage, error) {
	c := accountCoverage{Account: a, NotInBundle: []leftOutCount{}}
	type key struct {
		kind   evidence.Kind
		reason string
	}
	out := map[key]int64{}
	count := func(reason string) func(evidence.Record) error {
		return func(r evidence.Record) error {
			if r.Seq >= b.note.Size {
				return nil
			}
			c.RecordsInLog++
			if _, in := b.sel.seqs[r.Seq]; in {
				c.RecordsInBundle++
				return nil
			}
			why := leftOut[r.Kind]
			if why == "" {
				why = reason
			}
			out[key{r.Kind, why}]++
			return nil
		}
	}
	if err := b.o.Log.About(ctx, a, count("a request that brought none of the posts in this bundle")); err != nil {
		return c, err
	}
	err := b.o.Log.Posts(ctx, a, func(p evidence.Ordinal) error {
		c.PostsInLog++
		if b.sel.byPost[p] != nil {
			c.PostsInBundle++
		}
		return b.o.Log.About(ctx, p, count("of posts that are neither exhibit nor album nor neighbour"))
	})
	if err != nil {
		return c, err
	}
	for k, n := range out {
		c.NotInBundle = append(c.NotInBundle, leftOutCount{k.kind, n, k.reason})
	}
	sort.Slice(c.NotInBundle, func(i, j int) bool {
		x, y := c.NotInBundle[i], c.NotInBundle[j]
		return x.Kind < y.Kind || (x.Kind == y.Kind && x.Reason < y.Reason)
	})
	n, err := b.o.Log.Name(ctx, a)
	c.Identity = n.Key
	return c, ignore(err)
}

func (b *builder) targetCoverage(ctx context.Context, t evidence.Ordinal) (targetCoverage, error) {
	c := targetCoverage{Target: t, To: evidence.At(b.at), Gaps: []evidence.Missing{}}
	if n, err := b.o.Log.Name(ctx, t); err == nil {
		c.Key = n.Key
	}
	var x evidence.Coverage
	see := func(r evidence.Record) error {
		if r.Seq < b.note.Size {
			x.See(r)
		}
		return nil
	}
	if err := b.o.Log.About(ctx, t, see); err != nil {
		return c, err
	}
	if c.Account = x.Account; c.Account != "" {
		if err := b.o.Log.About(ctx, c.Account, see); err != nil {
			return c, err
		}
	}
	c.From, c.Gaps = x.From, append(c.Gaps, x.Gaps...)
	s := x.Shares(time.Time{}, b.at)
	if s.Expected == 0 {
		c.Statement = "not observed live: what is known of it was imported, so no share of time can be stated"
		return c, nil
	}
	share, again := float64(s.Observed)/float64(s.Expected), float64(s.Read)/float64(s.Expected)
	c.Share, c.Recover, c.Statement = &share, &again, evidence.CoverageSays
	return c, nil
}
