package bundle

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// bag is a bag being written, in a hidden folder beside its final place.
type bag struct {
	dir     string
	final   string
	entries map[string]entry
}

type entry struct {
	sha256, sha512 string
	size           int64
}

func newBag(final string) (*bag, error) {
	parent := filepath.Dir(final)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "."+filepath.Base(final)+".unfinished-")
	if err != nil {
		return nil, err
	}
	return &bag{dir: dir, final: final, entries: map[string]entry{}}, nil
}

// abandon removes what was written of a bag that will not be finished.
func (b *bag) abandon() error { return os.RemoveAll(b.dir) }

// file is one payload or tag file, hashed while it is written.
type file struct {
	io.Writer
	bag  *bag
	path string
	f    *os.File
	h256 hash.Hash
	h512 hash.Hash
	n    int64
}

// create opens a new file of the bag. Two files of one name are a mistake of the caller and an error.
func (b *bag) create(path string) (*file, error) {
	full := filepath.Join(b.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	x := &file{bag: b, path: path, f: f, h256: sha256.New(), h512: sha512.New()}
	x.Writer = io.MultiWriter(f, x.h256, x.h512, countWriter{&x.n})
	return x, nil
}

type countWriter struct{ n *int64 }

func (c countWriter) Write(p []byte) (int, error) {
	*c.n += int64(len(p))
	return len(p), nil
}

// Close makes the file durable and enters it.
func (x *file) Close() error {
	err := x.f.Sync()
	if cerr := x.f.Close(); err == nil {
		err = cerr
	}
	x.bag.entries[x.path] = entry{hex.EncodeToString(x.h256.Sum(nil)), hex.EncodeToString(x.h512.Sum(nil)), x.n}
	return err
}

// write makes a file of what fn writes.
func (b *bag) write(path string, fn func(io.Writer) error) error {
	f, err := b.create(path)
	if err != nil {
		return err
	}
	return errors.Join(fn(f), f.Close())
}

func (b *bag) writeBytes(path string, content []byte) error {
	return b.write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// copyBlob copies a blob and makes sure that it is the one it is called.
func (b *bag) copyBlob(ctx context.Context, path string, d evidence.Digest, r io.Reader) error {
	err := b.write(path, func(w io.Writer) error {
		_, err := io.Copy(w, ctxReader{ctx, r})
		return err
	})
	if err == nil && b.entries[path].sha256 != d.String() {
		err = fmt.Errorf("blob %s has other content than its name says: run `muhafiz fsck`", d)
	}
	return err
}

func (b *bag) paths(keep func(string) bool) []string {
	var out []string
	for p := range b.entries {
		if keep(p) {
			out = append(out, p)
		}
	}
	sort.Strings(out)
	return out
}

func isPayload(p string) bool { return strings.HasPrefix(p, dirData+"/") }

// label is one line of bag-info.txt.
type label struct{ name, value string }

// tag writes the tag files around the payload and signs them. It returns the tag manifest.
func (b *bag) tag(o Options, info []label, verifyPage []byte) ([]byte, error) {
	payload := b.paths(isPayload)
	var total int64
	var m256, m512 bytes.Buffer
	for _, p := range payload {
		e := b.entries[p]
		total += e.size
		fmt.Fprintf(&m256, "%s  %s\n", e.sha256, p)
		fmt.Fprintf(&m512, "%s  %s\n", e.sha512, p)
	}
	info = append(info, label{"Payload-Oxum", fmt.Sprintf("%d.%d", total, len(payload))})
	var infoText bytes.Buffer
	for _, l := range info {
		if v := oneLine(l.value); v != "" {
			fmt.Fprintf(&infoText, "%s: %s\n", l.name, v)
		}
	}
	for _, t := range []struct {
		path    string
		content []byte
	}{
		{fileBagit, []byte(bagitText)},
		{fileInfo, infoText.Bytes()},
		{fileVerify, verifyPage},
		{fileManifest256, m256.Bytes()},
		{fileManifest512, m512.Bytes()},
	} {
		if err := b.writeBytes(t.path, t.content); err != nil {
			return nil, err
		}
	}
	var tags bytes.Buffer
	for _, p := range tagFiles() {
		fmt.Fprintf(&tags, "%s  %s\n", b.entries[p].sha256, p)
	}
	if err := b.writeBytes(fileTagManifest, tags.Bytes()); err != nil {
		return nil, err
	}
	sig, err := sshsig.Sign(bytes.NewReader(tags.Bytes()), o.Signer, sshsig.HashSHA512, SignatureNamespace)
	if err != nil {
		return nil, fmt.Errorf("sign bundle: %w", err)
	}
	return tags.Bytes(), b.writeBytes(fileSignature, sshsig.Armor(sig))
}

// oneLine keeps a label from becoming two: a purpose is typed by people.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }), " ")
}

// publish makes the bag's folders durable and gives it its name. A name taken meanwhile is an error; the bag is then gone.
func (b *bag) publish() error {
	if err := syncFolders(b.dir); err != nil {
		return err
	}
	if _, err := os.Lstat(b.final); err == nil {
		return fmt.Errorf("%w: %s appeared meanwhile and is not overwritten", ErrOptions, b.final)
	}
	if err := os.Rename(b.dir, b.final); err != nil {
		return err
	}
	return syncDir(filepath.Dir(b.final))
}

func syncFolders(root string) error {
	return filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncDir(path)
	})
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (o *Options) labels(vault string, at time.Time) []label {
	return []label{
		{"Source-Organization", o.Organisation},
		{"Bagging-Date", at.UTC().Format("2006-01-02")},
		{"External-Identifier", vault + "/" + o.Name},
		{"External-Description", "Records of an append-only log with inclusion proofs, and the files that they name; see VERIFY.md"},
		{"Internal-Sender-Description", o.Purpose},
		{"Internal-Sender-Identifier", string(o.subject())},
		{"Bag-Software-Agent", cmp.Or(o.Build, "muhafiz")},
		{"Muhafiz-Edition", string(o.Edition)},
		{"Muhafiz-Signer", o.Identity},
	}
}
