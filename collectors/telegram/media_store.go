package telegram

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// partial holds the parts of a file that is not complete yet: the bytes in one file, and beside it a journal that names each part
// that was written, its length and its CRC-32C, which tells a part that a power cut tore from one that is whole; it is no defence against
// somebody who writes there. A line whose part does not match is a part that was not written. kill -9 loses the parts under way, since
// the system keeps what was written; a power cut also what the system had not flushed, which it does by itself every half a minute or
// so and we do every syncEvery parts. When the file is whole, the vault takes it as it lies. Parts of a sealed vault are sealed by a box, and read into it.
type partial struct {
	data    *os.File
	journal *os.File   // nil: nothing outlives the process
	path    string     // without its ending; empty as well then
	keys    PartKeys   // nil: in the clear
	box     *partBox   // nil likewise
	mu      sync.Mutex // held over a line of the journal
	dirty   int
	flushes chan struct{} // holds one flush at a time
	flushed error
}

const (
	dataExt    = ".part"
	journalExt = ".parts"
	syncEvery  = 64
)

// identity is what the parts are parts of. It does not hold the file reference: that changes every few hours and says nothing about
// the bytes, which never change under one id.
type identity struct {
	V     int    `json:"v"`
	Media string `json:"media"`
	Thumb string `json:"thumb,omitempty"`
	Size  int64  `json:"size"`
	Part  int64  `json:"part"`
}

func (f file) identity() identity {
	return identity{V: 1, Media: f.media.ID, Thumb: f.thumb, Size: f.size(), Part: partSize}
}

// written is one line of the journal: the length is of the part, the checksum of what lies on the disk.
type written struct {
	index  int64
	length int64
	sum    uint32
}

const lineSize = 8 + 8 + 4

// openPartial opens what there is of a file, or begins anew where there is nothing or where it is of something else. Without a folder
// the bytes are in a file that has no name and does not outlive the process. With keys they are sealed.
func openPartial(dir, name string, id identity, keys PartKeys) (*partial, []written, error) {
	if dir == "" {
		p, err := nameless(id, keys)
		return p, nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("make the folder for parts: %w", err)
	}
	p := &partial{path: filepath.Join(dir, name), keys: keys, flushes: make(chan struct{}, 1)}
	had, err := p.resume(id)
	if err == nil {
		return p, had, nil
	}
	if !errors.Is(err, errOther) && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	return p, nil, p.begin(id)
}

func nameless(id identity, keys PartKeys) (*partial, error) {
	p := &partial{keys: keys, flushes: make(chan struct{}, 1)}
	if _, err := p.makeHead(id); err != nil {
		return nil, err
	}
	var err error
	if p.data, err = os.CreateTemp("", "muhafiz-part-"); err != nil {
		return nil, fmt.Errorf("make a file for parts: %w", err)
	}
	return p, os.Remove(p.data.Name())
}

// makeHead returns the first line of a new journal, without its end.
func (p *partial) makeHead(id identity) ([]byte, error) {
	if p.keys == nil {
		return json.Marshal(id)
	}
	var err error
	if p.box, err = makePartBox(p.keys, id); err != nil {
		return nil, err
	}
	return p.box.head, nil
}

// checkHead says whether the parts are of the same file, and can be read.
func (p *partial) checkHead(id identity, head []byte) (err error) {
	if p.keys != nil {
		p.box, err = openPartBox(p.keys, id, head)
		return err
	}
	want, err := json.Marshal(id)
	if err == nil && string(head) != string(want) {
		err = errOther
	}
	return err
}

// slot is how far the parts lie apart.
func (p *partial) slot() int64 { return partSize + p.extra() }

// extra is what a part takes beyond its bytes.
func (p *partial) extra() int64 {
	if p.box == nil {
		return 0
	}
	return partExtra
}

var errOther = errors.New("these are parts of something else")

func (p *partial) resume(id identity) ([]written, error) {
	b, err := os.ReadFile(p.path + journalExt)
	if err != nil {
		return nil, err
	}
	head, lines, whole := bytes.Cut(b, []byte{'\n'})
	if !whole {
		return nil, errOther
	}
	if err := p.checkHead(id, head); err != nil {
		return nil, err
	}
	if p.data, err = os.OpenFile(p.path+dataExt, os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	had := p.verified(parseJournal(lines))
	// The journal is written anew: a line that was cut off must not stand before the next one.
	if err := p.rewrite(head, had); err != nil {
		return nil, errors.Join(err, p.data.Close())
	}
	return had, nil
}

// parseJournal reads whole lines; what is cut off at the end is as if it were not there.
func parseJournal(b []byte) []written {
	var out []written
	for ; len(b) >= lineSize; b = b[lineSize:] {
		w := written{index: int64(binary.BigEndian.Uint64(b)), length: int64(binary.BigEndian.Uint64(b[8:]))}
		w.sum = binary.BigEndian.Uint32(b[16:])
		if w.index >= 0 && w.index <= maxFile/partSize && w.length >= 0 && w.length <= partSize {
			out = append(out, w)
		}
	}
	return out
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func (w written) line() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(w.index))
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(b, uint64(w.length)), w.sum)
}

