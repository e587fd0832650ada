package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
)

// Client speaks to whoever holds the vault: a running daemon through its control socket, or this process itself.
type Client struct {
	http  *http.Client
	close func() error
	// Via says which: `socket` or `direct`.
	Via string
}

// APIError is a refusal or failure as the handlers tell it. Code is for programs, Sentence for people.
type APIError struct {
	Status   int    `json:"-"`
	Code     string `json:"code"`
	Sentence string `json:"sentence"`
}

func (e *APIError) Error() string { return e.Sentence }

// Close ends the client and, where this process held the vault, gives it back.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return c.close()
}

// Connect reaches the vault of a configuration. open is called when no daemon serves it; what it returns is served within
// this process.
func Connect(ctx context.Context, vaultDir string, open func() (*Rooms, error)) (*Client, error) {
	conn, err := dialSocket(ctx, vaultDir)
	if err == nil {
		conn.Close()
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialSocket(ctx, vaultDir) }
		return &Client{http: httpClient(dial), close: func() error { return nil }, Via: "socket"}, nil
	}
	if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("reach the daemon through %s/%s: %w", vaultDir, socketName, err)
	}
	rooms, err := open()
	if err != nil {
		return nil, err
	}
	ln := newMemory()
	stop := serveHTTP(ln, rooms.Handler())
	return &Client{http: httpClient(ln.dial), Via: "direct", close: func() error {
		return errors.Join(stop(context.Background()), rooms.Close())
	}}, nil
}

func httpClient(dial func(context.Context, string, string) (net.Conn, error)) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableCompression: true}}
}

// Call sends in as JSON and reads the answer into out; either may be nil. A refusal is an *APIError.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	return c.Stream(ctx, method, path, in, nil, out)
}

// line is one line of a long answer: any number of progress lines, then a result or an error.
type line struct {
	Progress *Progress       `json:"progress,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	Error    *APIError       `json:"error,omitempty"`
}

// Progress is how far a long piece of work has come.
type Progress struct {
	Stage string `json:"stage"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"` // 0: not known
}

// Stream is Call for work that reports progress while it lasts.
func (c *Client) Stream(ctx context.Context, method, path string, in any, progress func(Progress), out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://muhafiz"+path, body)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the daemon: %w", err)
	}
	defer resp.Body.Close()
	dec := json.NewDecoder(resp.Body)
	for {
		var l line
		if err := dec.Decode(&l); err != nil {
			return fmt.Errorf("the answer ended early (%s): %w", resp.Status, err)
		}
		switch {
		case l.Progress != nil:
			if progress != nil {
				progress(*l.Progress)
			}
		case l.Error != nil:
			l.Error.Status = resp.StatusCode
			return l.Error
		case out != nil:
			return json.Unmarshal(l.Result, out)
		default:
			return nil
		}
	}
}
