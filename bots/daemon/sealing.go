package daemon

import (
	"errors"
	"fmt"
	"os"

	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
)

// VaultKeys returns how the configuration's vault is sealed; nil where it is not.
func VaultKeys(c *config.Config, getenv func(string) string) (*vault.Keys, error) {
	k := c.VaultKey
	if k == nil {
		return nil, nil
	}
	var sealer *secrets.VaultKey
	var err error
	switch {
	case k.File != "":
		sealer, err = secrets.LoadVaultKey(k.File, "")
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("there is no vault key at %s: make one with `muhafiz key vault --out %s`, or put back the one that this vault was sealed with", k.File, k.File)
		}
	case k.Credential != "":
		sealer, err = secrets.LoadVaultKey("credential:"+k.Credential, getenv("CREDENTIALS_DIRECTORY"))
	default:
		sealer, err = secrets.PassphraseKey("vault_key", k.Passphrase.Reveal())
	}
	if err != nil {
		return nil, err
	}
	return &vault.Keys{Ring: c.Keyring, Sealer: sealer}, nil
}

// VaultOptions returns what opens the configuration's vault for work that no handler does, such as a compaction.
func VaultOptions(o Options) (vault.Options, error) {
	o.setDefaults()
	keys, err := VaultKeys(o.Config, o.Getenv)
	if err != nil {
		return vault.Options{}, err
	}
	signer, vkey, err := secrets.OpenLogKey(secrets.LogKeySource{At: o.Config.LogKey, Getenv: o.Getenv, Passphrase: o.passphrase()})
	if err != nil {
		return vault.Options{}, err
	}
	return vault.Options{Views: Views(), Signer: signer, LogKey: vkey, Build: o.Build, Keys: keys, Now: o.Now, Log: o.Log}, nil
}
