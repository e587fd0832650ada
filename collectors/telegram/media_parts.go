package telegram

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/gabriel-vasile/mimetype"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// partSize is the largest part that the platform serves; every offset is a multiple of it.
const partSize = 512 << 10

// headSize is how much of a file is looked at to tell its type.
const headSize = 3072

// maxFile is the platform's own limit, for a target without one.
const maxFile = 4 << 30

// assembly puts a file together. Its parts come in any order and are written to where they belong; reading goes from the start and
// waits for the part that it needs. In memory are the parts that are under way for the account, and none else.
type assembly struct {
	w     *watch
	p     pending
	limit int64
	store *partial
	cdn   redirected

	mu     sync.Mutex
	cond   *sync.Cond
	f      file
	gen    int // counts the renewals of the file reference
	key    poolKey
	have   map[int64]int64 // length by index
	size   int64           // where the file ends; -1 while nobody knows
	known  bool            // size is not only announced
	err    error
	asked  int // parts that were fetched
	reused int // parts that an earlier run fetched
	ended  chan struct{}
	off    int64
	head   []byte
	looked bool  // at the head, for a type that must not be kept
	cut    error // why reading ended, other than at the end of the file
	fault  error // of our own disk
}

func newAssembly(w *watch, p pending, f file, limit int64) (*assembly, error) {
	a := &assembly{w: w, p: p, f: f, limit: limit, key: poolKey{dc: f.dc}, have: map[int64]int64{}, size: -1, ended: make(chan struct{})}
	a.cond = sync.NewCond(&a.mu)
	if f.size() > 0 {
		a.size = f.size()
	}
	store, had, err := openPartial(w.r.o.Partial, partialName(w.r.o.Alias, w.channel(), p), f.identity(), w.r.o.PartKeys)
	if err != nil {
		return nil, err
	}
	a.store = store
	for _, x := range had {
		a.have[x.index] = x.length
		a.learnEnd(x.index, x.length)
	}
	a.reused = len(had)
	return a, nil
}

// run asks for the parts that are missing, until the file is complete or cannot be.
func (a *assembly) run(ctx context.Context) {
	defer close(a.ended)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { a.fail(ctx.Err()) })
	defer stop()
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	for i := int64(0); a.wants(i); {
		for ; a.wants(i); i++ {
			if a.has(i) {
				continue
			}
			if a.w.r.files.take(ctx) != nil {
				return
			}
			index := i // of this part: i goes on
			work.Go(func() {
				defer a.w.r.files.give()
				if err := a.fetch(ctx, index); err != nil {
					a.fail(err)
					cancel()
				}
			})
		}
		work.Wait() // only now it is known whether the file ends where it was announced to
	}
}

func (a *assembly) has(i int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.have[i]
	return ok
}

// wants reports whether there is a part of that index, as far as is known. A file that is longer than the limit is not asked for
// any further than to know that it is.
func (a *assembly) wants(i int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err == nil && (a.size < 0 || i*partSize < a.size) && i*partSize <= a.limit
}

func (a *assembly) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.err = err
	}
	a.cond.Broadcast()
}

// fetch gets one part. A part that is shorter than it must be is asked for once more before it is believed: then the file ends there,
// whatever was announced. One that is longer than announced means that the file goes on.
func (a *assembly) fetch(ctx context.Context, i int64) error {
	for again := false; ; again = true {
		b, err := a.get(ctx, i)
		if err != nil {
			return err
		}
		if int64(len(b)) > partSize {
			return fmt.Errorf("%w: %d bytes came where %d were asked for", errBadPart, len(b), partSize)
		}
		if int64(len(b)) < a.expects(i) && !again {
			continue
		}
		return a.keep(i, b)
	}
}

var errBadPart = errors.New("the platform sent a part that cannot be right")

// expects is how long a part must be by what was announced, or by where the file was seen to end; 0 where neither is known.
func (a *assembly) expects(i int64) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.size < 0 {
		return 0
	}
	return max(0, min(partSize, a.size-i*partSize))
}

