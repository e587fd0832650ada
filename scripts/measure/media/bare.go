package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	gotd "github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/telegram/downloader"
	"github.com/gotd/td/tg"
)

// nowhere takes bytes and keeps none.
type nowhere struct{ n atomic.Int64 }

func (w *nowhere) WriteAt(b []byte, _ int64) (int, error) {
	w.n.Add(int64(len(b)))
	return len(b), nil
}

// bare downloads the file with the client library's own downloader.
func (b *bench) bare(size int64) (r once, err error) {
	o, err := b.srv.client()
	if err != nil {
		return r, err
	}
	o.SessionStorage = b.store
	c := gotd.NewClient(b.srv.AppID, b.srv.AppHash, o)
	err = c.Run(context.Background(), func(ctx context.Context) error {
		peer, err := resolve(ctx, c.API(), b.srv.Channel)
		if err != nil {
			return err
		}
		at, err := location(ctx, c.API(), peer)
		if err != nil {
			return err
		}
		start, used := time.Now(), cpu()
		pool, err := c.Pool(threads)
		if err != nil {
			return err
		}
		defer pool.Close() //nolint:errcheck // nothing is left to lose
		var w nowhere
		_, err = downloader.NewDownloader().WithPartSize(512<<10).Download(tg.NewClient(pool), at).WithThreads(threads).Parallel(ctx, &w)
		r = once{time.Since(start), cpu() - used}
		if err == nil && w.n.Load() != size {
			err = fmt.Errorf("read %d bytes of %d", w.n.Load(), size)
		}
		return err
	})
	return r, err
}

func resolve(ctx context.Context, api *tg.Client, name string) (tg.InputPeerClass, error) {
	r, err := api.ContactsResolveUsername(ctx, &tg.ContactsResolveUsernameRequest{Username: name})
	if err != nil {
		return nil, err
	}
	for _, c := range r.Chats {
		if c, ok := c.(*tg.Channel); ok {
			return c.AsInputPeer(), nil
		}
	}
	return nil, errors.New("no such channel")
}

func location(ctx context.Context, api *tg.Client, peer tg.InputPeerClass) (tg.InputFileLocationClass, error) {
	page, err := api.MessagesGetHistory(ctx, &tg.MessagesGetHistoryRequest{Peer: peer, Limit: 1})
	if err != nil {
		return nil, err
	}
	if list, ok := page.(*tg.MessagesChannelMessages); ok && len(list.Messages) == 1 {
		if m, ok := list.Messages[0].(*tg.Message); ok {
			if x, ok := m.Media.(*tg.MessageMediaDocument); ok {
				if d, ok := x.Document.(*tg.Document); ok {
					return d.AsInputDocumentFileLocation(""), nil
				}
			}
		}
	}
	return nil, errors.New("the post carries no file")
}

func (w where) client() (gotd.Options, error) {
	block, _ := pem.Decode([]byte(w.Key))
	if block == nil {
		return gotd.Options{}, errors.New("the server's key is not PEM")
	}
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	if err != nil {
		return gotd.Options{}, err
	}
	host, port, err := net.SplitHostPort(w.Addr)
	if err != nil {
		return gotd.Options{}, err
	}
	p, err := strconv.Atoi(port)
	return gotd.Options{
		PublicKeys: []gotd.PublicKey{{RSA: key}}, DC: w.DC, Resolver: dcs.Plain(dcs.PlainOptions{}),
		DCList: dcs.List{Options: []tg.DCOption{{ID: w.DC, IPAddress: host, Port: p, Static: true}}},
	}, err
}
