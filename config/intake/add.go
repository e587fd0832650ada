package intake

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/config"
)

// Add is a request to add a list.
type Add struct {
	Config       *config.Config
	ConfigPath   string
	Load         config.Options // with which the configuration as it would be is checked
	ListName     string
	List         []byte
	Organisation string
	Source       string // a file, or a text that may hold a link
	As           string
	Basis        string
	Report       bool
	To           string  // a watchlist, which may be there; empty: a new file
	Prior        []Prior // what the log knows
	Now          time.Time
}

// Plan is what Add would do. Nothing is written before Apply.
type Plan struct {
	*Result
	Source string   `json:"source"` // the copy of the cited source; empty where nothing is new
	Files  []string `json:"files"`  // watchlists that are made or added to

	// Config is the configuration as it would be; nil where nothing is new.
	Config *config.Config `json:"-"`

	change *Change
}

// Plan reads and sorts the list, writes the watchlists in memory and loads the configuration as it would be.
func (a Add) Plan() (*Plan, error) {
	org, ok := a.Config.Organisation(a.Organisation)
	if !ok {
		return nil, fmt.Errorf("there is no organisation %q in the organisations file; add it there with its designations first", clip(a.Organisation, 60))
	}
	if p, ok := a.Config.Person(a.As); !ok || !p.CanDecide() {
		return nil, fmt.Errorf("%q may not list targets: that takes a person of the configuration with the role analyst, reviewer or senior", clip(a.As, 60))
	}
	table, err := Read(a.List)
	if err != nil {
		return nil, err
	}
	p := &Plan{Result: Sort(table, Sorting{a.Config, a.Prior, a.Now})}
	p.change = &Change{Config: a.ConfigPath, Load: a.Load}
	if p.Counts[New] == 0 {
		return p, nil
	}
	first, err := a.firstFile()
	if err != nil {
		return nil, err
	}
	src, err := readSource(a.Source)
	if err != nil {
		return nil, err
	}
	p.Source = src.copyTo(p.change, filepath.Dir(first))
	texts := p.Watchlists(Entry{
		Organisation: org.ID, OrgName: org.Name, Basis: oneLine(a.Basis), ListedBy: a.As, Report: a.Report, Title: src.title, URL: src.url,
		SourceFile: "sources/" + filepath.Base(p.Source), ListName: filepath.Base(a.ListName), ListSHA256: digest(a.List), At: a.Now,
	})
	for i, text := range texts {
		path := first
		if i > 0 {
			path = strings.TrimSuffix(first, filepath.Ext(first)) + fmt.Sprintf("-%d", i+1) + filepath.Ext(first)
		}
		if err := a.put(p.change, path, text, i == 0 && a.To != ""); err != nil {
			return nil, err
		}
		p.Files = append(p.Files, path)
	}
	return p, p.check()
}

// put makes a new watchlist, or appends to the one that was named.
func (a Add) put(c *Change, path, text string, mayAppend bool) error {
	old, err := os.ReadFile(path)
	if mayAppend && err == nil {
		joined, err := appendTo(path, old, text)
		if err == nil {
			c.Replace(path, old, joined)
		}
		return err
	}
	head, rest := cutComment(text)
	c.Create(path, []byte(head+"\ntargets:"+rest))
	return nil
}

// cutComment splits off the lines of a heading.
func cutComment(text string) (head, rest string) {
	for strings.HasPrefix(text, "#") {
		line, after, _ := strings.Cut(text, "\n")
		head, text = head+line+"\n", after
	}
	return head, text
}

// check loads the configuration as it would be and finds every new target in it.
func (p *Plan) check() error {
	c, err := p.change.Check()
	if err != nil {
		return fmt.Errorf("the watchlist would not be valid, so nothing was written:\n%w", err)
	}
	p.Config = c
	have := map[string]bool{}
	for _, t := range c.Targets {
		have[t.ID] = true
	}
	for _, o := range p.Outcomes {
		if o.Status == New && !have[o.ID] {
			return fmt.Errorf("no pattern under `watchlists` in the configuration matches %s, so its targets would not count: choose another file with --to, or add the pattern", p.Files[0])
		}
	}
	return nil
}

// Apply writes what was planned.
func (p *Plan) Apply() error { return p.change.Apply() }

// firstFile is the watchlist to write.
func (a Add) firstFile() (string, error) {
	if a.To != "" {
		to, err := filepath.Abs(a.To)
		if err == nil && !strings.HasSuffix(to, ".yaml") && !strings.HasSuffix(to, ".yml") {
			err = fmt.Errorf("%s is no name of a watchlist: it ends in .yaml", a.To)
		}
		return to, err
	}
	base, err := filepath.Abs(filepath.Dir(a.ConfigPath))
	if err != nil {
		return "", fmt.Errorf("find the configuration's folder: %w", err)
	}
	for _, pattern := range a.Config.Watchlists {
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(base, pattern)
		}
		dir := filepath.Dir(pattern)
		name := fmt.Sprintf("%s-%s-%s.yaml", a.Organisation, a.Now.UTC().Format("2006-01-02"), digest(a.List)[:8])
		if ok, err := filepath.Match(filepath.Base(pattern), name); err == nil && ok && !strings.ContainsAny(dir, "*?[") {
			return filepath.Join(dir, name), nil
		}
	}
	return "", fmt.Errorf("`watchlists` in the configuration has no pattern such as watchlists/*.yaml that a new file would match: name a file with --to")
}

// source is what is cited, as it is kept.
type source struct {
	title, url, ext string
	content         []byte
}

// maxSource bounds the copy of a cited document.
const maxSource = 256 << 20

var webLink = regexp.MustCompile(`https?://[^\s<>"']+`)

// readSource reads a file, or takes the text itself for the source.
func readSource(s string) (source, error) {
	if s = strings.TrimSpace(s); s == "" {
		return source{}, fmt.Errorf("name the source that the list comes from: a file of yours, or its title and link")
	}
	st, err := os.Stat(s)
	switch {
	case err != nil && !strings.ContainsAny(s, " \n") && !strings.Contains(s, "://") && filepath.Ext(s) != "":
		return source{}, fmt.Errorf("there is no file %s to cite; give the file, or the source's title and link in words", s)
	case err != nil:
		src := source{title: clip(oneLine(s), 200), content: []byte(s + "\n"), ext: ".txt"}
		if link := strings.TrimRight(webLink.FindString(s), ".,;:)"); link != "" {
			if u, err := url.Parse(link); err == nil && u.Host != "" {
				src.url = link
			}
		}
		return src, nil
	case !st.Mode().IsRegular():
		return source{}, fmt.Errorf("%s is not a regular file", s)
	case st.Size() > maxSource:
		return source{}, fmt.Errorf("%s is larger than %d MiB; cite its link and title instead", s, maxSource>>20)
	}
	b, err := os.ReadFile(s)
	if err != nil {
		return source{}, fmt.Errorf("read the source: %w", err)
	}
	return source{title: filepath.Base(s), content: b, ext: safeExt(s)}, nil
}

var extForm = regexp.MustCompile(`^\.[a-z0-9]{1,8}$`)

func safeExt(path string) string {
	if e := strings.ToLower(filepath.Ext(path)); extForm.MatchString(e) {
		return e
	}
	return ".bin"
}

// copyTo adds the source's copy, named by its digest, to a change.
func (s source) copyTo(c *Change, dir string) string {
	path := filepath.Join(dir, "sources", digest(s.content)+s.ext)
	c.Create(path, s.content)
	return path
}
