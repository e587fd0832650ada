package bundletest

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

const namespace = "file@muhafiz"

// Resign returns a function that makes a bag's tag manifest anew and signs it with signer. It lists the five tag files of a
// bundle and no others.
func Resign(signer ssh.Signer) func(bag string) error {
	return func(bag string) error {
		var out bytes.Buffer
		for _, f := range []string{"VERIFY.md", "bag-info.txt", "bagit.txt", "manifest-sha256.txt", "manifest-sha512.txt"} {
			b, err := os.ReadFile(filepath.Join(bag, f))
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, "%x  %s\n", sha256.Sum256(b), f)
		}
		if err := os.WriteFile(filepath.Join(bag, tags), out.Bytes(), 0o600); err != nil {
			return err
		}
		return sign(bag, signer, namespace)
	}
}

func sign(bag string, signer ssh.Signer, ns string) error {
	b, err := os.ReadFile(filepath.Join(bag, tags))
	if err != nil {
		return err
	}
	sig, err := sshsig.Sign(bytes.NewReader(b), signer, sshsig.HashSHA512, ns)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(bag, signature), sshsig.Armor(sig), 0o600)
}

var oxum = regexp.MustCompile(`(?m)^Payload-Oxum: .*$`)

// Remanifest makes both payload manifests and Payload-Oxum fit what lies in the bag, through links too.
func Remanifest(bag string) error {
	var paths []string
	err := filepath.WalkDir(filepath.Join(bag, "data"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	sort.Strings(paths)
	var m256, m512 bytes.Buffer
	var size int
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(bag, path)
		if err != nil {
			return err
		}
		size += len(b)
		fmt.Fprintf(&m256, "%x  %s\n", sha256.Sum256(b), filepath.ToSlash(rel))
		fmt.Fprintf(&m512, "%x  %s\n", sha512.Sum512(b), filepath.ToSlash(rel))
	}
	info, err := os.ReadFile(filepath.Join(bag, "bag-info.txt"))
	if err != nil {
		return err
	}
	info = oxum.ReplaceAll(info, fmt.Appendf(nil, "Payload-Oxum: %d.%d", size, len(paths)))
	for name, b := range map[string][]byte{"manifest-sha256.txt": m256.Bytes(), "manifest-sha512.txt": m512.Bytes(), "bag-info.txt": info} {
		if err := os.WriteFile(filepath.Join(bag, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}
