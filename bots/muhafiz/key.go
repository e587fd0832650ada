package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/secrets"
)

type keyCmd struct {
	Log    keyLogCmd    `cmd:"" help:"Make the key that signs the log's checkpoints. Keep it outside the vault folder, and a copy elsewhere."`
	Vault  keyVaultCmd  `cmd:"" help:"Make the key that opens the vault's key ring: what is kept is sealed at rest. Keep a copy where the backups are not."`
	Rotate keyRotateCmd `cmd:"" help:"Have the log's head signed with another key from now on; the old key signs for the new one."`
	Person keyPersonCmd `cmd:"" help:"Make a person's SSH key for decisions. ssh-keygen -t ed25519 does as well."`
}

// sealing is how a command hears of a log key's passphrase.
type sealing struct {
	Passphrase     bool   `help:"The key is sealed with a passphrase, asked for on the terminal." xor:"pass"`
	PassphraseFile string `help:"The same, from the first line of a file that only you can read." type:"existingfile" xor:"pass" placeholder:"FILE"`
}

// given returns the passphrase, empty where none is wanted. A new one is asked for twice.
func (p sealing) given(s *session, fresh bool) (string, error) {
	if p.PassphraseFile != "" {
		return s.answer(p.PassphraseFile, "")
	}
	if !p.Passphrase {
		return "", nil
	}
	if !isTerminal(s.in) {
		return "", exit(exitUsage, errors.New("there is no terminal to ask for the passphrase on: give --passphrase-file"))
	}
	first, err := s.secret("Passphrase of the log key: ")
	if err != nil || !fresh {
		return string(first), err
	}
	again, err := s.secret("The same again: ")
	if err == nil && string(first) != string(again) {
		err = exit(exitUsage, errors.New("the two passphrases differ; nothing was written"))
	}
	return string(first), err
}

type keyLogCmd struct {
	sealing
	Out  string `required:"" help:"Private key file to write; the public key goes to FILE.pub (vkey) and FILE.pem (PKIX)."`
	Name string `help:"The log's name (origin) in checkpoints; a random one when not given." placeholder:"NAME"`
}

func (c keyLogCmd) Run(s *session) error {
	pass, err := c.given(s, true)
	if err != nil {
		return err
	}
	vkey := ""
	if c.Passphrase || c.PassphraseFile != "" {
		vkey, err = secrets.WriteSealedLogKey(c.Out, c.Name, pass)
	} else {
		vkey, err = secrets.WriteLogKey(c.Out, c.Name)
	}
	if err != nil {
		return err
	}
	pem, err := secrets.LogKeyPEM(vkey)
	if err != nil {
		return err
	}
	if err := writePublic(c.Out+".pub", []byte(vkey+"\n")); err != nil {
		return err
	}
	if err := writePublic(c.Out+".pem", pem); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]string{"vkey": vkey, "private": c.Out, "public": c.Out + ".pub", "pem": c.Out + ".pem"})
	}
	fmt.Fprintf(s.out, "The log's public key is\n\n    %s\n\nGive %s.pub or %s.pem to whoever verifies bundles, by another way than the bundles.\n", vkey, c.Out, c.Out)
	return nil
}

type keyVaultCmd struct {
	Out string `required:"" help:"File to write: an age identity, readable by you only." type:"path"`
}

func (c keyVaultCmd) Run(s *session) error {
	public, err := secrets.WriteVaultKey(c.Out)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]string{"private": c.Out, "public": public})
	}
	fmt.Fprintf(s.out, "The vault key is in %s (public half %s).\nPut this into the configuration:\n\n    vault_key: {file: %s}\n\nKeep a copy where the vault's backups are not: without this key the vault is lost. A vault that is there already is sealed from the next start on, and what it holds by `muhafiz compact`.\n", c.Out, public, c.Out)
	return nil
}

type keyRotateCmd struct {
	sealing
	New    string `required:"" help:"Private key file of the new key (muhafiz key log --out FILE --name THE-LOGS-NAME), or credential:NAME as the daemon has it." placeholder:"FILE"`
	As     string `required:"" help:"Who changes it." placeholder:"PERSON"`
	Reason string `required:"" help:"Why; it is recorded."`
}

func (keyRotateCmd) Help() string {
	return "The change is a record signed by both keys, so that whoever trusts the old key can follow. Afterwards log_key in the configuration must name the new file. A key that is lost cannot be rotated: see SECURITY.md, When the log's key is lost."
}

func (c keyRotateCmd) Run(s *session) error {
	pass, err := c.given(s, false)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(c.New, secrets.CredentialPrefix) {
		if c.New, err = filepath.Abs(c.New); err != nil {
			return err
		}
	}
	return s.with("key rotate", func(cl *daemon.Client) error {
		var out daemon.Rotated
		if err := cl.Call(s, "POST", "/v1/keys/rotate", daemon.RotateRequest{Person: c.As, Key: c.New, Passphrase: pass, Reason: c.Reason}, &out); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(out)
		}
		fmt.Fprintf(s.out, "The log's key was\n\n    %s\n\nand is now\n\n    %s\n\nPut `log_key: %s` into the configuration before the next start, and give the new public key to whoever verifies bundles.\n", out.Old, out.New, c.New)
		return nil
	})
}

type keyPersonCmd struct {
	Out string `required:"" help:"Private key file to write; the public key goes to FILE.pub."`
	ID  string `arg:"" help:"The person's id in the configuration; it becomes the key's comment."`
}

func (c keyPersonCmd) Run(s *session) error {
	line, err := secrets.NewPersonKey(c.Out, c.ID)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]string{"ssh_key": line, "private": c.Out, "public": c.Out + ".pub"})
	}
	fmt.Fprintf(s.out, "Put this under people in the configuration:\n\n    ssh_key: %s\n\nThe private key %s is not encrypted: ssh-keygen -p -f %s gives it a passphrase.\n", line, c.Out, c.Out)
	return nil
}

// writePublic writes a public file and does not overwrite one.
func writePublic(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(b); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
