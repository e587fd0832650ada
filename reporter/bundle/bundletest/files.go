package bundletest

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
)

func add(name, content string) edit {
	return func(bag string) error {
		full := filepath.Join(bag, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			return err
		}
		return os.WriteFile(full, []byte(content), 0o600)
	}
}

func remove(name string) edit {
	return func(bag string) error { return os.Remove(filepath.Join(bag, filepath.FromSlash(name))) }
}

// link puts a symbolic link to a file with the same content in a file's place.
func link(name string) edit {
	return func(bag string) error {
		full := filepath.Join(bag, filepath.FromSlash(name))
		aside := bag + ".aside"
		if err := os.Rename(full, aside); err != nil {
			return err
		}
		return os.Symlink(aside, full)
	}
}

func files() []Damage {
	empty := func(bag string) error { return os.Mkdir(filepath.Join(bag, "data", "log", "empty"), 0o700) }
	fifo := func(bag string) error { return syscall.Mkfifo(filepath.Join(bag, "data", "log", "pipe"), 0o600) }
	folderLink := func(bag string) error {
		full := filepath.Join(bag, "data", "log")
		aside := bag + ".log"
		if err := os.Rename(full, aside); err != nil {
			return err
		}
		return os.Symlink(aside, full)
	}
	return []Damage{
		plain("a file added to the payload", add("data/extra.txt", "added\n")),
		plain("a file added to an exhibit", inFirst("exhibit.json", func(p string) edit { return add(path.Dir(p)+"/extra.txt", "added\n") })),
		plain("a file added at the root", add("extra.txt", "added\n")),
		plain("a folder added at the root", add("extra/file.txt", "added\n")),
		plain("a hidden file added at the root", add(".extra", "added\n")),
		plain("the report removed", remove("data/report.html")),
		plain("an exhibit's file removed", inFirst("", remove)),
		plain("VERIFY.md removed", remove("VERIFY.md")),
		plain("the signature removed", remove(signature)),
		plain("the bodies removed", remove(bodies)),
		plain("a payload file replaced by a link", link("data/report.html")),
		plain("an exhibit's file replaced by a link", inFirst("", link)),
		plain("a tag file replaced by a link", link("bag-info.txt")),
		plain("a folder replaced by a link", folderLink),
		plain("a pipe added", fifo),
		plain("an empty folder added", empty),
		retagged("an empty folder added", empty),
		retagged("a file added to the payload", add("data/extra.txt", "added\n")),
		retagged("a file added at the root", add("extra.txt", "added\n")),
		retagged("fetch.txt added", add("fetch.txt", "https://example.org/x 1 data/x\n")),
		remade("a name with a percent sign", add("data/exhibits/0001/a%25b", "x\n")),
		remade("a name with a space", add("data/exhibits/0001/a b", "x\n")),
		remade("a name with a line feed", add("data/exhibits/0001/a\nb", "x\n")),
		remade("a payload file replaced by a link", link("data/report.html")),
	}
}

