package whatsapptest

import (
	"math/rand/v2"
	"testing"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// What a client sends may be anything: no bytes may end the server.
func TestDecodeNeverPanics(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	good := encode(waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"id": "1", "xmlns": "w:mex"}, Content: []waBinary.Node{
		{Tag: "query", Attrs: waBinary.Attrs{"query_id": "6563316087068696"}, Content: []byte(`{}`)},
	}})
	for range 20_000 {
		b := append([]byte(nil), good...)
		for range r.IntN(4) + 1 {
			b[r.IntN(len(b))] = byte(r.IntN(256))
		}
		b = b[:r.IntN(len(b)+1)]
		if n, err := decode(b); err == nil {
			_ = kindOf(n)
		}
	}
}
