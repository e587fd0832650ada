package whatsapptest

import (
	"context"
	"errors"
	"sync"

	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

// NewDevice returns a device that is not paired and lives in memory: enough for pairing and channels, not for messages between people.
func NewDevice() *store.Device {
	identity := keys.NewKeyPair()
	d := &store.Device{
		NoiseKey: keys.NewKeyPair(), IdentityKey: identity, SignedPreKey: identity.CreateSignedPreKey(1),
		RegistrationID: 1, AdvSecretKey: randomBytes(32), Initialized: true,
	}
	memory := &memory{NoopStore: &store.NoopStore{}}
	d.Identities, d.Sessions, d.PreKeys, d.SenderKeys = memory, memory, memory, memory
	d.AppStateKeys, d.AppState, d.Contacts, d.ChatSettings = memory, memory, memory, memory
	d.MsgSecrets, d.PrivacyTokens, d.EventBuffer, d.LIDs, d.Container = memory, memory, memory, memory, memory
	return d
}

// Device links a new device to an account without the ceremony, and returns what the client needs to log in as it. Its prekeys count
// as uploaded.
func (s *Server) Device(a Account) *store.Device {
	d := NewDevice()
	s.Link(d, a)
	return d
}

// Link links a device of the caller's to an account without the ceremony; the caller saves it.
func (s *Server) Link(d *store.Device, a Account) {
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	linked := w.link(a, *d.NoiseKey.Pub, *d.IdentityKey.Pub)
	linked.PreKeys = 100
	jid := linked.JID
	d.ID, d.LID = &jid, linked.LID
	d.Account = &waAdv.ADVSignedDeviceIdentity{
		Details: []byte{}, AccountSignature: make([]byte, 64), AccountSignatureKey: derived("account " + a.Phone).Pub[:],
		DeviceSignature: make([]byte, 64),
	}
	w.save()
}

// memory is the store of a device in memory: prekeys, and nothing that channels do not need.
type memory struct {
	*store.NoopStore
	mu       sync.Mutex
	keys     []*keys.PreKey
	uploaded int
}

// UploadedPreKeyCount says that there are enough, so that a client whose server agrees makes none.
func (m *memory) UploadedPreKeyCount(context.Context) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(m.uploaded, 100), nil
}

func (m *memory) GetOrGenPreKeys(_ context.Context, count uint32) ([]*keys.PreKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.keys) < m.uploaded+int(count) {
		m.keys = append(m.keys, keys.NewPreKey(uint32(len(m.keys)+1)))
	}
	return m.keys[m.uploaded : m.uploaded+int(count)], nil
}

func (m *memory) GenOnePreKey(context.Context) (*keys.PreKey, error) {
	return nil, errors.New("a device in memory has no single prekeys")
}

func (m *memory) MarkPreKeysAsUploaded(_ context.Context, upTo uint32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.uploaded = int(upTo)
	return nil
}

// DeleteDevice forgets the pairing, as a store on disk does.
func (m *memory) DeleteDevice(_ context.Context, d *store.Device) error {
	d.ID, d.LID = nil, types.EmptyJID
	return nil
}
