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
	"strings"
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

// serve plays the platform until its standard input ends, which happens even when the parent is killed. A line with a number has the first
// channel post that many, as quickly as it can.
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
		n, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil {
			return err
		}
		for i := range n {
			first.Post(whatsapptest.Post{Text: text(i)})
		}
	}
	return nil
}

// platform is the child.
type platform struct {
	where
	in  io.WriteCloser
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
	if err := json.NewDecoder(out).Decode(&p.where); err != nil {
		return nil, errors.Join(fmt.Errorf("the loopback WhatsApp did not come up: %w", err), p.stop())
	}
	return p, nil
}

// push has the first channel post.
func (p *platform) push(n int) error {
	_, err := fmt.Fprintln(p.in, n)
	return err
}

func (p *platform) stop() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }
