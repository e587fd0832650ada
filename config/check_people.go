package config

import (
	"crypto/rsa"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/ssh"
)

const minRSABits = 3072

func checkPeople(d *decoder, people []Person) {
	ids, keys := unique{}, unique{}
	for i, p := range people {
		d.slug(at("people", i, "id"), p.ID)
		ids.check(d, at("people", i, "id"), p.ID, fmt.Sprintf("the id %q", p.ID))
		keys.check(d, at("people", i, "ssh_key"), p.SSHKey.Fingerprint, "two people must not share a key: "+p.SSHKey.Fingerprint)
		if p.Email != "" && !validMail(p.Email) {
			d.errAt(at("people", i, "email"), "must be a mail address such as name@example.org, is %q", clip(p.Email))
		}
		d.words(at("people", i, "roles"), p.Roles, Roles())
	}
}

// words refuses words that are not known, and repeated ones.
func (d *decoder) words(path string, got, known []string) {
	seen := map[string]bool{}
	for i, w := range got {
		switch {
		case w == "":
		case !slices.Contains(known, w):
			d.errAt(at(path, i, ""), "must be one of %s, is %q%s", strings.Join(known, ", "), clip(w), guess(w, known))
		case seen[w]:
			d.errAt(at(path, i, ""), "%q is given twice", w)
		}
		seen[w] = true
	}
}

// validMail reports whether s is a bare mail address.
func validMail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s
}

type keySource struct {
	File string `yaml:"file,required"`
}

func (k *PublicKey) decodeNode(d *decoder, n *yaml.Node, path string) {
	var line string
	if n.Kind == yaml.MappingNode {
		before := len(d.errs)
		var src keySource
		d.mapping(n, path, valueOf(&src))
		if len(d.errs) > before {
			return
		}
		b, err := readLimited(d.abs(src.File), maxText)
		if err != nil {
			d.errorf(n, path, "%v", err)
			return
		}
		line = string(b)
	} else if s, ok := d.text(n, path); ok {
		line = s
	} else {
		return
	}
	key, err := parsePublicKey(line)
	if err != nil {
		d.errorf(n, path, "%v", err)
		return
	}
	*k = key
}

func parsePublicKey(line string) (PublicKey, error) {
	if strings.Contains(line, "PRIVATE KEY") {
		return PublicKey{}, fmt.Errorf("this is a private key; give the public one (the .pub file), and replace the key if others could read this")
	}
	pub, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	switch {
	case err != nil:
		return PublicKey{}, fmt.Errorf("must be an SSH public key (ssh-ed25519 AAAA… NAME) or {file: PATH.pub}: %q is neither", clip(strings.TrimSpace(line)))
	case len(options) > 0:
		return PublicKey{}, fmt.Errorf("the key has options (%s); give it without", clip(strings.Join(options, ",")))
	case len(strings.TrimSpace(string(rest))) > 0:
		return PublicKey{}, fmt.Errorf("more than one key; give one a person")
	}
	if err := strongKey(pub); err != nil {
		return PublicKey{}, err
	}
	return PublicKey{
		Line:        strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub))),
		Type:        pub.Type(),
		Fingerprint: ssh.FingerprintSHA256(pub),
	}, nil
}

func strongKey(pub ssh.PublicKey) error {
	switch pub.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
		return nil
	case ssh.KeyAlgoRSA:
		c, ok := pub.(ssh.CryptoPublicKey)
		if !ok {
			break
		}
		if k, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && k.N.BitLen() >= minRSABits {
			return nil
		}
		return fmt.Errorf("an RSA key of fewer than %d bits; make a new key: ssh-keygen -t ed25519", minRSABits)
	}
	return fmt.Errorf("keys of type %s are not accepted; make a new key: ssh-keygen -t ed25519", pub.Type())
}
