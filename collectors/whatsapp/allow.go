package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// ErrNotAllowed is returned for a query that this collector never makes, before anything is sent.
var ErrNotAllowed = errors.New("this is not a query that Muhafiz may make")

// The GraphQL queries, by the ids that the web client uses.
const (
	queryInfo     = "6563316087068696"
	queryFollow   = "9926858900719341"
	queryUnfollow = "6392786840836363"
)

// Requests returns what an observing source asks for, in the form NAMESPACE.ELEMENT, or w:mex.ID for a GraphQL query: the metadata of a
// channel, its posts, the hosts of files, and the Acts. The library adds keep-alive, login and keys on its own.
func Requests() []string {
	return append([]string{"newsletter.messages", "w:m.media_conn", "w:mex." + queryInfo}, Acts()...)
}

// Acts returns those of Requests that change something at the platform: to follow a channel whose target says so, to be told its counters
// for a while, and to unfollow what was followed so. They pass the guard only while this package makes one.
func Acts() []string {
	return []string{"newsletter.live_updates", "w:mex." + queryFollow, "w:mex." + queryUnfollow}
}

// asker makes the allowed queries with a client, and no others: it is the only thing of this package that holds a client's sending side, but for
// acknowledgements and the pairing.
type asker struct {
	cli     *whatsmeow.Client
	guard   *guard
	timeout time.Duration
}

func (a asker) iq(ctx context.Context, namespace, typ string, body waBinary.Node) (*waBinary.Node, error) {
	if name := namespace + "." + body.Tag; !slices.Contains(Requests(), name) {
		return nil, fmt.Errorf("%s: %w", name, ErrNotAllowed)
	}
	return a.send(ctx, namespace, typ, body)
}

// send asks once: the library's own repetition would wait for a connection that it does not make, and hold this one open meanwhile.
func (a asker) send(ctx context.Context, namespace, typ string, body waBinary.Node) (*waBinary.Node, error) {
	return a.sendTo(ctx, types.ServerJID, namespace, typ, body)
}

func (a asker) sendTo(ctx context.Context, to types.JID, namespace, typ string, body waBinary.Node) (*waBinary.Node, error) {
	return internals(a.cli).SendIQ(ctx, whatsmeow.DangerousInfoQuery{
		Namespace: namespace, Type: whatsmeow.DangerousInfoQueryType(typ), To: to, Content: []waBinary.Node{body}, Timeout: a.timeout, NoRetry: true,
	})
}

// graph returns the data of a GraphQL answer as the platform wrote it. It is the library's SendMexIQ, without its repetition.
func (a asker) graph(ctx context.Context, query string, variables any) (json.RawMessage, error) {
	if name := "w:mex." + query; !slices.Contains(Requests(), name) {
		return nil, fmt.Errorf("%s: %w", name, ErrNotAllowed)
	}
	payload, err := json.Marshal(map[string]any{"variables": variables})
	if err != nil {
		return nil, fmt.Errorf("write the query: %w", err)
	}
	n, err := a.send(ctx, "w:mex", "get", waBinary.Node{Tag: "query", Attrs: waBinary.Attrs{"query_id": query}, Content: payload})
	if err != nil {
		return nil, err
	}
	return graphData(n)
}

// graphData reads the answer of a GraphQL query.
func graphData(n *waBinary.Node) (json.RawMessage, error) {
	result, ok := n.GetOptionalChildByTag("result")
	b, isBytes := result.Content.([]byte)
	if !ok || !isBytes || text(&result, "format") == "argo" {
		return nil, errUnreadable
	}
	var g types.GraphQLResponse
	if err := json.Unmarshal(b, &g); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if len(g.Errors) > 0 {
		return g.Data, g.Errors
	}
	return g.Data, nil
}

// posts asks for the page of posts below before (0: the newest).
func (a asker) posts(ctx context.Context, jid types.JID, before, count int) (*waBinary.Node, error) {
	attrs := waBinary.Attrs{"type": "jid", "jid": jid, "count": count}
	if before > 0 {
		attrs["before"] = before
	}
	n, err := a.iq(ctx, "newsletter", "get", waBinary.Node{Tag: "messages", Attrs: attrs})
	if err != nil {
		return nil, err
	}
	list, ok := n.GetOptionalChildByTag("messages")
	if !ok {
		return nil, errNoList
	}
	return &list, nil
}

// errNoList keeps an answer without a list from being taken for an empty one.
var errNoList = errors.New("the answer holds no list of posts")

func (a asker) info(ctx context.Context, typ types.NewsletterKeyType, key string) (json.RawMessage, error) {
	return a.graph(ctx, queryInfo, map[string]any{
		"fetch_creation_time": true, "fetch_full_image": true, "fetch_viewer_metadata": typ == types.NewsletterKeyTypeJID,
		"input": map[string]any{"key": key, "type": typ},
	})
}

func (a asker) follow(ctx context.Context, jid types.JID) (json.RawMessage, error) {
	defer a.guard.permit("w:mex." + queryFollow)()
	return a.graph(ctx, queryFollow, map[string]any{"newsletter_id": jid.String()})
}

func (a asker) unfollow(ctx context.Context, jid types.JID) (json.RawMessage, error) {
	defer a.guard.permit("w:mex." + queryUnfollow)()
	return a.graph(ctx, queryUnfollow, map[string]any{"newsletter_id": jid.String()})
}

// live asks to be told a channel's counters as they change, and returns for how long the platform does that.
func (a asker) live(ctx context.Context, jid types.JID) (time.Duration, error) {
	const name = "newsletter.live_updates"
	defer a.guard.permit(name)()
	n, err := a.sendTo(ctx, jid, "newsletter", "set", waBinary.Node{Tag: "live_updates"})
	if err != nil {
		return 0, err
	}
	return liveFor(n)
}

// liveFor reads for how long counters are told: for a day at most.
func liveFor(n *waBinary.Node) (time.Duration, error) {
	list, ok := n.GetOptionalChildByTag("live_updates")
	seconds, said := number(&list, "duration")
	if !ok || !said || seconds <= 0 {
		return 0, errUnreadable
	}
	return time.Duration(min(seconds, 86400)) * time.Second, nil
}

// hosts asks where files are served.
func (a asker) hosts(ctx context.Context) ([]string, error) {
	n, err := a.iq(ctx, "w:m", "set", waBinary.Node{Tag: "media_conn"})
	if err != nil {
		return nil, err
	}
	return hostsOf(n)
}

// hostsOf reads the hosts of files, of which those of WhatsApp's own count.
func hostsOf(n *waBinary.Node) ([]string, error) {
	conn := n.GetChildByTag("media_conn")
	var out []string
	for _, h := range conn.GetChildrenByTag("host") {
		if name := text(&h, "hostname"); ours(name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("WhatsApp named no host for files")
	}
	return out, nil
}

// internals is the library's way to ask for raw elements and to acknowledge one later; it has no other.
func internals(cli *whatsmeow.Client) *whatsmeow.DangerousInternalClient {
	//lint:ignore SA1019 marked as deprecated only to warn; the version is fixed in go.mod and the tests run against it
	return cli.DangerousInternals()
}
