package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// TestLoginAndRunOnATestNetwork points the program at a Telegram server in another process by nothing but its configuration.
// closed ends a server, and says what reached it that may not.
func closed(t *testing.T, server *telegramtest.Server) {
	t.Helper()
	server.Close()
	if m := server.Strangers(telegram.Methods(), telegram.LoginMethods()); len(m) > 0 {
		t.Errorf("muhafiz called %v", m)
	}
}

func TestLoginAndRunOnATestNetwork(t *testing.T) {
	muhafiz := program(t)
	world := telegramtest.NewWorld(time.Now)
	ch := world.AddChannel(telegramtest.Profile{Username: "northhaven_front_sim", Title: "Northhaven Front (simulated)"})
	const posts = 230
	for i := range posts {
		ch.Post(telegramtest.Post{Text: fmt.Sprintf("Simulated post %d.", i)})
	}
	world.AddChannel(telegramtest.Profile{Username: "northhaven_group_sim", Title: "A group (simulated)", Kind: telegramtest.Megagroup})
	server, err := telegramtest.Serve(t.Context(), world, telegramtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, server)

	dir := approvedSite(t, muhafiz, "https://t.me/s/northhaven_front_sim")
	for name, text := range map[string]string{
		"server.pem": string(server.PublicKeyPEM()), "hash": telegramtest.AppHash + "\n",
		"phone": telegramtest.DefaultAccount().Phone + "\n", "wrong": "00000\n", "code": telegramtest.DefaultAccount().Code + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	appendTo(t, dir, "muhafiz.yaml", fmt.Sprintf(`session_key: session.age
telegram:
  accounts: [{name: main, app_id: %d, app_hash: {file: hash}, phone: {file: phone}}]
  poll_every: 100ms
  network: {dc: %d, address: "%s", public_key: server.pem}
`, telegramtest.AppID, server.DC(), server.Addr()))
	appendTo(t, dir, "list.yaml", "  - {id: group, address: 't.me/northhaven_group_sim', organisation: stand-in, affiliation: {basis: test, citation: {title: test, url: 'https://example.org/'}}, listed_by: amna, collect: {mode: poll}}\n")

	if r := run(t, dir, muhafiz, "check").want(t, 0, "check"); !strings.Contains(r.out, "for test networks only") {
		t.Errorf("check does not warn about the network:\n%s", r.out)
	}
	if r := run(t, dir, muhafiz, "login", "telegram", "main", "--code-from", "wrong").want(t, exitFailed, "a wrong code"); !strings.Contains(r.err, "the code is wrong") {
		t.Errorf("a wrong code: %s", r.err)
	}
	run(t, dir, muhafiz, "login", "telegram", "main", "--code-from", "code").want(t, 0, "login")
	run(t, dir, muhafiz, "watch", "sign", "group", "--as", "amna", "--key", "amna").want(t, 0, "sign")
	run(t, dir, muhafiz, "watch", "approve", "group", "--as", "bilal", "--key", "bilal").want(t, 0, "approve")

	var log bytes.Buffer
	daemon := exec.Command(muhafiz, "run")
	daemon.Dir, daemon.Stderr = dir, &log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	var st struct {
		Targets []struct {
			ID       string
			Versions int
			Gaps     int
		}
	}
	collected := func() bool {
		r := run(t, dir, muhafiz, "status", "--json")
		return r.code == 0 && json.Unmarshal([]byte(r.out), &st) == nil && len(st.Targets) == 2 && st.Targets[0].Versions >= posts && st.Targets[1].Gaps > 0
	}
	for deadline := time.Now().Add(time.Minute); !collected(); {
		if time.Now().After(deadline) {
			t.Fatalf("not collected: %+v\n%s", st, log.String())
		}
	}
	if err := daemon.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := daemon.Wait(); err != nil {
		t.Errorf("stop: %v\n%s", err, log.String())
	}
	if st.Targets[0].Versions != posts || st.Targets[1].Versions != 0 {
		t.Errorf("collected %+v, want %d posts of the channel and none of the group", st.Targets, posts)
	}
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
	if b, err := os.ReadFile(filepath.Join(dir, "vault", "sessions", "telegram-main.age")); err != nil || !bytes.HasPrefix(b, []byte("age-encryption.org")) {
		t.Errorf("the session is not sealed: %v", err)
	}
}

// TestLoginWays logs in without a keyboard: by a program's answer, by a QR code as text, and by one as a picture.
func TestLoginWays(t *testing.T) {
	muhafiz := program(t)
	acc := telegramtest.Account{Phone: "+10005550160", Code: "4242", Password: " two  words "}
	server, err := telegramtest.Serve(t.Context(), telegramtest.NewWorld(time.Now), telegramtest.Options{Accounts: []telegramtest.Account{acc}})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, server)
	dir := approvedSite(t, muhafiz, "https://t.me/s/northhaven_front_sim")
	for name, text := range map[string]string{
		"server.pem": string(server.PublicKeyPEM()), "hash": "loopback", "phone": acc.Phone, "password": acc.Password + "\n",
		"answer": "#!/bin/sh\necho " + acc.Code + "\n", "proxy": "socks5://u:hush@127.0.0.1:0",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	const account = "session_key: session.age\ntelegram:\n  accounts: [{name: main, app_id: 1, app_hash: {file: hash}, phone: {file: phone}%s}]\n  network: {dc: 2, address: %q, public_key: server.pem}\n"
	before, err := os.ReadFile(filepath.Join(dir, "muhafiz.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, dir, "muhafiz.yaml", fmt.Sprintf(account, ", proxy: {file: proxy}", server.Addr()))
	if err := os.Chmod(filepath.Join(dir, "proxy"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hash", "phone"} {
		if err := os.Chmod(filepath.Join(dir, secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r := run(t, dir, muhafiz, "check").want(t, exitUsage, "a proxy without a port"); !strings.Contains(r.err, "telegram.accounts[0].proxy") || strings.Contains(r.err, "hush") {
		t.Errorf("got %s", r.err)
	}
	if err := os.WriteFile(filepath.Join(dir, "muhafiz.yaml"), before, 0o600); err != nil {
		t.Fatal(err)
	}
	appendTo(t, dir, "muhafiz.yaml", fmt.Sprintf(account, "", server.Addr()))
	login := []string{"login", "telegram", "main", "--anew", "--password-file", "password"}
	r := run(t, dir, muhafiz, append(login, "--code-from", "cmd:"+filepath.Join(dir, "answer"))...).want(t, 0, "login by a program")
	if !strings.Contains(r.err, "the code comes by a message in the Telegram app") || server.LoggedIn() != 1 {
		t.Errorf("got %s, %s", r.out, r.err)
	}
	run(t, dir, muhafiz, append(login, "--qr", "picture")...).want(t, exitUsage, "an unknown way")

	server.Revoke()
	cmd := exec.Command(muhafiz, append(login, "--qr", "text")...)
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || server.ScanQR(lines.Text(), acc.Phone) != nil {
		t.Errorf("the link %q is not taken", lines.Text())
	}
	if !lines.Scan() || !strings.Contains(lines.Text(), "logged in as main") {
		t.Errorf("got %q", lines.Text())
	}
	if err := cmd.Wait(); err != nil || server.LoggedIn() != 1 {
		t.Errorf("%v, %d logged in", err, server.LoggedIn())
	}
}

func TestAPictureOfALinkIsOne(t *testing.T) {
	var out bytes.Buffer
	dir := t.TempDir()
	s := &session{out: &out, err: &out}
	file := filepath.Join(dir, "code.png")
	for how, sign := range map[string]string{"terminal": "\u2580", file: "wrote", "text": "tg://login?token=c2ltdWxhdGVk"} {
		show, err := s.showQR(how, "Scan this.")
		if err != nil {
			t.Fatal(err)
		}
		if err := show("tg://login?token=c2ltdWxhdGVk", time.Now()); err != nil || !strings.Contains(out.String(), sign) {
			t.Errorf("%s: %v", how, err)
		}
		out.Reset()
	}
	st, err := os.Stat(file)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the picture is not private: %v, %v", st, err)
	}
	b, err := os.ReadFile(file)
	if img, _, derr := image.DecodeConfig(bytes.NewReader(b)); err != nil || derr != nil || img.Width < 100 {
		t.Errorf("got %+v, %v, %v", img, err, derr)
	}
}

func TestQRMayStandAlone(t *testing.T) {
	for in, want := range map[string]string{
		"login telegram main --qr": "login telegram main --qr=terminal", "login --qr --anew telegram main": "login --qr=terminal --anew telegram main",
		"login telegram main --qr text": "login telegram main --qr text",
	} {
		if got := strings.Join(bareQR(strings.Fields(in)), " "); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
}
