package whatsapp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// headSize is how much of a file is looked at to tell its type.
const headSize = 3072

// checked passes a file on and ends in an error instead of io.EOF where length or digest are not those that the post gives, so that what was
// kept is what was published.
type checked struct {
	r     io.Reader
	sum   hash.Hash
	n     int64
	file  file
	head  []byte
	wrong *missedError
	err   error
}

// Read implements io.Reader.
func (c *checked) Read(b []byte) (int, error) {
	if c.wrong != nil {
		return 0, c.wrong
	}
	n, err := c.r.Read(b)
	c.n += int64(n)
	c.sum.Write(b[:n])
	if room := headSize - len(c.head); room > 0 {
		c.head = append(c.head, b[:min(room, n)]...)
	}
	if want := c.file.media.Size; want > 0 && c.n > want {
		return 0, c.mismatch(fmt.Sprintf("more bytes came than the %d of the post", want))
	}
	switch {
	case err == io.EOF:
		if e := c.end(); e != nil {
			return 0, e
		}
	case err != nil:
		c.err = err
	}
	return n, err
}

// end checks what can be checked at the end.
func (c *checked) end() error {
	if want := c.file.media.Size; want > 0 && c.n != want {
		return c.mismatch(fmt.Sprintf("%d bytes came and the post says %d", c.n, want))
	}
	if len(c.file.sha) == 0 {
		return nil
	}
	if got := c.sum.Sum(nil); !bytes.Equal(got, c.file.sha) {
		return c.mismatch("the bytes have the SHA-256 " + hex.EncodeToString(got) + ", the post says " + clip(hex.EncodeToString(c.file.sha)))
	}
	return nil
}

func (c *checked) mismatch(detail string) error {
	c.wrong = &missedError{"wrong-digest", detail, c.file.media.Size}
	return c.wrong
}
