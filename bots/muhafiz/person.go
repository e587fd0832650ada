package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// who is the person on whose behalf a command acts.
type who struct {
	As string `required:"" help:"Your id in the configuration." env:"MUHAFIZ_AS" placeholder:"ID"`
}

// signs is who with the key that signs.
type signs struct {
	who
	Key string `help:"Your private SSH key. Without it, ssh-agent is asked for the key that the roster names." env:"MUHAFIZ_KEY" type:"path" placeholder:"FILE"`
}

// connect reaches the vault: through a running daemon, or by opening it.
func (s *session) connect(command string) (*daemon.Client, error) {
	cfg, err := s.load()
	if err != nil {
		return nil, err
	}
	log := s.log
	return daemon.Connect(s, cfg.Vault, func() (*daemon.Rooms, error) {
		return daemon.OpenRooms(s, daemon.Options{
			Config: cfg, Build: build(), Log: log, Command: command, Passphrase: s.logKeyPassphrase(),
			// The first acts of people make a vault; looking at nothing makes nothing.
			MayCreate: slices.Contains([]string{"watch add", "watch sign", "watch approve"}, command),
		})
	})
}

// with runs f with a client and closes it.
func (s *session) with(command string, f func(*daemon.Client) error) error {
	c, err := s.connect(command)
	if err != nil {
		return err
	}
	return errors.Join(f(c), c.Close())
}

// sign signs a prepared statement with the person's key, and refuses to sign one that says something else than was asked for.
func (p signs) sign(ctx context.Context, s *session, payload, typ string) (evidence.Signed, error) {
	st, err := review.ParseStatement(payload)
	if err != nil {
		return evidence.Signed{}, err
	}
	if st.Type != typ || st.Person != p.As {
		return evidence.Signed{}, fmt.Errorf("the statement to sign is a %s of %s, not your %s: nothing was signed", st.Type, st.Person, typ)
	}
	signer, done, err := p.signer(s, st.Fingerprint)
	if err != nil {
		return evidence.Signed{}, err
	}
	signed, err := review.Sign(payload, signer)
	return signed, errors.Join(err, done())
}

// handIn has a statement prepared at path/prepare, signs it, and hands it in at path. Target is empty where the statement is about a
// case; out is what became of it.
func (p signs) handIn(s *session, cl *daemon.Client, path string, ask any, typ, target string, out any) error {
	var prepared daemon.Prepared
	if err := cl.Call(s, "POST", path+"/prepare", ask, &prepared); err != nil {
		return err
	}
	signed, err := p.sign(s, s, prepared.Payload, typ)
	if err != nil {
		return err
	}
	return cl.Call(s, "POST", path, daemon.SignedBy{Person: p.As, Target: target, Signed: signed}, out)
}

func (p signs) signer(s *session, fingerprint string) (ssh.Signer, func() error, error) {
	none := func() error { return nil }
	if p.Key != "" {
		k, err := review.FileSigner(p.Key, func() ([]byte, error) { return s.secret("Passphrase of " + p.Key + ": ") })
		return k, none, err
	}
	sock := os.Getenv("SSH_AUTH_SOCK")
	if sock == "" {
		return nil, none, exit(exitUsage, errors.New("no key to sign with: give --key FILE, or start ssh-agent and add your key"))
	}
	return review.AgentSigner(sock, fingerprint)
}

// logKeyPassphrase asks for the log key's passphrase, once; nil where there is no terminal.
func (s *session) logKeyPassphrase() func() (string, error) {
	if !isTerminal(s.in) {
		return nil
	}
	return func() (string, error) {
		b, err := s.secret("Passphrase of the log key: ")
		return string(b), err
	}
}

// secret asks for a secret on the terminal.
func (s *session) secret(prompt string) ([]byte, error) {
	f, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, errors.New("the key has a passphrase and there is no terminal to ask for it: use ssh-agent")
	}
	fmt.Fprint(s.err, prompt)
	defer fmt.Fprintln(s.err)
	return term.ReadPassword(int(f.Fd()))
}

// readJSON reads a file into v.
func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
