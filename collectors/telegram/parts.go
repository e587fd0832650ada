package telegram

import (
	"context"
	"fmt"
	"io"

	"github.com/gotd/td/tg"
)

// partSize is the largest part that the platform serves; every offset is a multiple of it.
const partSize = 512 << 10

// headSize is how much of a file is looked at to tell its type.
const headSize = 3072

type part struct {
	data []byte
	err  error
}

// fileReader reads a file of the platform in order, with several parts under way at once.
type fileReader struct {
	ctx   context.Context
	queue chan chan part // answers in the order of their offsets
	done  chan struct{}  // closed when nothing of it runs any more

	rest  []byte
	last  bool
	head  []byte
	parts int
	err   error // why reading ended, other than at the end of the file
}

func newFileReader(ctx context.Context, r *run, f file) *fileReader {
	fr := &fileReader{ctx: ctx, queue: make(chan chan part, r.o.Threads), done: make(chan struct{})}
	go fr.request(r, f)
	return fr
}

// request asks for parts until the announced size, or without one until a part is short, or until the reader has had enough.
func (fr *fileReader) request(r *run, f file) {
	slots := make(chan struct{}, r.o.Threads)
	defer func() {
		for range cap(slots) {
			slots <- struct{}{}
		}
		close(fr.done)
	}()
	defer close(fr.queue)
	for offset := int64(0); f.media.Size <= 0 || offset < f.media.Size; offset += partSize {
		select {
		case slots <- struct{}{}:
		case <-fr.ctx.Done():
			return
		}
		c := make(chan part, 1)
		select {
		case fr.queue <- c:
		case <-fr.ctx.Done():
			<-slots
			return
		}
		go func() {
			defer func() { <-slots }()
			c <- getPart(fr.ctx, r, f, offset)
		}()
	}
}

func getPart(ctx context.Context, r *run, f file, offset int64) part {
	q := &tg.UploadGetFileRequest{Precise: true, Location: f.location, Offset: offset, Limit: partSize}
	rep, err := ask(ctx, r, "upload.getFile", false, func(ctx context.Context) (tg.UploadFileClass, error) {
		return r.api.UploadGetFile(ctx, q)
	})
	if err != nil {
		return part{err: err}
	}
	u, ok := rep.value.(*tg.UploadFile)
	if !ok {
		return part{err: fmt.Errorf("upload.getFile: unexpected %s", rep.value.TypeName())}
	}
	return part{data: u.Bytes}
}

// Read implements io.Reader.
func (fr *fileReader) Read(b []byte) (int, error) {
	for len(fr.rest) == 0 {
		if fr.err != nil {
			return 0, fr.err
		}
		if fr.last {
			return 0, io.EOF
		}
		fr.next()
	}
	n := copy(b, fr.rest)
	fr.rest = fr.rest[n:]
	return n, nil
}

func (fr *fileReader) next() {
	c, ok := <-fr.queue
	if !ok {
		fr.last, fr.err = true, fr.ctx.Err()
		return
	}
	var p part
	select {
	case p = <-c:
	case <-fr.ctx.Done():
		fr.err = fr.ctx.Err()
		return
	}
	if p.err != nil {
		fr.err = p.err
		return
	}
	fr.parts++
	fr.rest, fr.last = p.data, len(p.data) < partSize
	if room := headSize - len(fr.head); room > 0 {
		fr.head = append(fr.head, p.data[:min(room, len(p.data))]...)
	}
}

// wait returns when no request of the reader is under way; its context must be done by then.
func (fr *fileReader) wait() { <-fr.done }
