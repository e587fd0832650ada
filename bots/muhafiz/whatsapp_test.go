package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

const waAddress = "https://www.whatsapp.com/channel/0029VaNorthhavenProgram?simulated=yes"

// waSite is a folder with an approved WhatsApp target and two numbers, on a WhatsApp of the test's own.
type waSite struct {
	t            *testing.T
	dir, muhafiz string
	srv          *whatsapptest.Server
	ch           *whatsapptest.Channel
	acc          whatsapptest.Account
}

func newWaSite(t *testing.T) *waSite {
	t.Helper()
	s := &waSite{t: t, muhafiz: program(t), acc: whatsapptest.DefaultAccount()}
	world := whatsapptest.NewWorld(nil)
	s.ch = world.AddChannel(whatsapptest.Profile{Invite: "0029VaNorthhavenProgram", Name: "Northhaven Front (simulated)"})
	var err error
	if s.srv, err = whatsapptest.Serve(context.Background(), world, whatsapptest.Options{PreKeys: 50, Phone: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.srv.Close() })
	s.dir = approvedSite(t, s.muhafiz, waAddress)
	end := s.srv.Endpoint()
	if err := os.WriteFile(filepath.Join(s.dir, "root"), whatsapptest.SharedRoot().PublicHex(), 0o600); err != nil {
		t.Fatal(err)
	}
	appendTo(t, s.dir, "muhafiz.yaml", fmt.Sprintf("session_key: session.age\nwhatsapp:\n  accounts: [{name: main}, {name: spare}]\n  poll_every: 200ms\n  rotate_every: 200ms\n  recheck_every: 1s\n  network: {address: %q, media_address: %q, root_key: root}\n", end.Addr, end.MediaAddr))
	return s
}

func (s *waSite) run(args ...string) ran { return run(s.t, s.dir, s.muhafiz, args...) }

// status is what `muhafiz status --json` says.
func (s *waSite) status() (st struct {
	Running bool
	Targets []struct {
		ID                    string
		Versions, Gone, Files int
	}
},
) {
	if r := s.run("status", "--json"); r.code == 0 {
		_ = json.Unmarshal([]byte(r.out), &st) // what is no JSON is not as wanted either
	}
	return st
}

// link pairs an account by the code that the program prints, as a phone that scans it.
func (s *waSite) link(name string, acc whatsapptest.Account, flags ...string) string {
	s.t.Helper()
	cmd := exec.Command(s.muhafiz, append([]string{"login", "whatsapp", name, "--qr", "text"}, flags...)...)
	cmd.Dir = s.dir
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		s.t.Fatalf("no code: %s", log.String())
	}
	if _, err := s.srv.Scan(s.t.Context(), lines.Text(), acc); err != nil {
		s.t.Errorf("the code %q is not taken: %v", lines.Text(), err)
	}
	said := ""
	for lines.Scan() {
		said += lines.Text() + "\n"
	}
	if err := cmd.Wait(); err != nil {
		s.t.Fatalf("%v: %s", err, log.String())
	}
	return said
}

// TestPairing links accounts through the program in every way, and lets each way fail.
func TestPairing(t *testing.T) {
	s := newWaSite(t)
	if r := s.run("check").want(t, 0, "check"); !strings.Contains(r.out, "whatsapp/main, whatsapp/spare") || !strings.Contains(r.out, "for test networks only") {
		t.Errorf("check says\n%s", r.out)
	}
	if said := s.link("main", s.acc); !strings.Contains(said, "linked as main; the daemon uses the session when it starts") {
		t.Errorf("got %q", said)
	}
	if n := len(s.srv.World().Devices()); n != 1 {
		t.Errorf("%d devices are linked", n)
	}
	if r := s.run("login", "whatsapp", "main", "--qr", "text").want(t, 0, "again"); !strings.Contains(r.out, "is linked already (--anew links it anew)") {
		t.Errorf("got %q", r.out)
	}
	s.link("main", s.acc, "--anew")
	if n := len(s.srv.World().Devices()); n != 1 {
		t.Errorf("%d devices are linked, the old one was not unlinked", n)
	}

	t.Run("as a picture", func(t *testing.T) {
		cmd := exec.Command(s.muhafiz, "login", "whatsapp", "spare", "--qr", "code.png")
		cmd.Dir = s.dir
		said, err := cmd.StderrPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(said)
		if !lines.Scan() || lines.Text() != "wrote code.png; a new one follows by itself" {
			t.Errorf("got %q", lines.Text())
		}
		b, err := os.ReadFile(filepath.Join(s.dir, "code.png"))
		if err != nil {
			t.Fatal(err)
		}
		if img, err := png.Decode(bytes.NewReader(b)); err != nil || img.Bounds().Dx() < 100 {
			t.Errorf("no picture: %v", err)
		}
		s.srv.DropConnections() // nobody scans it
		rest := ""
		for lines.Scan() {
			rest += lines.Text()
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(rest, "nobody scanned or typed the code in time; run the login again") {
			t.Errorf("%v: %s", err, rest)
		}
		if _, err := os.Stat(filepath.Join(s.dir, "code.png")); !errors.Is(err, fs.ErrNotExist) {
			t.Error("the unused code is still there")
		}
	})
	t.Run("by a typed code", func(t *testing.T) {
		acc := whatsapptest.Account{Phone: "15550100099"}
		cmd := exec.Command(s.muhafiz, "login", "whatsapp", "spare", "--code", "+"+acc.Phone)
		cmd.Dir = s.dir
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			t.Fatal("no code")
		}
		if _, err := s.srv.EnterCode(t.Context(), lines.Text(), acc); err != nil {
			t.Errorf("the code %q is not taken: %v", lines.Text(), err)
		}
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), "linked as spare") || cmd.Wait() != nil {
			t.Errorf("got %q", lines.Text())
		}
	})
	for _, c := range []struct {
		name, says string
		code       int
		args       []string
		refuse     whatsapptest.Refusal
	}{
		{"no terminal", "there is no terminal to draw the code on: give --qr text, --qr FILE.png or --code NUMBER", exitUsage, nil, whatsapptest.Refusal{}},
		{"two ways", "give one of --qr and --code", exitUsage, []string{"--qr", "text", "--code", "1"}, whatsapptest.Refusal{}},
		{"no number", "give it with --code NUMBER", exitFailed, []string{"--code"}, whatsapptest.Refusal{}},
		{"Telegram's flags", "are for Telegram", exitUsage, []string{"--code-from", "x"}, whatsapptest.Refusal{}},
		{"locked out", "WhatsApp locked account third out until", exitFailed, []string{"--qr", "text"}, whatsapptest.Refusal{Reason: 402, Code: 101, Expire: time.Hour}},
		{"outdated", "muhafiz login whatsapp third --latest-version", exitFailed, []string{"--qr", "text"}, whatsapptest.Refusal{Reason: 405}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.refuse.Reason != 0 {
				s.srv.Refuse(c.refuse, 1)
			}
			name := "third"
			b, err := os.ReadFile(filepath.Join(s.dir, "muhafiz.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(s.dir, "third.yaml"), bytes.Replace(b, []byte("{name: spare}"), []byte("{name: third}"), 1), 0o600); err != nil {
				t.Fatal(err)
			}
			r := s.run(append([]string{"-c", "third.yaml", "login", "whatsapp", name}, c.args...)...).want(t, c.code, c.name)
			if !strings.Contains(r.err, c.says) {
				t.Errorf("got %s", r.err)
			}
		})
	}
	if r := s.run("login", "whatsapp", "nobody", "--qr", "text").want(t, exitFailed, "no such account"); !strings.Contains(r.err, `no WhatsApp account "nobody"`) {
		t.Errorf("got %s", r.err)
	}
	if r := s.run("login", "whatsapp", "main", "--latest-version").want(t, 0, "version"); !strings.Contains(r.out, "WhatsApp serves version 2.") {
		t.Errorf("got %s", r.out)
	}
}

