package telegram

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// pools are the connections to the data centres that hold files. The client's own middleware does not see their requests: the same
// allow-list stands before each of them, and every request goes through ask, which keeps to the platform's waits.
type pools struct {
	r     *run
	slots chan struct{} // parts of all files under way at once
	whole chan struct{} // files under way at once

	mu   sync.Mutex
	open map[poolKey]*filePool
}

type poolKey struct {
	dc  int // 0 is our own
	cdn bool
}

type filePool struct {
	key poolKey
	api *tg.Client
	end telegram.CloseInvoker
}

func newPools(r *run) *pools {
	return &pools{r: r, slots: make(chan struct{}, r.o.Threads), whole: make(chan struct{}, r.o.Threads), open: map[poolKey]*filePool{}}
}

// errPoolStale says that a data centre forgot the login that was moved there; ours at home may be well.
var errPoolStale = errors.New("the file's data centre does not know our login any more")

// at returns the connections to a data centre, made when they are first needed.
func (p *pools) at(ctx context.Context, k poolKey) (*filePool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k.dc == p.r.client.Config().ThisDC && !k.cdn {
		k.dc = 0
	}
	if f := p.open[k]; f != nil {
		return f, nil
	}
	rep, err := ask(ctx, p.r, "auth.exportAuthorization", false, func(ctx context.Context) (telegram.CloseInvoker, error) {
		switch n := int64(p.r.o.Threads); {
		case k.cdn:
			return p.r.client.CDN(ctx, k.dc, n)
		case k.dc == 0:
			return p.r.client.Pool(n)
		default:
			return p.r.client.DC(ctx, k.dc, n)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("connect to data centre %d: %w", k.dc, err)
	}
	guarded := allowOnly(Methods()).Handle(notOurLogin(k, rep.value))
	f := &filePool{key: k, api: tg.NewClient(guarded), end: rep.value}
	p.open[k] = f
	return f, nil
}

// drop forgets connections that are of no use, so that the next part makes new ones.
func (p *pools) drop(f *filePool) {
	p.mu.Lock()
	mine := p.open[f.key] == f
	if mine {
		delete(p.open, f.key)
	}
	p.mu.Unlock()
	if mine {
		_ = f.end.Close() // what is under way ends with an error and is asked for again
	}
}

// close ends all connections; the client would end them too, but only with itself.
func (p *pools) close() {
	p.mu.Lock()
	list := p.open
	p.open = map[poolKey]*filePool{}
	p.mu.Unlock()
	for _, f := range list {
		_ = f.end.Close()
	}
}

// take waits for leave to have one more part under way.
func (p *pools) take(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pools) give() { <-p.slots }

// takeFile waits for leave to have one more file under way, so that those that were begun are finished first.
func (p *pools) takeFile(ctx context.Context) error {
	select {
	case p.whole <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pools) giveFile() { <-p.whole }

// notOurLogin turns the loss of a moved login into an error that does not count as the loss of the account.
func notOurLogin(k poolKey, next tg.Invoker) tg.Invoker {
	if k.dc == 0 {
		return next
	}
	return telegram.InvokeFunc(func(ctx context.Context, in bin.Encoder, out bin.Decoder) error {
		err := next.Invoke(ctx, in, out)
		if rpc, ok := tgerr.As(err); ok && rpc.Code == 401 && (k.cdn || rpc.Type == "AUTH_KEY_UNREGISTERED" || rpc.Type == "AUTH_KEY_INVALID") {
			return errPoolStale
		}
		return err
	})
}

// askFile asks a data centre for something of a file, and follows it to another one.
func askFile[T any](ctx context.Context, r *run, k *poolKey, method string, f func(context.Context, *tg.Client) (T, error)) (T, error) {
	var none T
	for moves := 0; ; moves++ {
		pool, err := r.files.at(ctx, *k)
		if err != nil {
			return none, err
		}
		rep, err := ask(ctx, r, method, false, func(ctx context.Context) (T, error) {
			v, err := f(ctx, pool.api)
			if errors.Is(err, errPoolStale) {
				r.files.drop(pool)
			}
			return v, err
		})
		if err == nil {
			return rep.value, nil
		}
		if moves >= maxMoves || ctx.Err() != nil {
			return none, err
		}
		if rpc, ok := tgerr.As(err); ok && rpc.IsOneOf("FILE_MIGRATE", "STATS_MIGRATE") && !k.cdn {
			*k = poolKey{dc: rpc.Argument}
			continue
		}
		if !errors.Is(err, errPoolStale) {
			return none, err
		}
	}
}

// maxMoves is how often a file may be said to be elsewhere, or a login be moved anew, for one part.
const maxMoves = 3
