package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// maxRequest is the largest request body; requests hold statements and paths, a signed list at most, never media.
const maxRequest = 48 << 20

// usage is an error of the one who asks.
type usage struct{ sentence string }

func (u usage) Error() string { return u.sentence }

func usagef(format string, args ...any) error { return usage{fmt.Sprintf(format, args...)} }

// handle makes a handler of a function from a request to an answer.
func handle[In any](r *Rooms, f func(context.Context, *call, In) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		var in In
		c := &call{Request: req, w: w}
		if req.Method == http.MethodPost {
			b, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxRequest))
			if err == nil {
				dec := json.NewDecoder(bytes.NewReader(b))
				dec.DisallowUnknownFields()
				err = dec.Decode(&in)
			}
			if err != nil {
				writeError(w, http.StatusBadRequest, "usage", "The request is not the JSON that this address takes: "+err.Error())
				return
			}
			c.named(b)
		} else {
			c.asked(req.URL.Query())
		}
		c.peer, _ = req.Context().Value(peerKey{}).(Peer)
		out, err := f(req.Context(), c, in)
		c.finish(r, out, err)
	}
}

// call is one request being answered.
type call struct {
	*http.Request
	w    http.ResponseWriter
	peer Peer
	says claim

	mu      sync.Mutex
	started bool
}

// progress sends a line of progress; it may be called from any goroutine.
func (c *call) progress(stage string, done, total int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = true
	c.send(line{Progress: &Progress{stage, done, total}})
}

func (c *call) send(l line) {
	b, err := json.Marshal(l)
	if err != nil {
		b, _ = json.Marshal(line{Error: &APIError{Code: "failed", Sentence: "The answer cannot be written as JSON: " + err.Error()}})
	}
	c.w.Write(append(b, '\n'))
	if f, ok := c.w.(http.Flusher); ok {
		f.Flush()
	}
}

func (c *call) finish(r *Rooms, out any, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		var b []byte
		if b, err = json.Marshal(out); err == nil {
			c.send(line{Result: b})
			return
		}
	}
	r.noteRefusal(c, err)
	status, api := explain(err)
	if status == http.StatusInternalServerError {
		r.Log.Error().Err(err).Str("path", c.URL.Path).Msg("request failed")
	}
	if !c.started {
		c.w.WriteHeader(status)
	}
	c.send(line{Error: api})
}

// explain maps an error to a status, a code and a sentence, once, here.
func explain(err error) (int, *APIError) {
	var ref *review.Refusal
	var use usage
	var harm *broken
	switch {
	case errors.As(err, &harm):
		return http.StatusConflict, &APIError{Code: "integrity", Sentence: err.Error()}
	case errors.As(err, &ref):
		return http.StatusConflict, &APIError{Code: string(ref.Code), Sentence: ref.Sentence}
	case errors.As(err, &use):
		return http.StatusBadRequest, &APIError{Code: "usage", Sentence: use.sentence}
	case errors.Is(err, evidence.ErrOrdinal):
		return http.StatusBadRequest, &APIError{Code: "usage", Sentence: err.Error()}
	case errors.Is(err, evidence.ErrNotFound), errors.Is(err, evidence.ErrUnbound), errors.Is(err, os.ErrNotExist):
		return http.StatusNotFound, &APIError{Code: "not-found", Sentence: err.Error()}
	case errors.Is(err, vault.ErrFailed):
		return http.StatusServiceUnavailable, &APIError{Code: "vault-failed", Sentence: err.Error()}
	}
	return http.StatusInternalServerError, &APIError{Code: "failed", Sentence: Advised(err).Error()}
}

func isFatal(err error) bool { return errors.Is(err, vault.ErrFailed) }

func writeError(w http.ResponseWriter, status int, code, sentence string) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(line{Error: &APIError{Code: code, Sentence: sentence}})
}
