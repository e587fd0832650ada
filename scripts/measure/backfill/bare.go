package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	gotd "github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

// bare reads the history one page after another, to an empty page, and keeps nothing.
func (b *bench) bare() (p pace, err error) {
	o, err := b.srv.client()
	if err != nil {
		return p, err
	}
	o.SessionStorage = b.store
	c := gotd.NewClient(b.srv.AppID, b.srv.AppHash, o)
	err = c.Run(context.Background(), func(ctx context.Context) error {
		peer, err := resolve(ctx, c.API(), b.srv.Channel)
		if err != nil {
			return err
		}
		start, cpu := time.Now(), lab.CPU()
		n, err := walk(ctx, c.API(), peer)
		p = pace{float64(n) / time.Since(start).Seconds(), (lab.CPU() - cpu) / float64(n)}
		if err == nil && n != b.posts {
			err = fmt.Errorf("read %d posts of %d", n, b.posts)
		}
		return err
	})
	return p, err
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

func walk(ctx context.Context, api *tg.Client, peer tg.InputPeerClass) (n int, err error) {
	for last := 0; ; {
		page, err := api.MessagesGetHistory(ctx, &tg.MessagesGetHistoryRequest{Peer: peer, OffsetID: last, Limit: 100})
		if err != nil {
			return n, err
		}
		list, ok := page.(*tg.MessagesChannelMessages)
		if !ok {
			return n, fmt.Errorf("unexpected %s", page.TypeName())
		}
		if len(list.Messages) == 0 {
			return n, nil
		}
		n += len(list.Messages)
		last = list.Messages[len(list.Messages)-1].GetID()
	}
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
