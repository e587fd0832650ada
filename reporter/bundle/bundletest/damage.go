// Package bundletest damages bundles, so that every verifier can be tried on the same copies. It knows the bag's files and
// nothing of the code that writes or reads them.
package bundletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Damage is one thing that can happen to a bag.
type Damage struct {
	Name string
	// NeedsLogKey marks a damage that only the checkpoint's signature shows: a verifier without the log's key cannot see it.
	NeedsLogKey bool
	// Outside marks a damage to data/log/anchors alone, by a signer who remakes everything else: a verifier that does not look there finds
	// the rest in order.
	Outside bool
	// Apply damages the bag in a folder. resign makes the tag manifest anew and signs it with the genuine key, as Resign's
	// function does; a damage calls it when it stands for a signer who did this, and else not.
	Apply func(bag string, resign func(bag string) error) error
}

const (
	envelopes  = "data/log/envelopes.jsonl"
	bodies     = "data/log/bodies.jsonl"
	proofs     = "data/log/proofs.jsonl"
	checkpoint = "data/log/checkpoint"
	tags       = "tagmanifest-sha256.txt"
	signature  = "tagmanifest-sha256.txt.sig"
)

// Damages lists everything that a verifier must refuse. The bag must hold at least three records, one of them with a body, and
// one exhibit with a file.
func Damages() []Damage {
	list := append(bytesFlipped(), files()...)
	list = append(list, signatures()...)
	list = append(list, manifests()...)
	list = append(list, resigned()...)
	return append(list, lines()...)
}

type edit func(bag string) error

// plain leaves the manifests as they were.
func plain(name string, do edit) Damage {
	return Damage{Name: name, Apply: func(bag string, _ func(string) error) error { return do(bag) }}
}

// retagged signs again and leaves the payload manifests as they are.
func retagged(name string, do edit) Damage {
	return Damage{Name: name + ", signed again", Apply: func(bag string, resign func(string) error) error {
		if err := do(bag); err != nil {
			return err
		}
		return resign(bag)
	}}
}

// remade makes all manifests and the oxum anew and signs again, so that only what the records prove is left to object.
func remade(name string, do edit) Damage {
	return retagged(name+", manifests remade", func(bag string) error {
		if err := do(bag); err != nil {
			return err
		}
		return Remanifest(bag)
	})
}

func change(path string, fn func([]byte) ([]byte, error)) edit {
	return func(bag string) error {
		full := filepath.Join(bag, filepath.FromSlash(path))
		old, err := os.ReadFile(full)
		if err != nil {
			return err
		}
		b, err := fn(bytes.Clone(old))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if bytes.Equal(b, old) {
			return fmt.Errorf("%s: nothing changed", path)
		}
		return os.WriteFile(full, b, 0o600)
	}
}

// flip turns the lowest bit of the byte in the middle of the first line that holds marker.
func flip(path, marker string) edit {
	return change(path, func(b []byte) ([]byte, error) {
		at := bytes.Index(b, []byte(marker))
		if at < 0 {
			return nil, fmt.Errorf("holds no %q", marker)
		}
		from := bytes.LastIndexByte(b[:at], '\n') + 1
		to := len(b)
		if n := bytes.IndexByte(b[at:], '\n'); n >= 0 {
			to = at + n
		}
		b[(from+to)/2] ^= 1
		return b, nil
	})
}

