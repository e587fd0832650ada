package backup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
)

// A segment holds entries of one bucket: the line `muhafiz-segment 1 BUCKET`, then for each entry the length of its key as a varint
// (encoding/binary), the key, the length of its value, the value. Nothing of it depends on when it was written, so that the same entries
// make the same bytes and the same digest.
const segmentMagic = "muhafiz-segment 1 "

const (
	segmentBytes   = 4 << 20 // a segment of the log ends after the record that reaches it
	segmentRecords = 4096    // and at every multiple of this, so that a change in one place moves no boundary elsewhere
	chunkBytes     = 1 << 20 // of an index: at most about so many
	chunkFloor     = 64 << 10
	chunkMask      = 1<<9 - 1 // a chunk of an index ends after a key whose hash has these bits 0
)

// errSegment: the bytes are no segment.
var errSegment = errors.New("not a segment that this build reads: use the muhafiz that wrote the backup, or a newer one")

func newSegment(bucket string) []byte { return append([]byte(segmentMagic), bucket+"\n"...) }

func appendEntry(b, key, value []byte) []byte {
	b = append(binary.AppendUvarint(b, uint64(len(key))), key...)
	return append(binary.AppendUvarint(b, uint64(len(value))), value...)
}

// eachEntry reads a segment. key and value are parts of b.
func eachEntry(b []byte, fn func(bucket string, key, value []byte) error) error {
	rest, ok := bytes.CutPrefix(b, []byte(segmentMagic))
	name, rest, line := bytes.Cut(rest, []byte("\n"))
	if !ok || !line || len(name) == 0 || len(name) > 100 {
		return errSegment
	}
	bucket := string(name)
	for len(rest) > 0 {
		var part [2][]byte
		for i := range part {
			n, w := binary.Uvarint(rest)
			if w <= 0 || n > uint64(len(rest)-w) {
				return fmt.Errorf("%w: it ends within an entry", errSegment)
			}
			part[i], rest = rest[w:w+int(n):w+int(n)], rest[w+int(n):]
		}
		if err := fn(bucket, part[0], part[1]); err != nil {
			return err
		}
	}
	return nil
}

// logSegments cuts the log.
type logSegments struct {
	first, next int64 // records of buf
	buf         []byte
	emit        func(first, count int64, b []byte) error // takes b over
}

func (l *logSegments) add(seq int64, value []byte) error {
	if l.buf == nil {
		l.first, l.buf = seq, newSegment("log")
	}
	l.buf = appendEntry(l.buf, binary.BigEndian.AppendUint64(nil, uint64(seq)), value)
	l.next = seq + 1
	if len(l.buf) >= segmentBytes || l.next%segmentRecords == 0 {
		return l.end()
	}
	return nil
}

func (l *logSegments) end() error {
	if l.buf == nil {
		return nil
	}
	b := l.buf
	l.buf = nil
	return l.emit(l.first, l.next-l.first, b)
}

// chunks cuts the other buckets where a key's own hash says so: entries that come in between change one chunk and not all after it.
type chunks struct {
	bucket string
	buf    []byte
	emit   func(b []byte) error // does not keep b
}

func (c *chunks) add(bucket string, key, value []byte) error {
	if bucket != c.bucket || c.buf == nil {
		if strings.ContainsAny(bucket, "\n") || bucket == "" {
			return fmt.Errorf("a bucket named %q cannot be backed up", bucket)
		}
		if err := c.end(); err != nil {
			return err
		}
		c.bucket, c.buf = bucket, append(c.buf[:0], newSegment(bucket)...)
	}
	c.buf = appendEntry(c.buf, key, value)
	h := fnv.New32a()
	h.Write(key)
	if len(c.buf) >= chunkBytes || len(c.buf) >= chunkFloor && h.Sum32()&chunkMask == 0 {
		return c.end()
	}
	return nil
}

func (c *chunks) end() error {
	if c.bucket == "" {
		return nil
	}
	c.bucket = ""
	return c.emit(c.buf)
}
