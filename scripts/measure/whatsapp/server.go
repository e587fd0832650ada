package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// where is what the child says of itself in one line of JSON.
type where struct {
	whatsapptest.Endpoint
	Links []string // of the channels
	JIDs  []string
}

func text(i int) string {
	return "Simulated notice " + strconv.Itoa(i) + " of some length, so that a page has a weight. یہ آزمائشی پیغام ہے۔"
}

// delivery is one push as the platform saw it, by the machine's clock in nanoseconds.
type delivery struct {
	Post          int
	Pushed, Acked int64
}

// serve plays the platform until its standard input ends, which happens even when the parent is killed. A line with a number and a pause in
// nanoseconds has the first channel post that many, at that pace; once all are acknowledged, a line of JSON says when each was pushed and
// acknowledged.
func serve(channels, posts int, latency time.Duration) error {
	w := whatsapptest.NewWorld(nil)
	var me where
	var first *whatsapptest.Channel
	for i := range channels {
		ch := w.AddChannel(whatsapptest.Profile{Invite: fmt.Sprintf("0029VaSimulatedBulk%05d", i), Name: "Simulated bulk"})
		ch.Fill(posts, func(i int) whatsapptest.Post { return whatsapptest.Post{Text: text(i), Views: i} })
		me.Links, me.JIDs = append(me.Links, "https://whatsapp.com/channel/"+ch.Profile().Invite), append(me.JIDs, ch.JID().String())
		if first == nil {
			first = ch
		}
	}
	s, err := whatsapptest.Serve(context.Background(), w, whatsapptest.Options{PreKeys: 50, Phone: true})
	if err != nil {
		return err
	}
	defer s.Close()
	s.Latency(latency)
	me.Endpoint = s.Endpoint()
	if err := json.NewEncoder(os.Stdout).Encode(me); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var n int
		var every time.Duration
		if _, err := fmt.Sscan(lines.Text(), &n, (*int64)(&every)); err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(post(s, first, n, every)); err != nil {
			return err
		}
	}
	return nil
}

// post pushes posts and waits until they are acknowledged; a post without an acknowledgement has none in what it returns.
func post(s *whatsapptest.Server, ch *whatsapptest.Channel, n int, every time.Duration) []delivery {
	began := time.Now()
	known := s.CallCount("*")
	of := map[string]*delivery{}
	out := make([]delivery, n)
	for i := range n {
		time.Sleep(time.Until(began.Add(time.Duration(i) * every))) // the pace is what is measured
		out[i].Pushed = time.Now().UnixNano()
		id := fmt.Sprintf("3EB0%012X%08X", began.UnixNano()&0xffffffffffff, i)
		out[i].Post = ch.Post(whatsapptest.Post{Text: text(i), MessageID: id})
		of[id] = &out[i]
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := s.Settle(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "not all pushes were acknowledged:", err)
	}
	for _, c := range s.Calls()[known:] {
		if c.Kind != "ack.message" {
			continue
		}
		if id, ok := c.Node.Attrs["id"].(string); ok && of[id] != nil {
			of[id].Acked = c.Time.UnixNano()
		}
	}
	return out
}

// platform is the child.
type platform struct {
	where
	in  io.WriteCloser
	out *json.Decoder
	cmd *exec.Cmd
}

func spawn(channels, posts int, latency time.Duration) (*platform, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &platform{cmd: exec.Command(self, "-serve", "-channels", strconv.Itoa(channels), "-n", strconv.Itoa(posts), "-latency", latency.String())}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.out = json.NewDecoder(out)
	if err := p.out.Decode(&p.where); err != nil {
		return nil, errors.Join(fmt.Errorf("the loopback WhatsApp did not come up: %w", err), p.stop())
	}
	return p, nil
}

// push has the first channel post.
func (p *platform) push(n int, every time.Duration) error {
	_, err := fmt.Fprintln(p.in, n, int64(every))
	return err
}

// pushed returns how what push began went, when all of it is acknowledged.
func (p *platform) pushed() (ds []delivery, err error) {
	err = p.out.Decode(&ds)
	return ds, err
}

func (p *platform) stop() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }
