package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// maxExhibit bounds an exhibit.json.
const maxExhibit = 16 << 20

// ctxReader ends a long read when its context ends.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// signature checks the bundle's signature, first against its own key and then against who may sign.
func (v *verifier) signature() (string, error) {
	armored, err := v.read(fileSignature, maxTagFile)
	if err != nil {
		return "", err
	}
	// The tag manifest lists a handful of files.
	message, err := v.read(fileTagManifest, maxTagFile)
	if err != nil {
		return "", err
	}
	key, err := parseSignature(armored, message, SignatureNamespace)
	if err != nil {
		return "", err
	}
	v.report.Signer = ssh.FingerprintSHA256(key)
	if err := identify(v.o.Signers, v.o.Identity, key, v.o.Now()); err != nil {
		return "", fmt.Errorf("%w (the signature itself is good, made by %s)", err, v.report.Signer)
	}
	return fmt.Sprintf("signed by %s with %s", v.o.Identity, v.report.Signer), nil
}

// named checks that every file beside a record is the one that a supplied body names. The payload check has compared content
// with manifest; here content is compared with name, and name with record.
func (v *verifier) named() (string, error) {
	m, err := v.manifest(fileManifest256, 64, okPayloadPath)
	if err != nil {
		return "", err
	}
	n := 0
	for _, path := range v.sorted() {
		d, ok := digestInName(path)
		if !ok {
			if (strings.HasPrefix(path, dirExhibits+"/") && !exhibitDir.MatchString(path)) || strings.HasPrefix(path, dirRaw+"/") {
				return "", wrong("%s is not named by its digest", path)
			}
			continue
		}
		if m.sums[path] != d.String() {
			return "", wrong("%s does not hold what its name says", path)
		}
		if !v.log.known[d] {
			return "", wrong("no record in the bag names %s", path)
		}
		n++
	}
	return fmt.Sprintf("%d files, each named by a record", n), nil
}

// exhibits checks that exhibit.json speaks of records in the bag and of its own post.
func (v *verifier) exhibits() (string, error) {
	n := 0
	for _, path := range v.sorted() {
		m := exhibitDir.FindStringSubmatch(path)
		if m == nil {
			continue
		}
		n++
		b, err := v.read(path, maxExhibit)
		if err != nil {
			return "", err
		}
		var x exhibitFile
		if err := json.Unmarshal(b, &x); err != nil {
			return "", wrong("%s: %w", path, err)
		}
		if fmt.Sprintf("%04d", x.Exhibit) != m[1] || len(x.Records) == 0 {
			return "", wrong("%s is numbered %d and names %d records", path, x.Exhibit, len(x.Records))
		}
		for _, seq := range x.Records {
			if l, ok := v.log.leaves[seq]; !ok || l.subject != x.Post {
				return "", wrong("%s names record %d, which is not one of %s in this bag", path, seq, x.Post)
			}
		}
	}
	return fmt.Sprintf("%d exhibit lists agree with the records", n), nil
}

// statements adds one check for each statement that a person signed.
func (v *verifier) statements() {
	for _, r := range v.log.statements {
		name := fmt.Sprintf("%s in record %d", r.Kind, r.Seq)
		detail, err := v.statement(r)
		c := Check{Name: name, OK: err == nil, Detail: detail}
		if err != nil {
			c.Open, c.Detail = errors.Is(err, errUnknownSigner), err.Error()
		}
		v.report.Checks = append(v.report.Checks, c)
	}
}

func (v *verifier) statement(r evidence.Record) (string, error) {
	signed, err := signedOf(r)
	if err != nil {
		return "", err
	}
	var st evidence.Statement
	if err := json.Unmarshal([]byte(signed.Payload), &st); err != nil {
		return "", wrong("its payload is not a statement: %w", err)
	}
	if v.log.vault != "" && st.Vault != v.log.vault {
		return "", wrong("it was signed for the vault %s, this is %s", st.Vault, v.log.vault)
	}
	if err := v.bound(st); err != nil {
		return "", err
	}
	if err := v.about(r, st); err != nil {
		return "", err
	}
	if err := v.listing(r, st); err != nil {
		return "", err
	}
	person, err := v.person(st.Person, r.Seq)
	if err != nil {
		return "", err
	}
	key, err := parseSignature([]byte(signed.Signature), []byte(signed.Payload), evidence.SignatureNamespace)
	if err != nil {
		return "", err
	}
	want, _, _, _, err := ssh.ParseAuthorizedKey([]byte(person.SSHKey))
	if err != nil {
		return "", wrong("the key recorded for %s cannot be read: %w", st.Person, err)
	}
	if !bytes.Equal(want.Marshal(), key.Marshal()) || st.Fingerprint != ssh.FingerprintSHA256(key) {
		return "", wrong("it is signed by %s, which is not the key recorded for %s", ssh.FingerprintSHA256(key), st.Person)
	}
	return fmt.Sprintf("%s%s signed by %s (%s) on %d exhibits, with the key recorded for that person", v.answer(st), st.Type, person.Name, st.Person, len(st.Exhibits)), nil
}

