package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"go.mau.fi/whatsmeow"
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

// versions guards the library's globals: they can be set before the first client is made and not beside one.
var versions struct {
	sync.Mutex
	set string
}

// useVersion makes every client of this process say that it is of a version. SetWAVersion alone does not reach the login here.
func useVersion(s string) error {
	versions.Lock()
	defer versions.Unlock()
	if s == "" {
		s = builtIn.String()
	}
	if versions.set == s {
		return nil
	}
	if versions.set != "" {
		return errors.New("the accounts of one process share one version of the web client; give all of them the same, and restart")
	}
	v, err := parseVersion(s)
	if err != nil {
		return err
	}
	store.SetWAVersion(v)
	store.BaseClientPayload.UserAgent.AppVersion = v.ProtoAppVersion()
	versions.set = s
	return nil
}
