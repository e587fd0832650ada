package bundletest

import (
	"bytes"
	"errors"
	"strings"
)

// editLines changes the lines of one of the log's files; each line keeps its LF.
func editLines(path string, fn func(ls []string) []string) edit {
	return change(path, func(b []byte) ([]byte, error) {
		ls := strings.SplitAfter(string(b), "\n")
		if len(ls) < 4 {
			return nil, errors.New("has fewer than three lines")
		}
		return []byte(strings.Join(fn(ls[:len(ls)-1]), "")), nil
	})
}

func inAll(fn func(ls []string) []string) edit {
	return func(bag string) error {
		for _, path := range []string{envelopes, bodies, proofs} {
			if err := editLines(path, fn)(bag); err != nil {
				return err
			}
		}
		return nil
	}
}

// lines are damages to the order and number of records, with everything else remade and signed.
func lines() []Damage {
	swap := func(ls []string) []string { ls[0], ls[1] = ls[1], ls[0]; return ls }
	twice := func(ls []string) []string { return append([]string{ls[0]}, ls...) }
	drop := func(ls []string) []string { return ls[1:] }
	return []Damage{
		remade("records out of order", inAll(swap)),
		remade("a record twice", inAll(twice)),
		remade("an envelope less", editLines(envelopes, drop)),
		remade("a body less", editLines(bodies, drop)),
		remade("a proof less", editLines(proofs, drop)),
		remade("two bodies exchanged", editLines(bodies, func(ls []string) []string {
			for i := range ls[1:] {
				if ls[i] != ls[i+1] {
					ls[i], ls[i+1] = ls[i+1], ls[i]
					break
				}
			}
			return ls
		})),
		remade("every body withheld", editLines(bodies, func(ls []string) []string { return []string{strings.Repeat("\n", len(ls))} })),
		remade("the proof of another record", editProof(func(p, next *proof) bool {
			if len(p.Path) == 0 || strings.Join(p.Path, "") == strings.Join(next.Path, "") {
				return false
			}
			p.Path = next.Path
			return true
		})),
		remade("a proof that names another record", editProof(func(p, next *proof) bool { p.Seq = next.Seq; return true })),
		remade("a proof that is too long", editProof(func(p, _ *proof) bool {
			if len(p.Path) == 0 {
				return false
			}
			p.Path = append(p.Path, p.Path[0])
			return true
		})),
		remade("a proof that is too short", editProof(func(p, _ *proof) bool {
			if len(p.Path) == 0 {
				return false
			}
			p.Path = p.Path[:len(p.Path)-1]
			return true
		})),
		remade("a checkpoint of a smaller log", change(checkpoint, func(b []byte) ([]byte, error) {
			l := bytes.SplitN(b, []byte("\n"), 3)
			l[1] = []byte("1")
			return bytes.Join(l, []byte("\n")), nil
		})),
		remade("envelopes cut off within the last line", change(envelopes, func(b []byte) ([]byte, error) { return b[:len(b)-3], nil })),
	}
}
