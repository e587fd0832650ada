package intake

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/muhafiz/muhafiz/config"
)

// byHand ends the sentences about files that only a person can change without harm.
const byHand = "edit the file by hand"

// entries finds the list of targets in a watchlist: one entry after another, each beginning with its own hyphen.
func entries(path string, b []byte) (list *yaml.Node, err error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s is not valid YAML (%w): %s", path, err, byHand)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s is not a watchlist: %s", path, byHand)
	}
	m := doc.Content[0]
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value != "targets" {
			continue
		}
		v := m.Content[i+1]
		if v.Kind != yaml.SequenceNode || v.Style&yaml.FlowStyle != 0 || len(m.Content) != 2 {
			return nil, fmt.Errorf("the targets of %s are not written one below the other with hyphens: %s", path, byHand)
		}
		return v, nil
	}
	return nil, fmt.Errorf("%s has no targets: %s", path, byHand)
}

// appendTo adds entries, which are indented by two, to a watchlist's text, at the indentation that its own entries have.
func appendTo(path string, old []byte, text string) ([]byte, error) {
	list, err := entries(path, old)
	if err != nil {
		return nil, err
	}
	indent := hyphen(old, list.Content[0])
	if indent < 0 {
		return nil, fmt.Errorf("the targets of %s are not written one below the other with hyphens: %s", path, byHand)
	}
	var b bytes.Buffer
	b.Write(bytes.TrimRight(old, "\n"))
	b.WriteByte('\n')
	head, rest := cutComment(text)
	if head != "" {
		b.WriteByte('\n')
	}
	for line := range strings.Lines(head + rest) {
		if strings.HasPrefix(line, "  ") {
			line = strings.Repeat(" ", indent) + line[2:]
		} else if strings.HasPrefix(line, "#") {
			line = strings.Repeat(" ", indent) + line
		}
		b.WriteString(line)
	}
	return b.Bytes(), nil
}

// hyphen is the column, from 0, of an entry's hyphen, -1 where it does not stand on the entry's first line.
func hyphen(b []byte, n *yaml.Node) int {
	lines := strings.Split(string(b), "\n")
	if n.Line < 1 || n.Line > len(lines) {
		return -1
	}
	line := lines[n.Line-1]
	i := len(line) - len(strings.TrimLeft(line, " "))
	if !strings.HasPrefix(line[i:], "- ") {
		return -1
	}
	return i
}

// Edit is a change to the watchlist that holds one target.
type Edit struct {
	Config     *config.Config
	ConfigPath string
	Load       config.Options
	Target     string
}

// Edited is a change that was prepared and checked, and is not written yet.
type Edited struct {
	File string `json:"file"`
	ID   string `json:"id"` // removed, or added
	// Config is the configuration as it would be.
	Config *config.Config `json:"-"`

	change *Change
}

// Apply writes the change.
func (e *Edited) Apply() error { return e.change.Apply() }

func (e Edit) find() (config.Target, string, []byte, error) {
	t, ok := e.Config.Target(e.Target)
	if !ok {
		return t, "", nil, fmt.Errorf("there is no target %q in the watchlists", clip(e.Target, 60))
	}
	for _, f := range e.Config.Files {
		if f.Name != t.File || f.SHA256 != t.FileSHA256 {
			continue
		}
		b, err := os.ReadFile(f.Path)
		if err != nil {
			return t, "", nil, fmt.Errorf("read the watchlist: %w", err)
		}
		if digest(b) == fmt.Sprintf("%x", f.SHA256) {
			return t, f.Path, b, nil
		}
	}
	return t, "", nil, fmt.Errorf("%s was %w: run the command again", t.File, ErrChanged)
}

