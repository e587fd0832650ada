package telegram

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// QR is a link that logs our session in when an app that is logged in to the account opens it. Whoever scans it gives the account
// away, so it is shown to the account's owner alone, and never logged.
type QR struct {
	URL   string    // tg://login?token=…
	Until time.Time // by the platform's clock; usually half a minute
}

// The least and the longest time for which a QR code is shown before it is renewed, however the clocks differ.
const (
	minQR = time.Second
	maxQR = 2 * time.Minute
)

// byQR shows tokens until one is scanned. https://core.telegram.org/api/qr-login
func (l *login) byQR(ctx context.Context) error {
	patience := time.NewTimer(l.a.Patience)
	defer patience.Stop()
	for {
		res, err := l.client.API().AuthExportLoginToken(ctx, &tg.AuthExportLoginTokenRequest{APIID: l.o.AppID, APIHash: l.o.AppHash})
		if err != nil {
			return err
		}
		switch t := res.(type) {
		case *tg.AuthLoginTokenSuccess:
			return authorised(t.Authorization)
		case *tg.AuthLoginTokenMigrateTo:
			err := l.migrate(ctx, t)
			if tgerr.Is(err, "AUTH_TOKEN_EXPIRED") {
				continue // a new one is shown, by the data centre where we are now
			}
			return err
		case *tg.AuthLoginToken:
			if err := l.show(ctx, t, patience.C); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the platform answers auth.exportLoginToken with %T", res)
		}
	}
}

// show shows a token until it was scanned or is no longer good.
func (l *login) show(ctx context.Context, t *tg.AuthLoginToken, patience <-chan time.Time) error {
	until := time.Unix(int64(t.Expires), 0)
	url := "tg://login?token=" + base64.URLEncoding.EncodeToString(t.Token)
	if err := l.a.ShowQR(ctx, QR{URL: url, Until: until}); err != nil {
		return fmt.Errorf("show the QR code: %w", err)
	}
	life := time.NewTimer(min(max(until.Sub(l.o.Now()), minQR), maxQR))
	defer life.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-patience:
		return fmt.Errorf("%w: nobody scanned the QR code for %s; run the login again", ErrLogin, l.a.Patience)
	case <-life.C:
	case <-l.scanned:
	}
	return nil
}

// migrate takes an accepted token to the data centre where the account lives.
func (l *login) migrate(ctx context.Context, t *tg.AuthLoginTokenMigrateTo) error {
	have, _ := l.stored.count()
	l.wants = max(have, 1) + 1
	if err := l.client.MigrateTo(ctx, t.DCID); err != nil {
		return fmt.Errorf("move to data centre %d: %w", t.DCID, err)
	}
	res, err := l.client.API().AuthImportLoginToken(ctx, t.Token)
	if err != nil {
		return err
	}
	s, ok := res.(*tg.AuthLoginTokenSuccess)
	if !ok {
		return fmt.Errorf("the platform answers auth.importLoginToken with %T", res)
	}
	return authorised(s.Authorization)
}

// update hears that somebody scanned.
func (l *login) update(_ context.Context, u tg.UpdatesClass) error {
	var list []tg.UpdateClass
	switch u := u.(type) {
	case *tg.UpdateShort:
		list = []tg.UpdateClass{u.Update}
	case *tg.Updates:
		list = u.Updates
	case *tg.UpdatesCombined:
		list = u.Updates
	}
	for _, one := range list {
		if _, ok := one.(*tg.UpdateLoginToken); ok {
			select {
			case l.scanned <- struct{}{}:
			default:
			}
		}
	}
	return nil
}
