package demo

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
)

// count compares what the vault holds with what the loopback platform knows that it published.
func (s *stage) count(ctx context.Context) error {
	if err := s.ledger.read(ctx); err != nil {
		return err
	}
	targets := map[string]string{chNews: "front", chUrdu: "urdu", chPashto: "pashto", chBalochi: "balochi", waNews: "wa-front", waUrdu: "wa-urdu"}
	exact, texts, files := true, true, true
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		have := s.ledger.channel(s.id(name))
		row := channelRow{
			Target: targets[name], Channel: name, Have: have.expectation, Want: s.expect[name],
			Missed: have.Missed, Gaps: have.Gaps + s.ledger.gaps[targets[name]],
		}
		s.result.Rows = append(s.result.Rows, row)
		exact = exact && row.Have == row.Want
		files = files && row.Missed == 0
		for _, text := range s.published(name) {
			texts = texts && have.texts[text] > 0
		}
	}
	s.check("every post, version and deletion, none twice", exact, "counted against the loopback platform")
	s.check("every published text is in the vault", texts, "compared word for word")
	s.check("every file is kept", files, "pictures, an album, documents")
	s.check("A to B and back to A is three versions", s.threeVersions(chNews) && s.threeVersions(waNews), "two of the same text, one between, on both platforms")
	quiet, detail := s.observesOnly()
	s.check("WhatsApp saw an observer and nothing else", quiet, "%s", detail)
	s.result.Before, s.result.Records, s.result.Kinds = s.before, s.ledger.next, map[string]int{}
	for k, n := range s.ledger.kinds {
		s.result.Kinds[string(k)] = n
	}
	return s.countNotices()
}

// published are the texts that stand on a channel's platform now.
func (s *stage) published(name string) (texts []string) {
	if ch := s.wa.world.Channel(name); ch != nil {
		for _, p := range ch.Posts() {
			if p.Deleted == "" {
				texts = append(texts, p.Text)
			}
		}
		return texts
	}
	for _, p := range s.world.Channel(name).Posts() {
		texts = append(texts, p.Text)
	}
	return texts
}

func (s *stage) threeVersions(name string) bool {
	have := s.ledger.channel(s.id(name))
	return have.texts[textFirst] == 2 && have.texts[textChanged] == 1
}

func (s *stage) countNotices() error {
	once := len(s.result.Notices) > 0
	for _, n := range s.result.Notices {
		if n.Status == notice.Withdrawn {
			continue
		}
		copies, err := s.mail.count(n.MessageID)
		if err != nil {
			return err
		}
		s.result.Mails += copies
		once = once && (n.Status == notice.Sent || n.Status == notice.Answered) && copies == 1
	}
	s.check("the notice arrived exactly once", once, "%d notices, %d copies in the mailbox", len(s.result.Notices), s.result.Mails)
	return nil
}

// messageIDs returns the Message-ID of a mail, if it has one.
func messageIDs(b []byte) []string {
	m, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	id := strings.Trim(m.Header.Get("Message-Id"), "<> ")
	return []string{id, "<" + id + ">"}
}

func (s *stage) print() {
	r := s.result
	w := tabwriter.NewWriter(s.o.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w)
	fmt.Fprintln(w, "target\tchannel\tposts\tversions\tdeletions announced\tfound missing\tfiles\tgaps")
	for _, c := range r.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", c.Target, c.Channel,
			of(c.Have.Posts, c.Want.Posts), of(c.Have.Versions, c.Want.Versions), of(c.Have.Noticed, c.Want.Noticed),
			of(c.Have.Missing, c.Want.Missing), of(c.Have.Files, c.Want.Files), c.Gaps)
	}
	fmt.Fprintln(w)
	for _, n := range r.Notices {
		fmt.Fprintf(w, "notice %s\t%s\tby %s to %s\n", n.Ordinal, n.Status, n.Route, strings.Join(n.To, ", "))
	}
	fmt.Fprintf(w, "records\t%d\t%d of them new in this run\n", r.Records, r.Records-r.Before)
	fmt.Fprintf(w, "acquisitions\t%d\treplies of the platforms: Telegram's byte for byte, WhatsApp's posts as its client decoded them, and said so\n", r.Kinds[string(evidence.KindAcquisition)])
	fmt.Fprintf(w, "looks\t%d\tevery one is in the log\n", r.Kinds[string(evidence.KindAccess)])
	fmt.Fprintf(w, "bundle\t%s\n", r.Bundle)
	fmt.Fprintln(w)
	for _, c := range r.Checks {
		word := "ok"
		if !c.OK {
			word = "FAILED"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", word, c.Name, c.Detail)
	}
	w.Flush()
	fmt.Fprintf(s.o.Out, "\nEverything is in %s (%.0f s). Look around:\n  cd %s\n  muhafiz status\n  muhafiz review queue --as %s\n  muhafiz verify --signers allowed_signers --identity %s --log keys/log.key.pub %s\n", r.Dir, r.Seconds, r.Dir, analyst, signerIdentity, r.Bundle)
}

// of says how many there are, and how many there should be where that differs.
func of(have, want int) string {
	if have == want {
		return fmt.Sprint(have)
	}
	return fmt.Sprintf("%d of %d", have, want)
}
