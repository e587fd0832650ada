package review

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Sign signs a prepared statement as `ssh-keygen -Y sign -n decision@muhafiz` would.
func Sign(payload string, signer ssh.Signer) (evidence.Signed, error) {
	sig, err := sshsig.Sign(strings.NewReader(payload), signer, sshsig.HashSHA512, evidence.SignatureNamespace)
	if err != nil {
		return evidence.Signed{}, fmt.Errorf("sign statement: %w", err)
	}
	return evidence.Signed{Payload: payload, Signature: string(sshsig.Armor(sig))}, nil
}

// FileSigner reads a private key file. An encrypted one asks passphrase, which may be nil. A file that others can read is
// refused, as ssh does.
func FileSigner(path string, passphrase func() ([]byte, error)) (ssh.Signer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read SSH key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("SSH key %s can be read by others; run chmod 600 on it", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read SSH key: %w", err)
	}
	s, err := ssh.ParsePrivateKey(b)
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		if err != nil {
			return nil, fmt.Errorf("%s is not a private SSH key: %w", path, err)
		}
		return s, nil
	}
	if passphrase == nil {
		return nil, fmt.Errorf("SSH key %s is encrypted; add it to ssh-agent or give its passphrase", path)
	}
	word, err := passphrase()
	if err != nil {
		return nil, fmt.Errorf("read passphrase: %w", err)
	}
	if s, err = ssh.ParsePrivateKeyWithPassphrase(b, word); err != nil {
		return nil, fmt.Errorf("decrypt SSH key %s: %w", path, err)
	}
	return s, nil
}

// AgentSigner finds the key with the fingerprint (`SHA256:…`) in the ssh-agent that listens on sock; the signer works until
// closeAgent is called.
func AgentSigner(sock, fingerprint string) (s ssh.Signer, closeAgent func() error, err error) {
	conn, err := net.Dial("unix", sock)
	if err != nil {
		return nil, nil, fmt.Errorf("reach ssh-agent: %w", err)
	}
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("ask ssh-agent for its keys: %w", err), conn.Close())
	}
	for _, s := range signers {
		if ssh.FingerprintSHA256(s.PublicKey()) == fingerprint {
			return s, conn.Close, nil
		}
	}
	err = fmt.Errorf("ssh-agent holds no key %s; add it with ssh-add", fingerprint)
	return nil, nil, errors.Join(err, conn.Close())
}