// TestKilledMidHistory kills the daemon with SIGKILL while it reads a long history, again and again, and then counts: nothing is lost, nothing
// twice, and each kill is a gap or none at all but never a takedown. It prints all that the platform was ever asked.
func TestKilledMidHistory(t *testing.T) {
	s := newWaSite(t)
	const posts = 3000
	s.ch.Fill(posts, func(i int) whatsapptest.Post { return whatsapptest.Post{Text: fmt.Sprintf("Simulated post %d.", i)} })
	s.ch.Post(whatsapptest.Post{Text: "Simulated picture", Media: &whatsapptest.Media{Kind: "image", MIME: "image/png", Bytes: []byte("not quite a picture")}})
	s.link("main", s.acc)
	s.srv.SetPageLimit(50)
	s.srv.Latency(15 * time.Millisecond)
	kills, log := 0, []string(nil)
	for want := 5; kills < 4; want += 3 {
		before := s.srv.CallCount("newsletter.messages")
		var errs bytes.Buffer
		cmd := exec.Command(s.muhafiz, "run")
		cmd.Dir, cmd.Stderr = s.dir, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := s.srv.WaitCalls(ctx, "newsletter.messages", before+want); err != nil {
			t.Fatalf("no page was asked for: %v\n%s", err, errs.String())
		}
		cancel()
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		kills++
		if st := s.status(); st.Targets[0].Versions >= posts {
			t.Fatalf("kill %d came after the history was read: %+v", kills, st)
		}
		log = grown(t, s.muhafiz, s.dir, log)
	}
	s.srv.Latency(0)
	var errs bytes.Buffer
	cmd := exec.Command(s.muhafiz, "run")
	cmd.Dir, cmd.Stderr = s.dir, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		st := s.status()
		if st.Running && len(st.Targets) == 1 && st.Targets[0].Versions >= posts+1 && st.Targets[0].Files == 1 {
			if st.Targets[0].Versions != posts+1 || st.Targets[0].Gone != 0 {
				t.Errorf("got %+v", st.Targets)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not all was collected: %+v", st)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("stop: %v\n%s", err, errs.String())
	}
	s.run("fsck", "vault").want(t, 0, "fsck")
	t.Logf("%d kills, %d posts, each once", kills, posts+1)
	everySent(t, s.srv)
}

// everySent prints the list of everything that a server was ever sent, and holds it against what an observer may send.
func everySent(t *testing.T, srv *whatsapptest.Server) {
	t.Helper()
	asks := []string{"mex.info", "mex.follow", "mex.unfollow", "newsletter.messages", "newsletter.live_updates", "media", "media_conn"}
	upkeep := []string{
		"login", "register", "ping", "ack.message", "ack.notification", "ack.receipt", "iq.result", "iq.error", "encrypt.count", "encrypt.set", "encrypt.digest",
		"passive.active", "page", "md.pair-device-sign", "md.remove-companion-device", "md.link_code_companion_reg",
	}
	kinds := srv.Kinds()
	var list []string
	for kind, n := range kinds {
		what := "NOT ALLOWED"
		switch {
		case slices.Contains(asks, kind):
			what = "asked by an observing source"
		case slices.Contains(upkeep, kind):
			what = "login, keys and keep-alive of the library"
		default:
			t.Errorf("%s was sent", kind)
		}
		list = append(list, fmt.Sprintf("%-28s %6d  %s", kind, n, what))
	}
	slices.Sort(list)
	t.Logf("everything that WhatsApp was ever sent:\n%s", strings.Join(list, "\n"))
}
