package telegram

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// partialAge is how long a file's parts wait for somebody who goes on with it.
const partialAge = 7 * 24 * time.Hour

// removePartial removes the parts of a file that was given up.
func (w *watch) removePartial(p pending, f file) {
	if w.r.o.Partial == "" || f.media.ID == "" {
		return
	}
	path := filepath.Join(w.r.o.Partial, partialName(w.r.o.Alias, w.channel(), p))
	for _, ext := range []string{dataExt, journalExt} {
		if err := removed(path + ext); err != nil {
			w.log.Warn().Err(err).Msg("parts of a file that was given up could not be removed")
		}
	}
}

// ClearPartials removes the parts of all files that are not complete yet, whose names do not say what they are of: after an erasure nothing
// of what was erased may be left among them. A download that is under way goes on, and one that was interrupted begins anew.
func ClearPartials(dir string) error {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range list {
		if name := e.Name(); strings.HasSuffix(name, dataExt) || strings.HasSuffix(name, journalExt) || strings.HasSuffix(name, journalExt+".new") {
			err = errors.Join(err, removed(filepath.Join(dir, name)))
		}
	}
	return err
}

// sweepPartials removes this account's parts that nobody went on with for partialAge: of targets that left the watchlist.
func sweepPartials(dir, alias string, now time.Time) error {
	if dir == "" {
		return nil
	}
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range list {
		info, ierr := e.Info()
		if ierr != nil || !strings.HasPrefix(e.Name(), partialPrefix(alias)) || now.Sub(info.ModTime()) < partialAge {
			continue
		}
		err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
	}
	return err
}
