package daemon

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/muhafiz/muhafiz/collectors/room"
)

// growthFile keeps how fast the vault grew, between runs. Without it the forecast is unknown for an hour.
func (s *space) growthFile() string { return filepath.Join(s.path, "index", "growth.json") }

// remember reads how fast the vault grew before this start.
func (s *space) remember() {
	b, err := os.ReadFile(s.growthFile())
	if err == nil {
		s.growth, err = room.ParseGrowth(b)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn().Err(err).Msg("how fast the vault grew is not known any more; the forecast begins anew")
	}
	s.base = s.growth.Added()
}

// sample notes how much the vault has grown, and keeps that now and then. What does not fit on a full disk is kept later.
func (s *space) sample() {
	size, err := s.vault.DatabaseSize()
	if err != nil {
		return
	}
	s.mu.Lock()
	worth := s.growth.See(s.now(), s.base+s.kept+max(0, size-s.began))
	b, err := json.Marshal(s.growth)
	s.mu.Unlock()
	if !worth || err != nil {
		return
	}
	err = os.MkdirAll(filepath.Dir(s.growthFile()), 0o700)
	if err == nil {
		err = renameio.WriteFile(s.growthFile(), b, 0o600)
	}
	if err != nil {
		s.log.Debug().Err(err).Msg("how fast the vault grows could not be kept")
	}
}