// answer says what a blind approval comes to beside the decision in the bag; nothing for any other statement.
func (v *verifier) answer(st evidence.Statement) string {
	if !st.Blind || st.Confirms == nil {
		return ""
	}
	for _, r := range v.log.statements {
		if decision, ok := statementOf(r); ok && r.Seq == st.Confirms.Seq {
			if st.Agrees(decision) {
				return "agreeing blind "
			}
			return "disagreeing blind "
		}
	}
	return "blind " // the decision is withheld
}

// bound checks that the leaf hashes in a statement are those of the records in the bag. Records that are not in it cannot be
// compared: a neighbour case's, say.
func (v *verifier) bound(st evidence.Statement) error {
	for _, x := range st.Exhibits {
		if l, ok := v.log.leaves[x.Seq]; ok && x.Post != "" && l.subject != x.Post {
			return wrong("it cites record %d as %s, and that record is about %s", x.Seq, x.Post, l.subject)
		}
	}
	for _, ref := range boundBy(st) {
		if l, ok := v.log.leaves[ref.Seq]; ok && l.hash != ref.Leaf {
			return wrong("it was signed over another record %d than the one in this bag", ref.Seq)
		}
	}
	return nil
}

// boundBy lists the records that a signed statement names by their leaf hashes.
func boundBy(st evidence.Statement) []evidence.RecordRef {
	var refs []evidence.RecordRef
	for _, x := range st.Exhibits {
		refs = append(refs, x.RecordRef)
	}
	for _, ref := range []*evidence.RecordRef{st.Confirms, st.Adjudicates, st.Lifts} {
		if ref != nil {
			refs = append(refs, *ref)
		}
	}
	if st.Grounds != nil && !st.Grounds.Designation.Leaf.IsZero() {
		refs = append(refs, st.Grounds.Designation)
	}
	return refs
}

// about checks that a third person's word names another person's word in that case, and a relisting the mark of a target, where the
// bag holds what they name.
func (v *verifier) about(r evidence.Record, st evidence.Statement) error {
	if st.Adjudicates != nil {
		refusal, ok := v.log.leaves[st.Adjudicates.Seq]
		if ok && (refusal.kind != evidence.KindApproval || refusal.subject != r.Subject) {
			return wrong("it decides between two people and record %d, which it names, is not the refusal in this case", st.Adjudicates.Seq)
		}
	}
	if st.Lifts != nil {
		stop, ok := v.log.leaves[st.Lifts.Seq]
		if ok && stop.kind != evidence.KindTargetMarked {
			return wrong("it sets a mark aside and record %d, which it names, is none", st.Lifts.Seq)
		}
	}
	return nil
}

// person returns the roster entry of a person as it stood before record seq.
func (v *verifier) person(id string, seq int64) (*evidence.PersonSet, error) {
	var found *evidence.PersonSet
	for _, r := range v.log.people {
		if p, err := evidence.Decode[*evidence.PersonSet](r); err == nil && p.Key == id && r.Seq < seq {
			found = p
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%w: the bag holds no key of %s", errUnknownSigner, id)
	}
	return found, nil
}

// signedOf returns what was signed in a decision, an approval, a listing, a relisting or a target's approval.
func signedOf(r evidence.Record) (evidence.Signed, error) {
	b, err := evidence.DecodeBody(r)
	if err != nil {
		return evidence.Signed{}, err
	}
	switch b := b.(type) {
	case *evidence.Decision:
		return b.Signed, nil
	case *evidence.Approval:
		return b.Signed, nil
	case *evidence.TargetApproved:
		return b.Signed, nil
	case *evidence.TargetListed:
		return b.Signed, nil
	case *evidence.TargetRelisted:
		return b.Signed, nil
	}
	return evidence.Signed{}, fmt.Errorf("record %d is %s, which nobody signs", r.Seq, r.Kind)
}