func bytesFlipped() []Damage {
	return []Damage{
		plain("a byte of the report flipped", flip("data/report.html", "<")),
		plain("a byte of the coverage flipped", flip("data/coverage.json", "bundle")),
		plain("a byte of an exhibit's list flipped", inFirst("exhibit.json", func(path string) edit { return flip(path, "post") })),
		plain("a byte of an exhibit's file flipped", inFirst("", func(path string) edit { return flipMiddle(path) })),
		plain("a byte of an envelope flipped", flip(envelopes, "seq")),
		plain("a byte of a body flipped", flip(bodies, "salt")),
		plain("a byte of a proof flipped", flip(proofs, `["`)),
		plain("a byte of the checkpoint flipped", flipRoot),
		plain("a byte of bag-info.txt flipped", flip("bag-info.txt", "Bagging-Date")),
		plain("a byte of bagit.txt flipped", flip("bagit.txt", "BagIt")),
		plain("a byte of VERIFY.md flipped", flip("VERIFY.md", "#")),
		plain("a byte of the SHA-256 manifest flipped", flip("manifest-sha256.txt", "data/")),
		plain("a byte of the SHA-512 manifest flipped", flip("manifest-sha512.txt", "data/")),
		plain("a byte of the tag manifest flipped", flip(tags, "bagit")),
		plain("a byte of the signature flipped", change(signature, func(b []byte) ([]byte, error) {
			b[len(b)*3/4] ^= 1
			return b, nil
		})),
	}
}

func flipMiddle(path string) edit {
	return change(path, func(b []byte) ([]byte, error) {
		if len(b) == 0 {
			return nil, errors.New("is empty")
		}
		b[len(b)/2] ^= 1
		return b, nil
	})
}

// flipRoot changes the root hash in the checkpoint.
func flipRoot(bag string) error {
	return change(checkpoint, func(b []byte) ([]byte, error) {
		l := bytes.SplitN(b, []byte("\n"), 4)
		if len(l) < 4 || len(l[2]) < 10 {
			return nil, errors.New("is no checkpoint")
		}
		if l[2][5]++; l[2][5] > 'y' || (l[2][5] > 'Y' && l[2][5] < 'a') || l[2][5] < 'A' {
			l[2][5] = 'A'
		}
		return bytes.Join(l, []byte("\n")), nil
	})(bag)
}

// flipCheckpointSignature changes the signature under the checkpoint and not the number of the key.
func flipCheckpointSignature(bag string) error {
	return change(checkpoint, func(b []byte) ([]byte, error) {
		at := bytes.LastIndexByte(b, ' ') + 40
		if at >= len(b) {
			return nil, errors.New("has no signature")
		}
		if b[at] == 'A' {
			b[at] = 'B'
		} else {
			b[at] = 'A'
		}
		return b, nil
	})(bag)
}

// inFirst applies an edit to the first file within an exhibit's folder whose name ends so; "" stands for a file that is named by
// its digest.
func inFirst(suffix string, do func(path string) edit) edit {
	return func(bag string) error {
		path, err := first(bag, suffix)
		if err != nil {
			return err
		}
		return do(path)(bag)
	}
}

func first(bag, suffix string) (string, error) {
	found, err := filepath.Glob(filepath.Join(bag, "data", "exhibits", "*", "*"))
	if err != nil {
		return "", err
	}
	sort.Strings(found)
	for _, f := range found {
		if list := filepath.Base(f) == "exhibit.json"; list == (suffix != "") && strings.HasSuffix(f, suffix) {
			rel, err := filepath.Rel(bag, f)
			return filepath.ToSlash(rel), err
		}
	}
	return "", fmt.Errorf("the bag has no exhibit with a file %q", suffix)
}

// proof is a line of proofs.jsonl.
type proof struct {
	Seq  int64    `json:"seq"`
	Path []string `json:"path"`
}

// editProof changes the first proof that fn accepts.
func editProof(fn func(p, next *proof) bool) edit {
	return change(proofs, func(b []byte) ([]byte, error) {
		ls := strings.SplitAfter(string(b), "\n")
		for i := 0; i+2 < len(ls); i++ {
			var p, next proof
			if err := errors.Join(json.Unmarshal([]byte(ls[i]), &p), json.Unmarshal([]byte(ls[i+1]), &next)); err != nil {
				return nil, err
			}
			if !fn(&p, &next) {
				continue
			}
			out, err := json.Marshal(p)
			ls[i] = string(out) + "\n"
			return []byte(strings.Join(ls, "")), err
		}
		return nil, errors.New("has no such proof")
	})
}