// verified returns the parts whose bytes are what the journal says, and open where they are sealed.
func (p *partial) verified(list []written) []written {
	var out []written
	buf := make([]byte, p.slot())
	seen := map[int64]bool{}
	for _, w := range list {
		b := buf[:w.length+p.extra()]
		if seen[w.index] {
			continue
		}
		if _, err := p.data.ReadAt(b, w.index*p.slot()); err != nil || checksum(b) != w.sum {
			continue
		}
		if p.box != nil {
			if _, err := p.box.open(w.index, b); err != nil {
				continue
			}
			p.box.learn(w.index, w.length)
		}
		seen[w.index] = true
		out = append(out, w)
	}
	return out
}

func (p *partial) begin(id identity) error {
	head, err := p.makeHead(id)
	if err != nil {
		return err
	}
	// A new file, never an old one cut to nothing: that one may be about to become a blob.
	if err := removed(p.path + dataExt); err != nil {
		return fmt.Errorf("make a file for parts: %w", err)
	}
	if p.data, err = os.OpenFile(p.path+dataExt, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return fmt.Errorf("make a file for parts: %w", err)
	}
	if err := p.rewrite(head, nil); err != nil {
		return errors.Join(err, p.data.Close())
	}
	return nil
}

func (p *partial) rewrite(head []byte, had []written) error {
	b := append(head[:len(head):len(head)], '\n')
	for _, w := range had {
		b = append(b, w.line()...)
	}
	tmp := p.path + journalExt + ".new"
	j, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("make a journal of parts: %w", err)
	}
	if _, err := j.Write(b); err != nil {
		return errors.Join(fmt.Errorf("write a journal of parts: %w", err), j.Close())
	}
	if err := os.Rename(tmp, p.path+journalExt); err != nil {
		return errors.Join(err, j.Close())
	}
	p.journal = j
	return nil
}

// write keeps one part, and returns after its line is in the journal.
func (p *partial) write(index int64, b []byte) error {
	w := written{index: index, length: int64(len(b))}
	if p.box != nil {
		b = p.box.seal(index, b)
	}
	if _, err := p.data.WriteAt(b, index*p.slot()); err != nil {
		return fmt.Errorf("write a part: %w", err)
	}
	if p.box != nil {
		p.box.learn(index, w.length)
	}
	if p.journal == nil {
		return nil
	}
	w.sum = checksum(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.journal.Write(w.line()); err != nil {
		return fmt.Errorf("write a journal of parts: %w", err)
	}
	if p.dirty++; p.dirty >= syncEvery {
		p.dirty = 0
		p.flush()
	}
	return nil
}

// flush has the disk take what was written, beside what goes on; one that is slow is not waited for.
func (p *partial) flush() {
	select {
	case p.flushes <- struct{}{}:
	default:
		return
	}
	go func() {
		defer func() { <-p.flushes }()
		p.flushed = errors.Join(p.data.Sync(), p.journal.Sync())
	}()
}

// handOver has a sink make the finished file a blob, read by r while it is being filled.
func (p *partial) handOver(ctx context.Context, s collectors.Sink, r io.Reader, limit int64) (evidence.Digest, int64, error) {
	if p.journal == nil || p.box != nil {
		return s.Keep(ctx, r, limit)
	}
	return collectors.KeepFile(ctx, s, r, p.path+dataExt, limit)
}

// quiet waits for a flush that is under way, and says whether any failed: the system tells that only once, and whoever syncs the file
// next would not hear of it.
func (p *partial) quiet() error {
	p.flushes <- struct{}{}
	defer func() { <-p.flushes }()
	return p.flushed
}

// close ends the use of the parts. Those of a file that is settled are removed; others wait for the next run.
func (p *partial) close(settled bool) error {
	p.flushes <- struct{}{} // no flush is under way
	err := errors.Join(p.flushed, p.data.Close())
	if p.journal == nil {
		return err
	}
	err = errors.Join(err, p.journal.Close())
	if settled {
		err = errors.Join(err, removed(p.path+journalExt), removed(p.path+dataExt))
	}
	return err
}

// removed removes a file, which the vault or an erasure may have taken already.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// ReadAt implements io.ReaderAt within one part.
func (p *partial) ReadAt(b []byte, off int64) (int, error) {
	if p.box != nil {
		return p.box.readAt(p.data, b, off)
	}
	return p.data.ReadAt(b, off)
}

var _ io.ReaderAt = (*partial)(nil)

// partialName is a name that says nothing about what the file is.
func partialName(alias string, channel int64, p pending) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%d\x00%s\x00%t", alias, channel, p.Post, p.Media, p.Thumb))
	return partialPrefix(alias) + hex.EncodeToString(h[:16])
}

func partialPrefix(alias string) string {
	h := sha256.Sum256([]byte(alias))
	return hex.EncodeToString(h[:4]) + "-"
}
