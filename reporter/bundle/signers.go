package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

var (
	// errUnknownSigner: nothing given says who may sign as the identity.
	errUnknownSigner = errors.New("signer unknown")
	// errSignature: there is a signature, and it is not what it should be.
	errSignature = errors.New("signature does not hold")
)

// allowed is one usable line of an allowed_signers file, see ssh-keygen(1).
type allowed struct {
	principals, namespaces []string
	after, before          time.Time
	key                    ssh.PublicKey
}

// parseAllowed reads an allowed_signers file. Lines with certificate authorities and lines that cannot be read are left out:
// what is not understood allows nobody.
func parseAllowed(file []byte) []allowed {
	var out []allowed
	for _, line := range bytes.Split(file, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		who, rest, ok := cutField(string(line))
		if !ok {
			continue
		}
		key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(rest))
		if err != nil {
			continue
		}
		a := allowed{principals: strings.Split(who, ","), key: key}
		if a.options(options) {
			out = append(out, a)
		}
	}
	return out
}

func cutField(s string) (first, rest string, ok bool) {
	if strings.HasPrefix(s, `"`) {
		if first, rest, ok = strings.Cut(s[1:], `"`); !ok {
			return "", "", false
		}
		return first, strings.TrimSpace(rest), true
	}
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return "", "", false
	}
	return s[:i], strings.TrimSpace(s[i:]), true
}

// options reports whether every option of the line is one that is understood and honoured.
func (a *allowed) options(options []string) bool {
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		value = strings.Trim(value, `"`)
		var err error
		switch strings.ToLower(name) {
		case "namespaces":
			a.namespaces = strings.Split(value, ",")
		case "valid-after":
			a.after, err = parseSSHTime(value)
		case "valid-before":
			a.before, err = parseSSHTime(value)
		default:
			return false
		}
		if err != nil {
			return false
		}
	}
	return true
}

// parseSSHTime reads YYYYMMDD[HHMM[SS]][Z]; without Z it is local time.
func parseSSHTime(s string) (time.Time, error) {
	loc := time.Local
	if t, ok := strings.CutSuffix(s, "Z"); ok {
		s, loc = t, time.UTC
	}
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(s) == len(layout) {
			return time.ParseInLocation(layout, s, loc)
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time", s)
}

func (a *allowed) holds(now time.Time) bool {
	return (a.after.IsZero() || !now.Before(a.after)) && (a.before.IsZero() || now.Before(a.before)) &&
		(a.namespaces == nil || matchAny(a.namespaces, SignatureNamespace))
}

// matchAny matches patterns with * and ?, where a pattern behind ! excludes.
func matchAny(patterns []string, s string) bool {
	found := false
	for _, p := range patterns {
		p, not := strings.CutPrefix(p, "!")
		// A slash and a bracket have no meaning in these patterns; path.Match gives them one.
		p = strings.NewReplacer("/", "\x01", "[", `\[`, `\`, `\\`).Replace(p)
		if ok, err := path.Match(p, strings.ReplaceAll(s, "/", "\x01")); err == nil && ok {
			if not {
				return false
			}
			found = true
		}
	}
	return found
}

// parseSignature reads an armored SSHSIG and checks it against its own key over message.
func parseSignature(armored, message []byte, namespace string) (ssh.PublicKey, error) {
	sig, err := sshsig.Unarmor(armored)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSignature, err)
	}
	if sig.Namespace != namespace {
		return nil, fmt.Errorf("%w: it was made for %q, not for %q", errSignature, sig.Namespace, namespace)
	}
	if err := sshsig.Verify(bytes.NewReader(message), sig, sig.PublicKey, sig.HashAlgorithm, namespace); err != nil {
		return nil, fmt.Errorf("%w: %w", errSignature, err)
	}
	return sig.PublicKey, nil
}

// identify says whether key may sign as identity. The identity's absence from the file is errUnknownSigner; its presence with
// other keys only is errSignature.
func identify(file []byte, identity string, key ssh.PublicKey, now time.Time) error {
	if len(bytes.TrimSpace(file)) == 0 || identity == "" {
		return fmt.Errorf("%w: give --signers FILE and --identity ID", errUnknownSigner)
	}
	listed := false
	for _, a := range parseAllowed(file) {
		if !matchAny(a.principals, identity) {
			continue
		}
		listed = true
		if bytes.Equal(a.key.Marshal(), key.Marshal()) && a.holds(now) {
			return nil
		}
	}
	if !listed {
		return fmt.Errorf("%w: the signers' file does not list %s", errUnknownSigner, identity)
	}
	return fmt.Errorf("%w: it was made by %s, which may not sign as %s", errSignature, ssh.FingerprintSHA256(key), identity)
}