func (a *assembly) keep(i int64, b []byte) error {
	if err := a.store.write(i, b); err != nil {
		a.mu.Lock()
		a.fault = err
		a.mu.Unlock()
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	a.have[i] = int64(len(b))
	a.learnEnd(i, int64(len(b)))
	a.cond.Broadcast()
	return nil
}

// learnEnd takes from a part where the file ends: at the first one that is not full, whatever was announced.
func (a *assembly) learnEnd(i, n int64) {
	end := i*partSize + n
	switch {
	case n < partSize && (!a.known || end < a.size):
		a.size, a.known = end, true
	case n == partSize && !a.known && a.size >= 0 && end > a.size:
		a.size = -1 // longer than announced
	}
}

// get asks for a part until it is there, and renews the file reference when it has run out.
func (a *assembly) get(ctx context.Context, i int64) ([]byte, error) {
	for range references {
		a.mu.Lock()
		f, gen, key := a.f, a.gen, a.key
		a.mu.Unlock()
		b, err := a.part(ctx, f, &key, i*partSize)
		if err == nil {
			a.mu.Lock()
			a.key = key
			a.mu.Unlock()
			return b, nil
		}
		if errors.Is(err, errCDNStale) {
			continue
		}
		if !referenceExpired(err) {
			return nil, err
		}
		if err := a.renew(ctx, gen); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("file references run out faster than parts come")
}

// part asks where the file is, which may be the platform's network for what many fetch.
func (a *assembly) part(ctx context.Context, f file, key *poolKey, offset int64) ([]byte, error) {
	if red := a.cdn.current(); red != nil {
		return a.cdn.part(ctx, a.w.r, *key, red, offset)
	}
	q := &tg.UploadGetFileRequest{Precise: true, Location: f.location, Offset: offset, Limit: partSize}
	v, err := askFile(ctx, a.w.r, key, "upload.getFile", func(ctx context.Context, api *tg.Client) (tg.UploadFileClass, error) {
		return api.UploadGetFile(ctx, q)
	})
	if err != nil {
		return nil, err
	}
	switch u := v.(type) {
	case *tg.UploadFile:
		return u.Bytes, nil
	case *tg.UploadFileCDNRedirect:
		return a.cdn.part(ctx, a.w.r, *key, a.cdn.follow(u), offset)
	}
	return nil, fmt.Errorf("upload.getFile: unexpected %s", v.TypeName())
}

// renew asks for the post again where nobody else did since.
func (a *assembly) renew(ctx context.Context, gen int) error {
	a.w.renewing.Lock()
	defer a.w.renewing.Unlock()
	a.mu.Lock()
	done := a.gen != gen
	a.mu.Unlock()
	if done {
		return nil
	}
	f, err := a.w.refetch(ctx, a.p)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if f.identity() != a.f.identity() {
		return errChanged
	}
	a.f, a.gen = f, a.gen+1
	return nil
}

var errChanged = errors.New("the post carries another file now")

// Read implements io.Reader.
func (a *assembly) Read(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		i := a.off / partSize
		if n, ok := a.have[i]; ok && i*partSize+n > a.off {
			return a.readLocked(b[:min(int64(len(b)), i*partSize+n-a.off)])
		}
		if a.err != nil && !a.over() {
			a.cut = a.err
			return 0, a.err
		}
		if a.over() {
			return 0, a.endLocked()
		}
		a.cond.Wait()
	}
}

// endLocked is io.EOF, unless a part that was written is known not to have reached the disk.
func (a *assembly) endLocked() error {
	if err := a.store.quiet(); err != nil {
		a.fault = fmt.Errorf("sync the parts of a file: %w", err)
		return a.fault
	}
	return io.EOF
}

// over reports whether all that there is was read.
func (a *assembly) over() bool {
	if a.size >= 0 && a.off >= a.size {
		return true
	}
	n, ok := a.have[a.off/partSize]
	return ok && n < partSize && a.off == a.off/partSize*partSize+n
}

func (a *assembly) readLocked(b []byte) (int, error) {
	n, err := a.store.ReadAt(b, a.off)
	if err != nil {
		a.fault = fmt.Errorf("read a part back: %w", err)
		return 0, a.fault
	}
	if room := headSize - len(a.head); room > 0 {
		a.head = append(a.head, b[:min(room, n)]...)
	}
	a.off += int64(n)
	if !a.looked && (len(a.head) == headSize || a.off >= a.have[0]) {
		a.looked = true
		if t := mimetype.Detect(a.head).String(); a.w.target.Policy.Denies(t) {
			a.cut = fmt.Errorf("%w: %s", errDenied, t)
			return 0, a.cut
		}
	}
	return n, nil
}

// refusedPart reports whether the platform will never serve the file that way.
func refusedPart(err error) (string, bool) {
	rpc, ok := tgerr.As(err)
	if !ok || !rpc.IsOneOf("FILE_ID_INVALID", "LOCATION_INVALID", "LOCATION_NOT_AVAILABLE", "LIMIT_INVALID", "OFFSET_INVALID") {
		return "", false
	}
	return rpc.Type, true
}
