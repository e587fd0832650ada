package whatsapp

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/store"
)

// BuiltInVersion is the web client's version that the library was made for.
func BuiltInVersion() string { return builtIn.String() }

var builtIn = store.GetWAVersion()

// LatestVersion asks WhatsApp's web page which version of the web client is served now. It is one HTTP request without an account, made
// only when an operator asks for it; the result belongs into the configuration.
func LatestVersion(ctx context.Context, o Options) (string, error) {
	o.setDefaults()
	h := newHTTP(&o)
	defer h.close()
	v, err := whatsmeow.GetLatestVersion(ctx, &http.Client{Transport: h.web, Timeout: o.QueryTimeout})
	if err != nil {
		return "", fmt.Errorf("ask for the web client's version; it may also be typed from web.whatsapp.com: %w", err)
	}
	return v.String(), nil
}

// versionName is how a configured version is called.
func versionName(s string) string {
	if s == "" {
		return BuiltInVersion()
	}
	return s
}

func parseVersion(s string) (v store.WAVersionContainer, err error) {
	parts := strings.Split(s, ".")
	if len(parts) != len(v) {
		return v, fmt.Errorf("%q is not a version of the web client, such as %s", s, builtIn)
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return v, fmt.Errorf("%q is not a version of the web client, such as %s", s, builtIn)
		}
		v[i] = uint32(n)
	}
	return v, nil
}

// speakAs makes a client say that it is of a version, whatever the library's globals say: so accounts may differ, and each connection takes
// the version that is configured by then. The library advises against its hook because other code of it reads what the device says of
// itself; the version is read for the login alone.
func speakAs(cli *whatsmeow.Client, s string) error {
	v, err := parseVersion(versionName(s))
	if err != nil {
		return err
	}
	cli.GetClientPayload = func() *waWa6.ClientPayload {
		p := cli.Store.GetClientPayload()
		p.UserAgent.AppVersion = v.ProtoAppVersion()
		if d := p.DevicePairingData; d != nil {
			hash := v.Hash()
			d.BuildHash = hash[:]
		}
		return p
	}
	return nil
}

// SetVersion has every connection from the next one on say that it is of a version of the web client, or of the one that the library was made
// for where it is empty. One that is up stays as it is.
func (s *Source) SetVersion(version string) error {
	if version != "" {
		if _, err := parseVersion(version); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = version
	return nil
}

// Outdated returns the version that WhatsApp refused when the last run ended so, and else nothing: another one mends it.
func (s *Source) Outdated() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

func (s *Source) nextVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}
