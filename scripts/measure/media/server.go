package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// where is what the child says of itself in one line of JSON: how its server is reached and logged in to.
type where struct {
	DC      int    `json:"dc"`
	Addr    string `json:"addr"`
	Key     string `json:"key"`
	Phone   string `json:"phone"`
	Code    string `json:"code"`
	Channel string `json:"channel"`
	AppID   int    `json:"app_id"`
	AppHash string `json:"app_hash"`
}

const channel = "simulated_media"

// serve plays the platform until its standard input ends, which happens even when the parent is killed.
func serve(n int, latency time.Duration) error {
	w := telegramtest.NewWorld(nil)
	ch := w.AddChannel(telegramtest.Profile{Username: channel, Title: "Simulated media"})
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	ch.Post(telegramtest.Post{Text: "Simulated file", Document: &telegramtest.Document{Bytes: data, Name: "simulated.bin"}})
	s, err := telegramtest.Serve(context.Background(), w, telegramtest.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	s.Latency(latency)
	a := telegramtest.DefaultAccount()
	me := where{s.DC(), s.Addr(), string(s.PublicKeyPEM()), a.Phone, a.Code, channel, telegramtest.AppID, telegramtest.AppHash}
	if err := json.NewEncoder(os.Stdout).Encode(me); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// spawn starts the child and waits for its line. stop ends it.
func spawn(n int, latency time.Duration) (w where, stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return w, nil, err
	}
	cmd := exec.Command(self, "-serve", "-mib", strconv.Itoa(n), "-latency", latency.String())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return w, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return w, nil, err
	}
	if err := cmd.Start(); err != nil {
		return w, nil, err
	}
	stop = func() error { return errors.Join(in.Close(), cmd.Wait()) }
	if err := json.NewDecoder(out).Decode(&w); err != nil {
		return w, nil, errors.Join(fmt.Errorf("the loopback Telegram did not come up: %w", err), stop())
	}
	return w, stop, nil
}
