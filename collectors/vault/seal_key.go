package vault

import (
	"encoding/binary"
	"errors"
)

// errNotSealed: there is no key ring to seal with.
var errNotSealed = errors.New("this vault is not sealed")

// outsideContext is what the keys of files are bound to that lie outside the blobs.
const outsideContext = "muhafiz key of a file that is not kept yet"

// Seals reports whether what is written now is sealed.
func (v *Vault) Seals() bool { return v.ring != nil }

// SealKey seals a few bytes of a caller that guards bytes on their way into the vault, such as a file that is not complete yet: with the
// key of this month's blobs, so that they go when those go. It is an error in a vault that is not sealed.
func (v *Vault) SealKey(secret []byte) ([]byte, error) {
	if v.ring == nil {
		return nil, errNotSealed
	}
	keys, err := v.ring.ensure(keyName{classBlobs, monthOf(v.blobs.now())})
	if err != nil {
		return nil, err
	}
	id := binary.BigEndian.AppendUint64(nil, uint64(keys[0].id))
	return sealWith(keys[0].blob, id, secret, append([]byte(outsideContext), id...)), nil
}

// OpenKey opens what SealKey made, in this run or another. It fails where the key ring is another or its key was destroyed.
func (v *Vault) OpenKey(sealed []byte) ([]byte, error) {
	switch {
	case v.ring == nil:
		return nil, errNotSealed
	case len(sealed) < 8:
		return nil, errUnsealed
	}
	k, err := v.ring.key(keyID(keySeq(sealed)))
	if err != nil {
		return nil, err
	}
	return openWith(k.blob, sealed[8:], append([]byte(outsideContext), sealed[:8]...))
}
