package bundle

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"regexp"
	"sort"
	"strings"
)

// maxTagFile bounds the tag files that are read whole; manifests are streamed and may be larger.
const maxTagFile = 1 << 20

var plainName = regexp.MustCompile(`^[a-zA-Z0-9_-][a-zA-Z0-9._-]*$`)

// layout walks the bag: only regular files and folders that hold something, only plain names, all that a bag needs.
func (v *verifier) layout() (string, error) {
	filled := map[string]bool{".": true}
	var folders []string
	err := fs.WalkDir(v.root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		if err := v.ctx.Err(); err != nil {
			return err
		}
		if !plainName.MatchString(d.Name()) {
			return wrong("%q is not a plain name", path)
		}
		if i := strings.LastIndexByte(path, '/'); i > 0 {
			filled[path[:i]] = true
		}
		if d.IsDir() {
			if !strings.HasPrefix(path+"/", dirData+"/") {
				return wrong("the folder %s does not belong into a bag", path)
			}
			folders = append(folders, path)
			return nil
		}
		if !d.Type().IsRegular() {
			return wrong("%s is neither a file nor a folder (%s)", path, d.Type())
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		v.files[path] = info.Size()
		return nil
	})
	if err != nil {
		return "", err
	}
	for _, f := range folders {
		if !filled[f] {
			return "", wrong("%s is an empty folder", f)
		}
	}
	if _, ok := v.files["fetch.txt"]; ok {
		return "", wrong("fetch.txt asks to load payload from elsewhere: all of it must be inside the bag")
	}
	for _, f := range append(append(tagFiles(), fileTagManifest, fileSignature), payloadFiles()...) {
		if size, ok := v.files[f]; !ok || size == 0 {
			return "", wrong("%s is missing or empty", f)
		}
	}
	return fmt.Sprintf("%d files, all of them plain files with plain names", len(v.files)), nil
}

// read returns a whole tag file.
func (v *verifier) read(path string, limit int64) ([]byte, error) {
	if v.files[path] > limit {
		return nil, wrong("%s is larger than %d bytes", path, limit)
	}
	f, err := v.root.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

func (v *verifier) manifest(path string, hexLen int, ok func(string) bool) (*manifest, error) {
	f, err := v.root.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := parseManifest(f, hexLen, ok)
	if err != nil {
		return nil, wrong("%s: %w", path, err)
	}
	return m, nil
}

// digests streams a file once through the given hashes and returns their hex.
func (v *verifier) digests(path string, hashes ...hash.Hash) ([]string, error) {
	f, err := v.root.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ws := make([]io.Writer, len(hashes))
	for i, h := range hashes {
		ws[i] = h
	}
	if _, err := io.Copy(io.MultiWriter(ws...), ctxReader{v.ctx, f}); err != nil {
		return nil, err
	}
	out := make([]string, len(hashes))
	for i, h := range hashes {
		out[i] = hex.EncodeToString(h.Sum(nil))
	}
	return out, nil
}

// tagFiles checks bagit.txt, the tag manifest, and that nothing lies at the root that no manifest lists.
func (v *verifier) tagFiles() (string, error) {
	bagit, err := v.read(fileBagit, maxTagFile)
	if err != nil {
		return "", err
	}
	if string(bagit) != bagitText {
		return "", wrong("bagit.txt is not the two lines of BagIt 1.0 in UTF-8 without a mark in front")
	}
	m, err := v.manifest(fileTagManifest, 2*sha256.Size, okTagPath)
	if err != nil {
		return "", err
	}
	for _, f := range tagFiles() {
		if m.sums[f] == "" {
			return "", wrong("%s does not list %s", fileTagManifest, f)
		}
	}
	for _, path := range v.sorted() {
		if strings.HasPrefix(path, dirData+"/") || path == fileTagManifest || path == fileSignature || timestampName.MatchString(path) {
			continue
		}
		if m.sums[path] == "" {
			return "", wrong("%s lies at the root and %s does not list it", path, fileTagManifest)
		}
	}
	for _, path := range m.paths {
		if strings.HasPrefix(path, "manifest-") && path != fileManifest256 && path != fileManifest512 {
			return "", wrong("%s is a manifest that nobody here can check", path)
		}
		if _, ok := v.files[path]; !ok {
			return "", wrong("%s is listed and missing", path)
		}
		sum, err := v.digests(path, sha256.New())
		if err != nil {
			return "", err
		}
		if sum[0] != m.sums[path] {
			return "", wrong("%s is not the file that was signed", path)
		}
	}
	return fmt.Sprintf("%d tag files unchanged", len(m.paths)), nil
}

// payload compares data/ with both manifests and with Payload-Oxum.
func (v *verifier) payload() (string, error) {
	m256, err := v.manifest(fileManifest256, 2*sha256.Size, okPayloadPath)
	if err != nil {
		return "", err
	}
	m512, err := v.manifest(fileManifest512, 2*sha512.Size, okPayloadPath)
	if err != nil {
		return "", err
	}
	for _, m := range []*manifest{m256, m512} {
		for _, path := range m.paths {
			if _, ok := v.files[path]; !ok {
				return "", wrong("%s is listed and missing", path)
			}
		}
	}
	for _, path := range v.sorted() {
		if !strings.HasPrefix(path, dirData+"/") {
			continue
		}
		if m256.sums[path] == "" || m512.sums[path] == "" {
			return "", wrong("%s is in the bag and not in both manifests", path)
		}
		if !inLayout(path) {
			return "", wrong("%s has no place in a bundle", path)
		}
		sums, err := v.digests(path, sha256.New(), sha512.New())
		if err != nil {
			return "", err
		}
		if sums[0] != m256.sums[path] || sums[1] != m512.sums[path] {
			return "", wrong("%s changed after it was packed", path)
		}
		v.report.Files++
		v.report.Bytes += v.files[path]
	}
	if err := v.oxum(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d files, %d bytes, complete and unchanged", v.report.Files, v.report.Bytes), nil
}

func (v *verifier) oxum() error {
	info, err := v.read(fileInfo, maxTagFile)
	if err != nil {
		return err
	}
	var have []string
	for _, line := range strings.Split(string(info), "\n") {
		if value, ok := strings.CutPrefix(line, "Payload-Oxum: "); ok {
			have = append(have, value)
		}
	}
	want := fmt.Sprintf("%d.%d", v.report.Bytes, v.report.Files)
	if len(have) != 1 || have[0] != want {
		return wrong("Payload-Oxum in bag-info.txt is %q, the bag holds %s", have, want)
	}
	return nil
}

// sorted returns the paths of the bag's files, so that the same bag gives the same report.
func (v *verifier) sorted() []string {
	out := make([]string, 0, len(v.files))
	for p := range v.files {
		out = append(out, p)
	}
	sort.Strings(out)
	return out
}
