package bundle

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	texttemplate "text/template"

	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

//go:embed report.html.tmpl
var reportTemplate string

//go:embed VERIFY.md.tmpl
var verifyTemplate string

// front is what the page says before and after the exhibits.
type front struct {
	Name, Organisation, Identity, Purpose, Build string
	Edition                                      Edition
	MadeAt                                       evidence.Time
	Vault, Origin                                string
	TreeSize                                     int64
	Root                                         evidence.Digest
	Result                                       Result
	Coverage                                     coverage
	Subject                                      evidence.Ordinal
	Case                                         []caseEvent
	Targets                                      []targetPage
	Accounts                                     []accountPage
	People                                       []personPage
	Index                                        []indexLine
}

type indexLine struct {
	Number  int
	Post    evidence.Ordinal
	Role    string
	Cited   []int // further numbers under which the case cites it
	Records int
	Files   int
	Album   []int // the other posts of its album
}

// proof is what the page prints of a record, so that a reader finds it in data/log.
type proof struct {
	Seq        int64
	At         evidence.Time
	Leaf, Body evidence.Digest
	Withheld   string // why its body is not in the bundle
}

func proofOf(r evidence.Record, withheld string) proof {
	return proof{Seq: r.Seq, At: r.At, Leaf: r.Leaf(), Body: r.Envelope.Body, Withheld: withheld}
}

func pageFuncs() template.FuncMap {
	return template.FuncMap{"visible": visible, "clock": clock, "during": during, "size": size, "percent": percent, "counted": counted, "kindname": typeSays, "detailname": detailSays, "numbers": numbers, "inc": func(i int) int { return i + 1 }}
}

// report writes data/report.html, one exhibit at a time.
func (b *builder) report(ctx context.Context) error {
	t, err := template.New("report").Funcs(pageFuncs()).Parse(reportTemplate)
	if err != nil {
		return err
	}
	f, err := b.front(ctx)
	if err != nil {
		return err
	}
	return b.bag.write(fileReport, func(w io.Writer) error {
		bw := bufio.NewWriter(w)
		if err := t.ExecuteTemplate(bw, "head", f); err != nil {
			return err
		}
		albums := b.sel.albums()
		for _, p := range b.sel.posts {
			album := albums[p.album()]
			if len(p.Records) == 0 || len(album) > 0 && album[0] != p {
				continue
			}
			x, err := b.albumPage(ctx, p, album)
			if err != nil {
				return err
			}
			if err := t.ExecuteTemplate(bw, "exhibit", x); err != nil {
				return err
			}
		}
		if err := t.ExecuteTemplate(bw, "foot", f); err != nil {
			return err
		}
		return bw.Flush()
	})
}

func (b *builder) front(ctx context.Context) (*front, error) {
	f := &front{
		Name: b.o.Name, Organisation: b.o.Organisation, Identity: b.o.Identity, Purpose: b.o.Purpose, Build: b.o.Build, Edition: b.o.Edition,
		MadeAt: evidence.At(b.at), Vault: b.o.Log.ID(), Origin: b.note.Origin, TreeSize: b.note.Size, Root: b.note.Root, Result: b.res,
		Coverage: b.coverage, Subject: b.o.subject(),
	}
	albums := b.sel.albums()
	for _, p := range b.sel.posts {
		line := indexLine{Number: p.Number, Post: p.Ordinal, Role: p.Role, Records: len(p.Records)}
		for _, o := range albums[p.album()] {
			if o != p {
				line.Album = append(line.Album, o.Number)
			}
		}
		for _, c := range p.Case {
			if c.Number != p.Number && !slices.Contains(line.Cited, c.Number) {
				line.Cited = append(line.Cited, c.Number)
			}
		}
		for _, m := range p.Media {
			if m.File != "" {
				line.Files++
			}
		}
		f.Index = append(f.Index, line)
	}
	for _, step := range []func(context.Context, *front) error{b.casePage, b.targetPages, b.accountPages, b.personPages} {
		if err := step(ctx, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// packed calls fn with the records about o that are in the bag and whose body is too; the others come with the reason.
func (b *builder) packed(ctx context.Context, o evidence.Ordinal, fn func(evidence.Record, evidence.Body, proof)) error {
	return b.o.Log.About(ctx, o, func(r evidence.Record) error {
		if _, in := b.sel.seqs[r.Seq]; !in {
			return nil
		}
		why := b.withhold(r)
		if why != "" {
			fn(r, nil, proofOf(r, why))
			return nil
		}
		body, err := evidence.DecodeBody(r)
		if err != nil {
			return err
		}
		fn(r, body, proofOf(r, ""))
		return nil
	})
}

// verifyPage is VERIFY.md.
func (b *builder) verifyPage() ([]byte, error) {
	t, err := texttemplate.New("verify").Parse(verifyTemplate)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	key := ""
	if v, err := note.NewVerifier(b.o.Log.LogKey()); err == nil {
		key = fmt.Sprintf("%s+%08x", v.Name(), v.KeyHash())
	}
	err = t.Execute(&out, map[string]any{
		"Identity": shellWord(b.o.Identity), "Name": b.o.Name, "Key": key, "Edition": b.o.Edition, "Full": b.o.Edition == Full, "Records": b.res.Records,
		"Withheld": b.res.Withheld, "TreeSize": b.note.Size, "Sealed": b.o.Recipient != nil,
		"Anchor": b.coverage.Anchor, "Asked": len(b.o.Authorities) > 0, "Rotated": b.sel.rotated,
	})
	return []byte(out.String()), err
}

// shellWord quotes a word for the commands of VERIFY.md.
func shellWord(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._+-") == "" && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(oneLine(s), "'", `'\''`) + "'"
}
