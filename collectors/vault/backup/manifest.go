package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Format is the number of what this package writes. It reads no other.
const Format = 1

// Marker is `muhafiz-backup.json`: whose backup the place holds.
type Marker struct {
	Format int    `json:"format"`
	Vault  string `json:"vault"` // the vault's id
	Place  string `json:"place"` // random: tells this place from another for the same vault
}

// Manifest is one backup. It is one line of JSON, the text of a C2SP signed note where the log's key signed it.
type Manifest struct {
	Format     int           `json:"format"`
	Vault      string        `json:"vault"`
	LogKey     string        `json:"log_key"` // vkey, as the vault has it
	Build      string        `json:"build"`
	At         evidence.Time `json:"at"`
	Recipients []string      `json:"recipients,omitempty"` // age public keys; none: objects are not encrypted

	Records    int64           `json:"records"`
	Root       evidence.Digest `json:"root"`                 // of their tree
	Checkpoint string          `json:"checkpoint,omitempty"` // signed note about the first records, at most all

	Log       []LogRef `json:"log"`                 // ascending, without holes
	Indexes   []Ref    `json:"indexes"`             // the other buckets
	Blobs     []Ref    `json:"blobs"`               // lists: name of a blob, then where its bytes are
	Inventory []Ref    `json:"inventory,omitempty"` // encrypted backups: which objects belong to it, not encrypted

	BlobCount int64    `json:"blob_count"`
	BlobBytes int64    `json:"blob_bytes"`
	Damaged   []string `json:"damaged,omitempty"` // blobs that were damaged already when they were read, no earlier copy being there
}

// Ref is an object.
type Ref struct {
	Object evidence.Digest `json:"object"` // of its bytes as they lie there, which names it
	Size   int64           `json:"size"`
}

// LogRef is the segment with the records First to First+Count-1.
type LogRef struct {
	Ref
	First int64 `json:"first"`
	Count int64 `json:"count"`
}

func objectName(d evidence.Digest) string {
	s := d.String()
	return prefixObjects + s[:2] + "/" + s
}

func (m *Manifest) encrypted() bool { return len(m.Recipients) > 0 }

// runName sorts by time.
func runName(at time.Time, records int64) string {
	return fmt.Sprintf("%s%s-%d.json", prefixRuns, at.UTC().Format("20060102T150405.000000Z"), records)
}

// encode makes the manifest's file.
func (m *Manifest) encode(signer note.Signer) ([]byte, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	b = append(b, '\n')
	if signer == nil {
		return b, nil
	}
	return note.Sign(&note.Note{Text: string(b)}, signer)
}

var (
	// ErrFormat: another version wrote it.
	ErrFormat = errors.New("another version of muhafiz wrote it: use the one that did, or a newer one")
	// ErrManifest: it is damaged.
	ErrManifest = errors.New("it is not a manifest of a backup, or damaged: take an earlier one (muhafiz backup list)")
	// ErrSignature: the log's key did not sign it.
	ErrSignature = errors.New("the log's key did not sign it")
	// ErrNoBackup: there is none.
	ErrNoBackup = errors.New("no finished backup lies there: check the place; one whose first run was interrupted has none either")
)

// parseManifest reads a manifest. vkey, where given, must have signed it.
func parseManifest(b []byte, vkey string) (*Manifest, error) {
	if vkey != "" {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("log key %q: %w", vkey, err)
		}
		if _, err := note.Open(b, note.VerifierList(v)); err != nil {
			return nil, fmt.Errorf("%w (%w)", ErrSignature, err)
		}
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrManifest, err)
	}
	if head.Format != Format {
		return nil, fmt.Errorf("format %d, this build reads %d: %w", head.Format, Format, ErrFormat)
	}
	m := new(Manifest)
	if err := json.Unmarshal(line, m); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrManifest, err)
	}
	next := int64(0)
	for _, l := range m.Log {
		if l.First != next || l.Count <= 0 || l.Count > segmentRecords {
			return nil, fmt.Errorf("%w (its list of the log has a hole at record %d)", ErrManifest, next)
		}
		next += l.Count
	}
	if next != m.Records || next == 0 {
		return nil, fmt.Errorf("%w (its list of the log ends at record %d of %d)", ErrManifest, next, m.Records)
	}
	return m, nil
}

// refs calls fn with all objects but the blobs themselves.
func (m *Manifest) refs(fn func(Ref)) {
	for _, l := range m.Log {
		fn(l.Ref)
	}
	for _, list := range [][]Ref{m.Indexes, m.Blobs, m.Inventory} {
		for _, r := range list {
			fn(r)
		}
	}
}

// readMarker returns the zero Marker where there is none.
func readMarker(ctx context.Context, s Store) (m Marker, err error) {
	b, err := readAll(ctx, s, nameMarker, 1<<16)
	if isMissing(err) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil || m.Format == 0 || m.Vault == "" || m.Place == "" {
		return m, fmt.Errorf("%s: %w", nameMarker, ErrManifest)
	}
	if m.Format != Format {
		return m, fmt.Errorf("the place holds a backup of format %d, this build reads %d: %w", m.Format, Format, ErrFormat)
	}
	return m, nil
}

// Runs returns the names of the finished backups, the newest first.
func Runs(ctx context.Context, s Store) ([]string, error) {
	var names []string
	err := s.List(ctx, prefixRuns, func(o Object) error {
		if strings.HasSuffix(o.Name, ".json") {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(o.Name, prefixRuns), ".json"))
		}
		return nil
	})
	slices.Sort(names)
	slices.Reverse(names)
	return names, err
}

const maxManifest = 1 << 30

// readRun reads the manifest of a backup, the newest where name is empty.
func readRun(ctx context.Context, s Store, name, vkey string) (*Manifest, string, error) {
	if name == "" {
		names, err := Runs(ctx, s)
		if err != nil {
			return nil, "", err
		}
		if len(names) == 0 {
			return nil, "", ErrNoBackup
		}
		name = names[0]
	}
	b, err := readAll(ctx, s, prefixRuns+name+".json", maxManifest)
	if isMissing(err) {
		return nil, name, fmt.Errorf("backup %s is not there: muhafiz backup list names those that are", name)
	}
	if err != nil {
		return nil, name, err
	}
	m, err := parseManifest(b, vkey)
	if err != nil {
		return nil, name, fmt.Errorf("manifest %s: %w", name, err)
	}
	return m, name, nil
}
