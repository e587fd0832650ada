package whatsapp

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

func frame(f *testing.F, n waBinary.Node) []byte {
	f.Helper()
	b, err := waBinary.Marshal(n)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

// FuzzAnswer: whatever an answer holds, each reader of one takes it or refuses it, and what it takes keeps to its bounds.
func FuzzAnswer(f *testing.F) {
	iq := func(child waBinary.Node) waBinary.Node {
		return waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"from": types.ServerJID, "type": "result", "id": "1"}, Content: []waBinary.Node{child}}
	}
	f.Add(frame(f, iq(waBinary.Node{Tag: "result", Content: []byte(`{"data":{"xwa2_newsletter":{"id":"1@newsletter"}},"errors":[{"message":"simulated","extensions":{"error_code":404}}]}`)})))
	f.Add(frame(f, iq(waBinary.Node{Tag: "result", Attrs: waBinary.Attrs{"format": "argo"}, Content: []byte{1}})))
	f.Add(frame(f, iq(waBinary.Node{Tag: "live_updates", Attrs: waBinary.Attrs{"duration": "300"}})))
	f.Add(frame(f, iq(waBinary.Node{Tag: "media_conn", Content: []waBinary.Node{
		{Tag: "host", Attrs: waBinary.Attrs{"hostname": "mmg.whatsapp.net"}}, {Tag: "host", Attrs: waBinary.Attrs{"hostname": "whatsapp.net.example"}},
	}})))
	f.Add(frame(f, iq(waBinary.Node{Tag: "error", Attrs: waBinary.Attrs{"code": "429", "text": "rate-overlimit"}})))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := unmarshal(b)
		if err != nil {
			return
		}
		if data, err := graphData(n); err == nil && len(data) > 0 && !json.Valid(data) {
			t.Errorf("data %q", data)
		} else if r := refusalOf(err); r != nil && limited(err) != (r.code == 429) {
			t.Errorf("refusal %+v", r)
		}
		if d, err := liveFor(n); err == nil && (d <= 0 || d > 24*time.Hour) {
			t.Errorf("for %s", d)
		}
		hosts, err := hostsOf(n)
		if err == nil && len(hosts) == 0 {
			t.Error("no hosts and no error")
		}
		for _, h := range hosts {
			if u, err := url.Parse("https://" + h + "/x"); err != nil || u.Host != h || !ours(u.Hostname()) {
				t.Errorf("host %q", h)
			}
		}
		if at := serverDate(n); !at.IsZero() {
			if _, err := at.MarshalJSON(); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzAddress: whatever path a post gives for its file, its address is on the host that the platform named, or there is none.
func FuzzAddress(f *testing.F) {
	for _, path := range []string{"/v/t62.7118-24/1?ccb=11&oh=x&oe=y", "//other.example/x", "/\\other.example", "/x@other.example", "/%2e%2e/x", "/x\r\nHost: other.example", "@other.example/x", "/x#y", ":1/x"} {
		f.Add(path, []byte("12345678901234567890123456789012"), "image")
	}
	const host = "mmg.whatsapp.net"
	f.Fuzz(func(t *testing.T, path string, sum []byte, mms string) {
		s, err := address(host, file{path: path, sha: sum, mms: mms})
		if err != nil {
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "https" || u.Host != host || u.User != nil || u.Fragment != "" || strings.ContainsAny(s, "\r\n\t ") {
			t.Errorf("%q leads to %q", path, s)
		}
	})
}

// FuzzNever: of channels and GraphQL nothing passes the guard but what is listed, and an act only while it is made.
func FuzzNever(f *testing.F) {
	for _, s := range []string{
		`<iq id="1" type="get" xmlns="newsletter"><messages count="1"/></iq>`, `<iq id="1" type="set" xmlns="newsletter"><live_updates/></iq>`,
		`<iq id="1" type="get" xmlns="w:mex"><query query_id="6392786840836363">{}</query></iq>`, `<iq xmlns="w:mex">`, `<`, ``,
		`<message category="peer" id="1" to="me"/>`, `<receipt id="1" to="x" type="view"><list/></receipt>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g := &guard{permits: map[string]int{}}
		head := tagOf(s)
		name := requestOf(head, s[len(head):])
		passes := !never(s) && g.permitted(s)
		for _, act := range Acts() {
			if name == act && passes {
				t.Errorf("%q passes although nobody made it", s)
			}
		}
		if strings.HasPrefix(s, `<iq xmlns="newsletter">`) && passes && !strings.Contains(s, "messages") {
			t.Errorf("%q passes", s)
		}
	})
}

// FuzzLiveCount: whatever counters are told, those of a post that there can be are taken.
func FuzzLiveCount(f *testing.F) {
	f.Add(101, 5, "👍", 3)
	f.Add(-1, -5, "\xff", -3)
	f.Fuzz(func(t *testing.T, id, views int, code string, n int) {
		c, ok := liveCount(&types.NewsletterMessage{MessageServerID: types.MessageServerID(id), ViewsCount: views, ReactionCounts: map[string]int{code: n}})
		if !ok {
			return
		}
		if b, err := json.Marshal(c); err != nil || id <= 0 || id > maxNumber || c.Views == 0 || !json.Valid(b) {
			t.Errorf("%+v, %v", c, err)
		}
	})
}
