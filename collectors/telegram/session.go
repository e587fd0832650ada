package telegram

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"runtime"
	"strconv"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// storage turns the ways in which a keeper of secrets says "nothing yet" into the one that the client knows.
type storage struct{ SessionStorage }

func (s storage) LoadSession(ctx context.Context) ([]byte, error) {
	b, err := s.SessionStorage.LoadSession(ctx)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, evidence.ErrNotFound) || (err == nil && len(b) == 0) {
		return nil, session.ErrNotFound
	}
	return b, err
}

// client makes the platform's client with our middleware around every request.
func (o Options) client(methods []string, handler telegram.UpdateHandler) (*telegram.Client, error) {
	if o.Session == nil {
		return nil, errors.New("account " + o.Alias + " has no session storage")
	}
	opt := telegram.Options{
		SessionStorage: storage{o.Session},
		Logger:         bridge{o.Log},
		UpdateHandler:  handler,
		NoUpdates:      handler == nil,
		Middlewares:    []telegram.Middleware{allowOnly(methods), captureReplies()},
		DialTimeout:    o.RPCTimeout,
		Device:         o.Device.config(o.Build),
	}
	var err error
	if o.Proxy != nil || o.Network == nil || o.Network.Dial == nil {
		if opt.Resolver, err = o.Proxy.resolver(); err != nil {
			return nil, fmt.Errorf("account %s: %w", o.Alias, err)
		}
	}
	if o.Network != nil {
		if err := o.Network.apply(&opt, o.Session); err != nil {
			return nil, fmt.Errorf("use the test network of account %s: %w", o.Alias, err)
		}
	}
	return telegram.NewClient(o.AppID, o.AppHash, opt), nil
}

func (n Network) apply(opt *telegram.Options, stored SessionStorage) error {
	key, err := publicKey(n.PublicKeyPEM)
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(n.Addr)
	if err != nil {
		return fmt.Errorf("address %q is not host:port: %w", n.Addr, err)
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("address %q has no numeric port: %w", n.Addr, err)
	}
	if n.Dial != nil && opt.Resolver == nil {
		opt.Resolver = dcs.Plain(dcs.PlainOptions{Dial: n.Dial})
	}
	opt.PublicKeys = []telegram.PublicKey{{RSA: key}}
	opt.DC = n.DC
	opt.DCList = dcs.List{Options: []tg.DCOption{{ID: n.DC, IPAddress: host, Port: int(p), Static: true}}}
	// A session may live in another data centre than the one that is given; only the session knows where that is.
	if data, err := (&session.Loader{Storage: storage{stored}}).Load(context.Background()); err == nil && data.DC != n.DC {
		opt.DCList.Options = append(opt.DCList.Options, data.Config.DCOptions...)
	}
	return nil
}

// Device is what the platform shows in the account's list of sessions. Empty fields say the truth: this program, its build, and the
// system that it runs on.
type Device struct {
	Model      string
	System     string
	AppVersion string
	Language   string // BCP 47, such as en
}

// maxDevice bounds each of a device's strings; the platform documents no limit, and these are sent with every connection.
const maxDevice = 128

func (d Device) config(build string) telegram.DeviceConfig {
	or := func(s, byDefault string) string {
		if s == "" {
			s = byDefault
		}
		return s[:min(len(s), maxDevice)]
	}
	lang := or(d.Language, "en")
	return telegram.DeviceConfig{
		DeviceModel: or(d.Model, "Muhafiz"), SystemVersion: or(d.System, runtime.GOOS+"/"+runtime.GOARCH),
		AppVersion: or(d.AppVersion, or(build, "unknown build")), SystemLangCode: lang, LangCode: lang,
	}
}

func publicKey(b []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("the server's public key is not PEM")
	}
	if k, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse the server's public key: %w", err)
	}
	rk, ok := k.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("the server's public key is %T, not RSA", k)
	}
	return rk, nil
}
