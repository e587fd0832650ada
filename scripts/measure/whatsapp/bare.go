package main

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"

	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// bareClient is the library's client, linked to an account of its own and logged in.
func (b *bench) bareClient(ctx context.Context) (*whatsmeow.Client, error) {
	cli := whatsmeow.NewClient(whatsapptest.NewDevice(), waLog.Noop)
	if err := whatsapp.Network(b.srv.Endpoint).Use(cli, nil); err != nil {
		return nil, err
	}
	up, failed := make(chan struct{}, 4), make(chan error, 1)
	cli.AddEventHandler(func(e any) {
		switch e := e.(type) {
		case *events.QR:
			go func() {
				if _, err := whatsapptest.ScanAt(ctx, b.srv.Addr, e.Codes[0], whatsapptest.Account{Phone: "15550100001"}); err != nil {
					failed <- err
				}
			}()
		case *events.Connected:
			up <- struct{}{}
		}
	})
	if err := cli.ConnectContext(ctx); err != nil {
		return nil, err
	}
	select {
	case <-up:
		return cli, nil
	case err := <-failed:
		return nil, err
	case <-time.After(30 * time.Second):
		return nil, fmt.Errorf("the bare client did not log in")
	}
}

// bare reads the history one page after another, to an empty page, and keeps nothing.
func (b *bench) bare(ctx context.Context, cli *whatsmeow.Client) (rate float64, err error) {
	jid, err := types.ParseJID(b.srv.JIDs[0])
	if err != nil {
		return 0, err
	}
	start, n := time.Now(), 0
	for before := 0; ; {
		page, err := cli.GetNewsletterMessages(ctx, jid, &whatsmeow.GetNewsletterMessagesParams{Count: 100, Before: before})
		if err != nil {
			return 0, err
		}
		if len(page) == 0 {
			break
		}
		n += len(page)
		before = page[0].MessageServerID
		for _, m := range page {
			before = min(before, m.MessageServerID)
		}
	}
	if n != b.posts {
		return 0, fmt.Errorf("read %d posts of %d", n, b.posts)
	}
	return float64(n) / time.Since(start).Seconds(), nil
}
