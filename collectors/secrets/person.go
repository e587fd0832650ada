package secrets

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// NewPersonKey makes an Ed25519 SSH key without a passphrase: the private key in OpenSSH's format at path, mode 0600, the public one
// at path.pub. It returns the authorized_keys line. It is for people who are only played; a real person makes their own key
// with ssh-keygen and hands over the public half.
func NewPersonKey(path, comment string) (authorizedKey string, err error) {
	if strings.ContainsAny(comment, "\r\n") {
		return "", errors.New("the key's comment must be one line")
	}
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make SSH key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(priv, comment)
	if err != nil {
		return "", fmt.Errorf("encode SSH key: %w", err)
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		return "", fmt.Errorf("encode SSH key: %w", err)
	}
	line := strings.TrimSpace(strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPub))) + " " + comment)
	if _, err := os.Lstat(path); err == nil { // before the public half is written
		return "", fmt.Errorf("write %s: %w", path, ErrExists)
	}
	if err := writeNew(path+".pub", []byte(line+"\n"), 0o644); err != nil {
		return "", err
	}
	if err := writeNew(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return "", errors.Join(err, os.Remove(path+".pub"))
	}
	return line, nil
}
