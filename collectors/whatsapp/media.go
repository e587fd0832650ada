package whatsapp

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gabriel-vasile/mimetype"
	"go.mau.fi/whatsmeow/types"
	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// fetch downloads the files that the cursor names, several at once, until ctx is done. They stand in the cursor from the Put of their post
// to the Put of what became of them, so that a crash loses none. Which of all the account's files are under way is decided by turns: here as
// many are named as could be.
func (w *watch) fetch(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	busy, done := map[pending]bool{}, make(chan pending)
	for {
		due, waiting := w.dueFiles()
		for _, p := range due {
			if len(busy) >= w.r.o.Downloads {
				break
			}
			if busy[p.key()] {
				continue
			}
			busy[p.key()] = true
			g.Go(func() error {
				if err := w.settle(ctx, p); err != nil {
					return err
				}
				select {
				case done <- p.key():
				case <-ctx.Done():
				}
				return nil
			})
		}
		var again <-chan time.Time
		if waiting {
			again = time.After(w.r.o.RoomPause)
		}
		select {
		case <-ctx.Done():
			return cmp.Or(g.Wait(), ctx.Err())
		case p := <-done:
			delete(busy, p)
			signal(w.fetched)
		case <-w.more:
		case <-again:
		}
	}
}

// settle turns a wanted file into media.kept or media.missed.
func (w *watch) settle(ctx context.Context, p pending) error {
	if err := w.r.downloads.take(ctx, p); err != nil {
		return err
	}
	defer w.r.downloads.give()
	from := w.r.o.Now()
	fctx, cancel := context.WithTimeout(ctx, w.r.o.FileTimeout)
	defer cancel()
	got, err := w.fits(fctx, p)
	if err == nil {
		got, err = w.download(fctx, p)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var missed *missedError
	if err != nil && !errors.As(err, &missed) {
		if got.sinkFailed {
			return err
		}
		missed = &missedError{"unreachable", err.Error(), got.file.media.Size}
	}
	move, rule := func(c *cursor) { c.settled(p) }, ""
	if missed != nil && missed.reason == collectors.ReasonNoRoom {
		move, rule = func(c *cursor) { c.shelve(p, missed.size) }, collectors.RuleDisk
	}
	span := evidence.Span{From: evidence.At(from), To: evidence.At(w.r.o.Now())}
	acc := account(w.channel())
	name := acc
	if p.Post > 0 {
		name = acc.Post(int64(p.Post))
	}
	acq, aerr := w.r.acquired(ctx, "media", map[string]any{"channel": w.channel(), "post": p.Post, "media": p.Media, "host": got.host}, span, raw{})
	if aerr != nil {
		return aerr
	}
	b := w.r.batch()
	id := b.Add(acc, acq, true)
	if missed != nil {
		w.log.Info().Int("post", p.Post).Str("reason", missed.reason).Msg("a file could not be kept")
		b.Add(name, &evidence.MediaMissed{MediaID: p.Media, Reason: missed.reason, Detail: missed.detail, Rule: rule, Size: missed.size, Acquisition: id}, false)
	} else {
		b.Add(name, &evidence.MediaKept{
			MediaID: p.Media, Blob: got.blob, MIME: got.mime, Name: got.file.media.Name, Acquisition: id, Observed: span,
		}, false)
	}
	if err := w.commit(ctx, b, move); err != nil {
		return err
	}
	w.mu.Lock()
	delete(w.files, p.key())
	w.mu.Unlock()
	return nil
}

// missedError says why a file will not be kept, in the words of media.missed.
type missedError struct {
	reason, detail string
	size           int64
}

func (m *missedError) Error() string { return m.reason + ": " + m.detail }

// download is what came of fetching a file.
type download struct {
	file       file
	blob       evidence.Object
	mime, host string
	sinkFailed bool
}

// errPathOld is the platform's refusal of a path whose signature ran out; the post tells a new one.
var errPathOld = errors.New("the platform no longer accepts the file's path")

func (w *watch) download(ctx context.Context, p pending) (download, error) {
	w.mu.Lock()
	f, ok := w.files[p.key()]
	w.mu.Unlock()
	var err error
	for range 2 {
		if !ok {
			if f, err = w.refetch(ctx, p); err != nil {
				return download{file: f}, err
			}
		}
		var d download
		if d, err = w.tries(ctx, f, w.r.sink.Keep); !errors.Is(err, errPathOld) {
			return d, err
		}
		ok = false
	}
	return download{file: f}, &missedError{"unreachable", err.Error(), f.media.Size}
}

// refetch asks for the post, or the channel, again, for a path that is valid now.
func (w *watch) refetch(ctx context.Context, p pending) (file, error) {
	gone := &missedError{reason: "unreachable", detail: "the post no longer carries this file"}
	if p.Post == 0 {
		d, err := w.describe(ctx, types.NewsletterKeyTypeJID, w.channel())
		if err != nil {
			return file{}, err
		}
		if f, ok := d.about.picture(); ok && f.media.ID == p.Media {
			return f, nil
		}
		gone.detail = "the channel no longer carries this picture"
		return file{}, gone
	}
	a, err := w.messages(ctx, p.Post+1, 1)
	if err != nil {
		return file{}, err
	}
	for _, n := range a.value.GetChildren() {
		x, why := element(&n)
		if why != "" || x.id != p.Post {
			continue
		}
		for _, f := range x.files {
			if f.media.ID == p.Media {
				return f, nil
			}
		}
	}
	return file{}, gone
}

// tries fetches a file from the hosts that the platform names, in turn, again after a pause where that may help.
func (w *watch) tries(ctx context.Context, f file, keep collectors.Keep) (download, error) {
	if f.path == "" {
		return download{file: f}, &missedError{"unreachable", "the post gives no path for the file", f.media.Size}
	}
	for try := 1; ; try++ {
		hosts, err := w.r.mediaHosts(ctx)
		if err != nil {
			return download{file: f}, err
		}
		d, err := w.stream(ctx, f, hosts[(try-1)%len(hosts)], keep)
		var busy *busyError
		if !errors.As(err, &busy) {
			return d, err
		}
		if try > w.r.o.Retries {
			return d, &missedError{"unreachable", busy.Error(), f.media.Size}
		}
		if err := sleep(ctx, max(busy.after, w.r.backoff(try))); err != nil {
			return d, err
		}
	}
}

// hostsFor is how long the list of hosts is used.
const hostsFor = 30 * time.Minute

func (r *run) mediaHosts(ctx context.Context) ([]string, error) {
	r.mu.Lock()
	hosts, from := r.hosts, r.hostsFrom
	r.mu.Unlock()
	if len(hosts) > 0 && r.o.Now().Sub(from) < hostsFor {
		return hosts, nil
	}
	rep, err := ask(ctx, r, "media_conn", func(ctx context.Context, a asker) ([]string, error) { return a.hosts(ctx) })
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hosts, r.hostsFrom = rep.value, rep.to
	return rep.value, nil
}

// busyError is an answer, or none, after which the file may be asked for again.
type busyError struct {
	text  string
	after time.Duration
}

func (b *busyError) Error() string { return b.text }

// address makes a file's URL. The path comes from the post: it must be one, and cannot change the host.
func address(host string, f file) (string, error) {
	if !strings.HasPrefix(f.path, "/") || strings.HasPrefix(f.path, "//") || strings.ContainsAny(f.path, "\\\r\n\t #") || len(f.path) > 4096 {
		return "", &missedError{"unsafe-path", "the post's path for the file is none", f.media.Size}
	}
	sep := "&"
	if !strings.Contains(f.path, "?") {
		sep = "?"
	}
	sum := f.sha
	if len(sum) != sha256.Size {
		sum = nil
	}
	s := "https://" + host + f.path + sep + "hash=" + base64.URLEncoding.EncodeToString(sum) + "&mms-type=" + url.QueryEscape(f.mms) + "&__wa-mms="
	u, err := url.Parse(s)
	if err != nil || u.Host != host || u.User != nil {
		return "", &missedError{"unsafe-path", "the post's path for the file leads elsewhere", f.media.Size}
	}
	return s, nil
}

// stream hands a file to keep while it is being downloaded.
func (w *watch) stream(ctx context.Context, f file, host string, keep collectors.Keep) (download, error) {
	d := download{file: f, host: host}
	to, err := address(host, f)
	if err != nil {
		return d, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return d, &missedError{"unsafe-path", "the post's path for the file cannot be asked for", f.media.Size}
	}
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("Origin", "https://web.whatsapp.com")
	req.Header.Set("Referer", "https://web.whatsapp.com/")
	resp, err := w.r.http.files.Do(req)
	if err != nil {
		return d, w.interrupted(ctx, err)
	}
	defer resp.Body.Close()
	if err := status(resp, f); err != nil {
		return d, err
	}
	limit := w.target.MaxBytes
	if limit <= 0 {
		limit = maxFile
	}
	r := &checked{r: resp.Body, sum: sha256.New(), file: f}
	digest, n, err := keep(ctx, r, limit)
	switch {
	case errors.Is(err, evidence.ErrTooLarge):
		return d, &missedError{"too-large", "more bytes came than may be kept", f.media.Size}
	case collectors.NoRoom(err):
		return d, noRoom(f.media.Size, collectors.DetailDiskFull)
	case r.wrong != nil:
		return d, r.wrong
	case r.err != nil:
		return d, w.interrupted(ctx, r.err)
	case err != nil:
		d.sinkFailed = true
		return d, fmt.Errorf("keep a file: %w", err)
	}
	d.blob = evidence.Object{SHA256: digest, Size: n}
	d.mime = mimetype.Detect(r.head).String()
	return d, nil
}

// interrupted tells a refusal of ours from a connection that broke.
func (w *watch) interrupted(ctx context.Context, err error) error {
	if errors.Is(err, errHost) {
		return &missedError{"unsafe-path", "the file is not on WhatsApp's hosts", 0}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the address, which is signed
	}
	return &busyError{text: "the download broke off: " + err.Error()}
}

// maxFile is the platform's own limit, for a target without one.
const maxFile = 4 << 30

// status reads the answer's head.
func status(resp *http.Response, f file) error {
	switch c := resp.StatusCode; {
	case c == http.StatusOK:
	case c == http.StatusNotFound, c == http.StatusGone:
		return &missedError{"expired", "WhatsApp no longer serves the file (" + resp.Status + "); it does so for about 30 days", f.media.Size}
	case c == http.StatusForbidden, c == http.StatusUnauthorized:
		return fmt.Errorf("%w (%s)", errPathOld, resp.Status)
	case c == http.StatusTooManyRequests, c >= 500:
		s, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return &busyError{"WhatsApp's host for files answers " + resp.Status, min(max(0, time.Duration(s)*time.Second), time.Hour)}
	case c >= 300 && c < 400:
		return &missedError{"unsafe-path", "the host sends us elsewhere (" + resp.Status + "), which is not followed", f.media.Size}
	default:
		return &missedError{"unreachable", "WhatsApp's host for files answers " + resp.Status, f.media.Size}
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return &missedError{"unsafe-encoding", "the file comes packed as " + clip(e) + ", which was not asked for and is not unpacked", f.media.Size}
	}
	return nil
}