func signatures() []Damage {
	return []Damage{
		{Name: "the signature swapped for a stranger's", Apply: func(bag string, _ func(string) error) error {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				return err
			}
			signer, err := ssh.NewSignerFromKey(key)
			if err != nil {
				return err
			}
			return sign(bag, signer, namespace)
		}},
		{Name: "the signature swapped for the signer's own of another bag", Apply: func(bag string, resign func(string) error) error {
			kept := map[string][]byte{}
			for _, f := range []string{"bag-info.txt", tags} {
				b, err := os.ReadFile(filepath.Join(bag, f))
				if err != nil {
					return err
				}
				kept[f] = b
			}
			if err := add("bag-info.txt", "Bagging-Date: 1999-01-01\n")(bag); err != nil {
				return err
			}
			if err := resign(bag); err != nil {
				return err
			}
			for f, b := range kept {
				if err := os.WriteFile(filepath.Join(bag, f), b, 0o600); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}

// onLine changes the manifest line of a path.
func onLine(manifest, name string, fn func(line string) string) edit {
	return change(manifest, func(b []byte) ([]byte, error) {
		ls := strings.SplitAfter(string(b), "\n")
		for i, l := range ls {
			if strings.HasSuffix(l, "  "+name+"\n") {
				ls[i] = fn(l)
			}
		}
		return []byte(strings.Join(ls, "")), nil
	})
}

func manifests() []Damage {
	const m256, m512, report = "manifest-sha256.txt", "manifest-sha512.txt", "data/report.html"
	upper := func(l string) string { return strings.ToUpper(l[:64]) + l[64:] }
	return []Damage{
		retagged("bag-info.txt counts otherwise", change("bag-info.txt", func(b []byte) ([]byte, error) {
			return []byte(strings.Replace(string(b), "Payload-Oxum: ", "Payload-Oxum: 1", 1)), nil
		})),
		retagged("a byte order mark before bagit.txt", change("bagit.txt", func(b []byte) ([]byte, error) { return append([]byte("\ufeff"), b...), nil })),
		retagged("a manifest line twice", onLine(m256, report, func(l string) string { return l + l })),
		retagged("a manifest line twice in the other manifest", onLine(m512, report, func(l string) string { return l + l })),
		retagged("a manifest line less", onLine(m512, report, func(string) string { return "" })),
		retagged("upper-case hex in a manifest", onLine(m256, report, upper)),
		retagged("a path that leaves the payload", onLine(m256, report, func(l string) string {
			return l + strings.Repeat("0", 64) + "  data/../../outside\n"
		})),
		retagged("a path that goes round", onLine(m256, report, func(l string) string {
			return strings.Replace(l, "data/report.html", "data/log/../report.html", 1)
		})),
		retagged("an absolute path", onLine(m256, report, func(l string) string { return l + strings.Repeat("0", 64) + "  /etc/hostname\n" })),
		retagged("a dot before a path", onLine(m256, report, func(l string) string { return strings.Replace(l, "  data/", "  ./data/", 1) })),
		retagged("a carriage return in a manifest", onLine(m256, report, func(l string) string { return strings.TrimSuffix(l, "\n") + "\r\n" })),
	}
}

// resigned are damages to what the records prove, by a signer who remakes everything else.
func resigned() []Damage {
	log := remade("a byte of the checkpoint's signature changed", flipCheckpointSignature)
	log.NeedsLogKey = true
	plainLog := plain("a byte of the checkpoint's signature changed", flipCheckpointSignature)
	return []Damage{
		remade("a byte of an envelope flipped", flip(envelopes, "seq")),
		remade("a byte of a body flipped", flip(bodies, "salt")),
		remade("a byte of a proof flipped", flip(proofs, `["`)),
		remade("a byte of the checkpoint's root changed", flipRoot),
		log, plainLog,
		remade("a byte of an exhibit's file flipped", inFirst("", flipMiddle)),
		remade("an exhibit's file exchanged under its right digest", inFirst("", func(name string) edit {
			return func(bag string) error {
				if err := flipMiddle(name)(bag); err != nil {
					return err
				}
				return rename(bag, name)
			}
		})),
		remade("a file added to an exhibit under its right digest", inFirst("", func(name string) edit {
			const content = "simulated\n"
			sum := sha256.Sum256([]byte(content))
			return add(path.Dir(name)+"/"+hex.EncodeToString(sum[:])+".txt", content)
		})),
		remade("a file added to an exhibit under another name", inFirst("", func(name string) edit { return add(path.Dir(name)+"/extra.txt", "x\n") })),
		remade("a raw reply added that no record names", add("data/raw/"+strings.Repeat("0", 64), "x\n")),
	}
}

// rename gives an exhibit's file the name that its content asks for.
func rename(bag, name string) error {
	full := filepath.Join(bag, filepath.FromSlash(name))
	b, err := os.ReadFile(full)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(b)
	return os.Rename(full, filepath.Join(filepath.Dir(full), hex.EncodeToString(sum[:])+filepath.Ext(full)))
}
