package bundletest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Anchors lists damages to what outsiders said of a bag and of its log. The bag must hold a time-stamp over its tag manifest and an anchor
// with one; other is another bag so made. A signer who remakes a bag has it stamped anew: resign does that as well.
func Anchors(other string) []Damage {
	const stamp = tags + ".tsr"
	flipToken := func(b []byte) ([]byte, error) {
		b[len(b)-20] ^= 1
		return b, nil
	}
	list := []Damage{
		plain("the time-stamp of another bundle", func(bag string) error { return copyFile(filepath.Join(other, stamp), filepath.Join(bag, stamp)) }),
		plain("a time-stamp over other bytes", func(bag string) error {
			token, err := anAnchor(bag, ".tsr")
			if err != nil {
				return err
			}
			return copyFile(filepath.Join(bag, token), filepath.Join(bag, stamp))
		}),
		plain("a byte of the time-stamp flipped", change(stamp, flipToken)),
		plain("the time-stamp removed", remove(stamp)),
		plain("the time-stamp empty", change(stamp, func([]byte) ([]byte, error) { return nil, nil })),
		plain("an anchor's time-stamp exchanged", inAnchor(".tsr", func(p string) edit {
			return func(bag string) error { return copyFile(filepath.Join(bag, stamp), filepath.Join(bag, p)) }
		})),
	}
	for _, d := range []Damage{
		remade("an anchor's root changed", inAnchor(".checkpoint", func(p string) edit { return change(p, otherRoot) })),
		remade("an anchor's size changed", inAnchor(".checkpoint", func(p string) edit {
			return change(p, func(b []byte) ([]byte, error) {
				l := bytes.SplitN(b, []byte("\n"), 3)
				l[1] = []byte("1")
				return bytes.Join(l, []byte("\n")), nil
			})
		})),
		remade("an anchor of another log", inAnchor(".checkpoint", func(p string) edit {
			return change(p, func(b []byte) ([]byte, error) { return append([]byte("x"), b...), nil })
		})),
		remade("an anchor's time-stamp over other bytes", inAnchor(".tsr", func(p string) edit {
			return func(bag string) error { return copyFile(filepath.Join(other, stamp), filepath.Join(bag, p)) }
		})),
		remade("a byte of an anchor's time-stamp flipped", inAnchor(".tsr", func(p string) edit { return change(p, flipToken) })),
		remade("a hash of a consistency proof changed", inAnchor(".consistency", func(p string) edit {
			return change(p, func(b []byte) ([]byte, error) {
				at := bytes.IndexByte(b, '\n') + 5
				if at >= len(b) {
					return nil, errors.New("holds no hash")
				}
				if b[at]++; !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", rune(b[at])) {
					b[at] = 'A'
				}
				return b, nil
			})
		})),
		remade("a consistency proof of another size", inAnchor(".consistency", func(p string) edit {
			return change(p, func(b []byte) ([]byte, error) { return append([]byte("old 1"), b[bytes.IndexByte(b, '\n'):]...), nil })
		})),
		remade("a consistency proof that is too long", inAnchor(".consistency", func(p string) edit {
			return change(p, func(b []byte) ([]byte, error) { return append(b, b[bytes.IndexByte(b, '\n')+1:]...), nil })
		})),
		remade("an anchor's checkpoint removed", inAnchor(".checkpoint", remove)),
		remade("an anchor's proof removed", inAnchor(".consistency", remove)),
		remade("an anchor's time-stamp removed", inAnchor(".tsr", remove)),
		remade("an anchor removed that the bag speaks of", func(bag string) error { return os.RemoveAll(filepath.Join(bag, anchors)) }),
		remade("a file beside the anchors", add(anchors+"/notes.txt", "x\n")),
		remade("an earlier time claimed for an anchor", change("data/coverage.json", func(b []byte) ([]byte, error) {
			const key = `"at": "20`
			if !bytes.Contains(b, []byte(`"anchor": {`)) {
				return nil, errors.New("speaks of no anchor")
			}
			at := bytes.Index(b, []byte(`"anchor": {`))
			at += bytes.Index(b[at:], []byte(key)) + len(key)
			b[at] = '1'
			return b, nil
		})),
	} {
		d.Outside = true
		list = append(list, d)
	}
	return list
}

const anchors = "data/log/anchors"

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// anAnchor returns the first of the anchors' files whose name ends so.
func anAnchor(bag, suffix string) (string, error) {
	found, err := filepath.Glob(filepath.Join(bag, anchors, "*"+suffix))
	if err != nil || len(found) == 0 {
		return "", errors.Join(err, errors.New("the bag has no anchor's "+suffix))
	}
	sort.Strings(found)
	return anchors + "/" + filepath.Base(found[0]), nil
}

func inAnchor(suffix string, do func(path string) edit) edit {
	return func(bag string) error {
		path, err := anAnchor(bag, suffix)
		if err != nil {
			return err
		}
		return do(path)(bag)
	}
}

func otherRoot(b []byte) ([]byte, error) {
	l := bytes.SplitN(b, []byte("\n"), 4)
	if len(l) < 4 || len(l[2]) < 10 {
		return nil, errors.New("is no checkpoint")
	}
	if l[2][5] == 'A' {
		l[2][5] = 'B'
	} else {
		l[2][5] = 'A'
	}
	return bytes.Join(l, []byte("\n")), nil
}
