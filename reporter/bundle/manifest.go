package bundle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// manifest is a manifest as read: digests in lower-case hex by path, and the paths in the file's order.
type manifest struct {
	sums  map[string]string
	paths []string
}

const maxManifestLine = 8 << 10

var errManifest = errors.New("not a manifest line `HEX  PATH`")

// parseManifest reads a manifest of digests with hexLen digits. It insists on one form, so that no two readers can understand
// one line differently: lower-case hex, two characters between, no escapes, LF at every line's end, no path twice.
func parseManifest(r io.Reader, hexLen int, okPath func(string) bool) (*manifest, error) {
	m := &manifest{sums: map[string]string{}}
	br := bufio.NewReaderSize(r, maxManifestLine)
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			break
		}
		if err == io.EOF {
			return nil, fmt.Errorf("line %d does not end: the file was cut off", n)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil, fmt.Errorf("line %d is longer than %d bytes: %w", n, maxManifestLine, errManifest)
		}
		if err != nil {
			return nil, err
		}
		sum, path, err := parseManifestLine(string(line[:len(line)-1]), hexLen)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if !okPath(path) {
			return nil, fmt.Errorf("line %d: %q is not a name that a bag may hold", n, path)
		}
		if _, twice := m.sums[path]; twice {
			return nil, fmt.Errorf("line %d: %s is listed twice", n, path)
		}
		m.sums[path] = sum
		m.paths = append(m.paths, path)
	}
	if len(m.paths) == 0 {
		return nil, errors.New("it is empty")
	}
	return m, nil
}

func parseManifestLine(s string, hexLen int) (sum, path string, err error) {
	if len(s) < hexLen+3 || s[hexLen] != ' ' || (s[hexLen+1] != ' ' && s[hexLen+1] != '*') {
		return "", "", errManifest
	}
	sum, path = s[:hexLen], s[hexLen+2:]
	if strings.Trim(sum, "0123456789abcdef") != "" {
		return "", "", fmt.Errorf("the digest is not %d digits of lower-case hex: %w", hexLen, errManifest)
	}
	return sum, path, nil
}

// okTagPath admits what lies at the root of a bag and may stand in its tag manifest.
func okTagPath(p string) bool {
	return payloadName.MatchString("data/"+p) && !strings.Contains(p, "/") && !strings.HasPrefix(p, "tagmanifest-") &&
		p != dirData && p != "fetch.txt"
}

func okPayloadPath(p string) bool { return payloadName.MatchString(p) }