// Remove takes a target's entry, with the comment right above it, out of its watchlist. All else stays as it is, letter by letter.
func (e Edit) Remove() (*Edited, error) {
	t, path, old, err := e.find()
	if err != nil {
		return nil, err
	}
	list, err := entries(path, old)
	if err != nil {
		return nil, err
	}
	at := -1
	for i, n := range list.Content {
		if n.Line <= t.Pos.Line {
			at = i
		}
	}
	lines := strings.SplitAfter(string(old), "\n")
	if at < 0 || hyphen(old, list.Content[at]) < 0 {
		return nil, fmt.Errorf("the entry of %s does not begin on a line of its own: %s", t.ID, byHand)
	}
	if at+1 < len(list.Content) && list.Content[at+1].Line == list.Content[at].Line {
		return nil, fmt.Errorf("the entry of %s shares its line with another: %s", t.ID, byHand)
	}
	from, to := span(lines, list.Content, at)
	rest := strings.Join(lines[:from], "") + strings.Join(lines[to:], "")
	if len(list.Content) == 1 {
		rest = strings.Join(lines[:from], "")
		rest = strings.Replace(rest, "targets:", "targets: []", 1) + strings.Join(lines[to:], "")
	}
	ed := &Edited{File: path, ID: t.ID, change: &Change{Config: e.ConfigPath, Load: e.Load}}
	ed.change.Replace(path, old, []byte(rest))
	c, err := ed.change.Check()
	if err != nil {
		return nil, fmt.Errorf("without %s the watchlists would not be valid, so nothing was changed; %s:\n%w", t.ID, byHand, err)
	}
	if _, still := c.Target(t.ID); still || len(c.Targets) != len(e.Config.Targets)-1 {
		return nil, fmt.Errorf("the entry of %s cannot be told from its neighbours: %s", t.ID, byHand)
	}
	return ed, nil
}

// span is the lines of an entry: from the first line of the comment right above it up to what belongs to the next one.
func span(lines []string, all []*yaml.Node, at int) (from, to int) {
	above := func(line, least int) int { // line from 0
		for line > least && strings.HasPrefix(strings.TrimSpace(lines[line-1]), "#") {
			line--
		}
		return line
	}
	least := 0
	if at > 0 {
		least = lastLine(all[at-1])
	}
	from = above(all[at].Line-1, least)
	if at+1 < len(all) {
		to = above(all[at+1].Line-1, lastLine(all[at]))
		return from, to
	}
	to = min(lastLine(all[at]), len(lines))
	for to < len(lines) && strings.TrimSpace(lines[to]) == "" {
		to++
	}
	return from, to
}

// lastLine is the last line, from 1, on which a node or a part of it begins. Block scalars may go on below it; what then remains of one is
// no valid watchlist, and Remove's check refuses it.
func lastLine(n *yaml.Node) int {
	last := n.Line
	if n.Kind == yaml.ScalarNode {
		last += strings.Count(strings.TrimRight(n.Value, "\n"), "\n")
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			last++
		}
	}
	for _, c := range n.Content {
		last = max(last, lastLine(c))
	}
	return last
}

// Successor adds an account that came in place of a listed one to the same watchlist.
func (e Edit) Successor(address, basis, src, as string, now time.Time) (*Edited, error) {
	old, path, text, err := e.find()
	if err != nil {
		return nil, err
	}
	a, err := config.ParseAddress(address)
	if err != nil {
		return nil, err
	}
	for _, t := range e.Config.Targets {
		if t.Address.Canonical == a.Canonical {
			return nil, fmt.Errorf("%s is already the target %s", a, t.ID)
		}
	}
	if basis = oneLine(basis); basis == "" {
		return nil, fmt.Errorf("say why %s is the successor of %s", a, old.ID)
	}
	why := fmt.Sprintf("Successor of the target %s (%s), which was listed because: %s. Why it is the successor: %s", old.ID, old.Address, strings.TrimRight(oneLine(old.Affiliation.Basis), "."), basis)
	if src == "" {
		src = why
	}
	s, err := readSource(src)
	if err != nil {
		return nil, err
	}
	id := a.ID()
	for n := 2; ; n++ {
		if _, taken := e.Config.Target(id); !taken {
			break
		}
		id = fmt.Sprintf("%s-%d", a.ID()[:min(len(a.ID()), 60)], n)
	}
	ed := &Edited{File: path, ID: id, change: &Change{Config: e.ConfigPath, Load: e.Load}}
	copied := s.copyTo(ed.change, filepath.Dir(path))
	var b strings.Builder
	fmt.Fprintf(&b, "\n  # Successor of %s, added %s by %s.\n", old.ID, now.UTC().Format("2006-01-02 15:04 UTC"), comment(as))
	Entry{Organisation: old.Organisation, ListedBy: as, Report: old.Report, Title: s.title, URL: s.url, SourceFile: "sources/" + filepath.Base(copied)}.entry(&b, id, a.Canonical, why)
	joined, err := appendTo(path, text, b.String())
	if err != nil {
		return nil, err
	}
	ed.change.Replace(path, text, joined)
	if c, err := ed.change.Check(); err != nil {
		return nil, fmt.Errorf("the watchlist would not be valid, so nothing was changed:\n%w", err)
	} else if _, ok := c.Target(id); !ok {
		return nil, fmt.Errorf("the new entry would not be read as one: %s", byHand)
	} else {
		ed.Config = c
	}
	return ed, nil
}
