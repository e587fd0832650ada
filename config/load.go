package config

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Options are what Load takes from its surroundings.
type Options struct {
	// Getenv looks up secrets given as {env: NAME}. Nil: os.Getenv.
	Getenv func(string) string
	// NoSecrets leaves secrets and private keys unopened, for checking a configuration on a machine that does not hold them.
	// Every secret is then empty.
	NoSecrets bool
	// Instead holds files as they would be, by absolute path: each is read in place of what the disk has there, or beside it. A
	// change can so be checked before it is made.
	Instead map[string][]byte
}

// Load reads the configuration at path and everything it names. Its error is an Errors with all that is wrong; there is then no
// Config.
func Load(path string, o Options) (*Config, error) {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	l := &loader{o: o, cfg: &Config{}, hashes: map[string][sha256.Size]byte{}}
	l.load(path)
	if len(l.errs) > 0 {
		return nil, l.errs.sorted()
	}
	return l.cfg, nil
}

type loader struct {
	o    Options
	cfg  *Config
	errs Errors

	hashes map[string][sha256.Size]byte // of cited files
}

func (l *loader) load(path string) {
	main, ok := l.read(path, l.cfg)
	if main == nil {
		return
	}
	l.cfg.places = main.places
	l.checkMain(main)
	badRoles := map[string]bool{}
	for i, p := range l.cfg.People {
		path := at("people", i, "roles")
		badRoles[p.ID] = slices.ContainsFunc(main.errs, func(e Error) bool { return strings.HasPrefix(e.Path, path) })
	}
	l.take(main)
	orgsOK := l.organisations(main, filepath.Dir(path))
	if orgsOK {
		l.checkRetained(main)
		l.take(main)
	}
	w := watchlists{
		loader: l, checkOrgs: orgsOK, checkPeople: ok || len(l.cfg.People) > 0, badRoles: badRoles,
		ids: map[string]Position{}, addresses: map[string]*Target{},
	}
	files := l.watchlistFiles(main, filepath.Dir(path))
	for i, f := range l.parseAhead(files) {
		w.read(files[i], f)
	}
	l.cfg.Targets = slices.Concat(w.targets...)
}

// take moves a decoder's errors to the loader's.
func (l *loader) take(d *decoder) {
	l.errs = append(l.errs, d.errs...)
	if d.dropped > 0 {
		l.errs = append(l.errs, Error{File: d.file, Reason: fmt.Sprintf("%d more errors in this file are not shown", d.dropped)})
	}
	d.errs, d.dropped = nil, 0
}

// read reads a file into the struct that v points to. It returns nil if the file is no YAML at all, and whether it was read without
// an error. The decoder's errors stay with it until taken.
func (l *loader) read(path string, v any) (*decoder, bool) {
	return l.decode(path, l.parseFile(path), v)
}

// parsed is a file as it was read, or why it cannot be.
type parsed struct {
	abs  string
	sum  [sha256.Size]byte
	root *yaml.Node
	errs Errors
	read bool // its bytes were had
}

// parseFile reads a file and parses it; it changes nothing of the loader.
func (l *loader) parseFile(path string) (p parsed) {
	fail := func(reason string) parsed {
		p.errs = Errors{{File: path, Reason: reason}}
		return p
	}
	var err error
	if p.abs, err = filepath.Abs(path); err != nil {
		return fail(fmt.Sprintf("cannot find the folder: %v", err))
	}
	b, given := l.o.Instead[p.abs]
	if !given {
		if b, err = readLimited(path, maxFile); err != nil {
			return fail(err.Error())
		}
	}
	p.read, p.sum = true, sha256.Sum256(b)
	p.root, p.errs = parse(path, b)
	return p
}

// parseAhead yields the files in their order. While the caller is at one, as many of the next as there are processors are parsed.
func (l *loader) parseAhead(files []string) iter.Seq2[int, parsed] {
	return func(yield func(int, parsed) bool) {
		ahead := runtime.GOMAXPROCS(0)
		results := make([]chan parsed, len(files))
		start := func(i int) {
			if i < len(files) {
				results[i] = make(chan parsed, 1)
				go func() { results[i] <- l.parseFile(files[i]) }()
			}
		}
		for i := range ahead {
			start(i)
		}
		for i := range files {
			p := <-results[i]
			start(i + ahead)
			if !yield(i, p) {
				return
			}
		}
	}
}

func (l *loader) decode(path string, p parsed, v any) (*decoder, bool) {
	if p.read {
		l.cfg.Files = append(l.cfg.Files, File{Path: p.abs, Name: filepath.Base(p.abs), SHA256: p.sum})
	}
	if p.errs != nil {
		l.errs = append(l.errs, p.errs...)
		return nil, false
	}
	d := &decoder{loader: l, file: path, dir: filepath.Dir(p.abs), places: places{path, p.root}, shapes: shapes{}}
	d.read(p.root, v)
	return d, len(d.errs) == 0
}

// organisations reads the organisations file and reports whether references to it can be checked.
func (l *loader) organisations(main *decoder, dir string) bool {
	if l.cfg.OrganisationsFile == "" {
		return false
	}
	file := under(dir, l.cfg.OrganisationsFile)
	l.cfg.OrganisationsFile = main.abs(l.cfg.OrganisationsFile)
	if _, err := os.Stat(file); err != nil {
		main.errAt("organisations", "%v", fileError(file, err))
		l.take(main)
		return false
	}
	var f organisationsFile
	d, ok := l.read(file, &f)
	if d == nil {
		return false
	}
	checkOrganisations(d, f.Organisations)
	l.take(d)
	l.cfg.Organisations = f.Organisations
	return ok
}

// watchlistFiles returns the files that the patterns match, each once, in the order of their names.
func (l *loader) watchlistFiles(main *decoder, dir string) []string {
	var files []string
	for i, pattern := range l.cfg.Watchlists {
		if pattern == "" {
			continue
		}
		full := pattern
		if !filepath.IsAbs(pattern) {
			full = filepath.Join(globQuote(dir), pattern)
		}
		matches, err := filepath.Glob(full)
		if !strings.HasPrefix(filepath.Base(pattern), ".") {
			matches = slices.DeleteFunc(matches, func(m string) bool { return strings.HasPrefix(filepath.Base(m), ".") })
		}
		matches = l.insteadMatching(full, matches)
		path := fmt.Sprintf("watchlists[%d]", i)
		switch {
		case err != nil:
			main.errAt(path, "%q is not a file name pattern", clip(pattern))
		case len(matches) == 0:
			main.errAt(path, "no file matches %q in %s; correct it, or remove the line", clip(pattern), dir)
		}
		files = append(files, matches...)
	}
	l.take(main)
	slices.Sort(files)
	return slices.Compact(files)
}

// insteadMatching adds the files of Options.Instead that a pattern matches and the disk does not have.
func (l *loader) insteadMatching(pattern string, matches []string) []string {
	abs, err := filepath.Abs(pattern)
	if err != nil {
		return matches
	}
	for file := range l.o.Instead {
		hidden := strings.HasPrefix(filepath.Base(file), ".") && !strings.HasPrefix(filepath.Base(pattern), ".")
		if ok, err := filepath.Match(abs, file); err != nil || !ok || hidden {
			continue
		}
		known := func(m string) bool { a, err := filepath.Abs(m); return err == nil && a == file }
		if !slices.ContainsFunc(matches, known) {
			matches = append(matches, file)
		}
	}
	return matches
}

func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// globQuote makes a folder's name match only itself.
func globQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// valueOf returns the settable value behind a pointer.
func valueOf(p any) reflect.Value { return reflect.ValueOf(p).Elem() }
