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

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// where is what the server says of itself in its first line of JSON; every line that it is sent it answers with the number of
// pages of history that it was asked for.
type where struct {
	DC      int    `json:"dc"`
	Addr    string `json:"addr"`
	Key     string `json:"key"`
	Phone   string `json:"phone"`
	Code    string `json:"code"`
	AppID   int    `json:"app_id"`
	AppHash string `json:"app_hash"`
}

func channel(i int) string { return fmt.Sprintf("simulated_%05d", i) }

// serve plays the platform until its standard input ends, which happens even when the parent is killed.
func serve(channels, posts int) error {
	w := telegramtest.NewWorld(nil)
	for i := range channels {
		ch := w.AddChannel(telegramtest.Profile{Username: channel(i), Title: "Simulated " + strconv.Itoa(i)})
		ch.Fill(posts, func(i int) telegramtest.Post {
			return telegramtest.Post{Text: "Simulated notice " + strconv.Itoa(i) + ". یہ آزمائشی پیغام ہے۔", Views: i}
		})
	}
	s, err := telegramtest.Serve(context.Background(), w, telegramtest.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	a := telegramtest.DefaultAccount()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(where{s.DC(), s.Addr(), string(s.PublicKeyPEM()), a.Phone, a.Code, telegramtest.AppID, telegramtest.AppHash}); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if err := out.Encode(s.CallCount("messages.getHistory")); err != nil {
			return err
		}
	}
	return nil
}

// server is the child process.
type server struct {
	where
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func spawn(channels, posts int) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{cmd: exec.Command(self, "-serve", "-targets", strconv.Itoa(channels), "-posts", strconv.Itoa(posts))}
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = json.NewDecoder(out)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.out.Decode(&s.where); err != nil {
		return nil, errors.Join(fmt.Errorf("the loopback Telegram did not come up: %w", err), s.stop())
	}
	return s, nil
}

func (s *server) stop() error { return errors.Join(s.in.Close(), s.cmd.Wait()) }

// reads returns how many pages of history were asked for so far.
func (s *server) reads() (n int, err error) {
	if _, err := io.WriteString(s.in, "\n"); err != nil {
		return 0, err
	}
	return n, s.out.Decode(&n)
}
