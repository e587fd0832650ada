package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// TestLoginAndRunOnATestNetwork points the program at a Telegram server in another process by nothing but its configuration.
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
	defer server.Close()

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
	appendTo(t, dir, "list.yaml", "  - {id: group, address: 't.me/northhaven_group_sim', organisation: stand-in, affiliation: {basis: test, citation: {title: test, url: 'https://example.org/'}}, listed_by: amna}\n")

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
