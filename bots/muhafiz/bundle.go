package main

import (
	"fmt"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/bundle"
)

type bundleCmd struct {
	who
	Case       string   `help:"The case whose exhibits to bundle, such as c1." placeholder:"CASE" xor:"what" required:""`
	Account    string   `help:"An account with all of its posts, such as a1." placeholder:"ACCOUNT" xor:"what" required:""`
	Post       []string `help:"Single posts, such as a1/456." placeholder:"POST" xor:"what" required:""`
	Out        string   `required:"" help:"The folder to put the bundle into." type:"path" placeholder:"DIR"`
	Name       string   `help:"The bundle's folder name; made from subject and time when not given."`
	Edition    string   `help:"standard withholds what names private persons; full, for the legal role, holds everything with the raw bytes." enum:"standard,full" default:"standard"`
	Neighbours int      `help:"Posts before and after each exhibit." default:"2"`
	Purpose    string   `help:"What it is for; it is recorded."`
	Recipient  string   `help:"An age public key: the bundle is also written as BAG.tar.age, which only its owner can open." placeholder:"age1…"`
}

func (bundleCmd) Help() string {
	return "Builds a BagIt bag with the exhibits in all versions, neighbours, acquisitions, proofs, a signed checkpoint and a report, signed with the configuration's bundle key. Verify it with `muhafiz verify` or scripts/verify-bundle. Exit 4 when the bundle was built but something in it is missing."
}

func (c bundleCmd) Run(s *session) error {
	req := daemon.BundleRequest{
		Person: c.As, Case: evidence.Ordinal(c.Case), Account: evidence.Ordinal(c.Account), Out: c.Out, Name: c.Name,
		Edition: bundle.Edition(c.Edition), Neighbours: c.Neighbours, Purpose: c.Purpose, Recipient: c.Recipient,
	}
	for _, p := range c.Post {
		req.Posts = append(req.Posts, evidence.Ordinal(p))
	}
	if c.Neighbours == 0 {
		req.Neighbours = -1
	}
	var res bundle.Result
	err := s.with("bundle", func(cl *daemon.Client) error {
		bar, done := s.progress("bundle")
		defer done()
		return cl.Stream(s, "POST", "/v1/bundles", req, bar, &res)
	})
	if err != nil {
		return err
	}
	if s.json {
		if err := s.printJSON(res); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(s.out, "%s\n%d exhibits, %d posts with their context, %d records proved under a tree of %d, %d files, %d bodies withheld\n", res.Path, res.Exhibits, res.Posts, res.Records, res.TreeSize, res.Media, res.Withheld)
		if res.Sealed != "" {
			fmt.Fprintln(s.out, "sealed for the recipient:", res.Sealed)
		}
		for _, w := range res.Warnings {
			fmt.Fprintln(s.out, "note:", w)
		}
	}
	if res.MediaAbsent > 0 {
		return exit(exitIncomplete, fmt.Errorf("%d files could not be put in; the bundle says which", res.MediaAbsent))
	}
	return nil
}
