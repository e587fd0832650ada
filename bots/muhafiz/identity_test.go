package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// TestConfirmAndCoverageBesideADaemon has a target's name taken by another channel while a daemon runs: coverage names the gap, and two
// people have the other channel collected, without the daemon being started again.
func TestConfirmAndCoverageBesideADaemon(t *testing.T) {
	muhafiz := program(t)
	world := telegramtest.NewWorld(time.Now)
	fill := func(ch *telegramtest.Channel, n int) *telegramtest.Channel {
		ch.Fill(n, func(i int) telegramtest.Post { return telegramtest.Post{Text: fmt.Sprintf("Simulated post %d.", i)} })
		return ch
	}
	fill(world.AddChannel(telegramtest.Profile{Username: "northhaven_front_sim", Title: "Northhaven Front (simulated)"}), 5)
	other := fill(world.AddChannel(telegramtest.Profile{Username: "northhaven_other_sim", Title: "Another channel (simulated)"}), 7)
	server, err := telegramtest.Serve(t.Context(), world, telegramtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, server)
	dir := approvedSite(t, muhafiz, "https://t.me/northhaven_front_sim")
	for name, text := range map[string]string{
		"server.pem": string(server.PublicKeyPEM()), "hash": telegramtest.AppHash + "\n", "phone": telegramtest.DefaultAccount().Phone + "\n",
		"code": telegramtest.DefaultAccount().Code + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	appendTo(t, dir, "muhafiz.yaml", fmt.Sprintf(`session_key: session.age
telegram:
  accounts: [{name: main, app_id: %d, app_hash: {file: hash}, phone: {file: phone}}]
  poll_every: 100ms
  recheck_every: 1s
  network: {dc: %d, address: "%s", public_key: server.pem}
`, telegramtest.AppID, server.DC(), server.Addr()))
	run(t, dir, muhafiz, "login", "telegram", "main", "--code-from", "code").want(t, 0, "login")

	var log bytes.Buffer
	beside := exec.Command(muhafiz, "run")
	beside.Dir, beside.Stderr = dir, &log
	if err := beside.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = beside.Process.Signal(syscall.SIGTERM)
		if err := beside.Wait(); err != nil {
			t.Errorf("stop: %v\n%s", err, log.String())
		}
	})
	until := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !holds(); {
			if time.Now().After(deadline) {
				t.Fatalf("waited in vain for %s", what)
			}
		}
	}
	versions := func(n int) func() bool {
		return func() bool {
			var st struct{ Targets []struct{ Versions int } }
			r := run(t, dir, muhafiz, "status", "--json")
			return r.code == 0 && json.Unmarshal([]byte(r.out), &st) == nil && len(st.Targets) == 1 && st.Targets[0].Versions == n
		}
	}
	until("the channel", versions(5))
	r := run(t, dir, muhafiz, "coverage", "--target", "channel").want(t, 0, "coverage beside a daemon")
	if !strings.Contains(r.out, "channel") || strings.Contains(r.out, "identity-changed") {
		t.Errorf("coverage before:\n%s", r.out)
	}
	run(t, dir, muhafiz, "coverage", "--target", "nobody").want(t, exitFailed, "the coverage of no target")

	world.MoveUsername("northhaven_front_sim", other)
	until("the gap", func() bool {
		var c daemon.CoverageReport
		r := run(t, dir, muhafiz, "coverage", "--target", "channel", "--json").want(t, 0, "coverage as JSON")
		if err := json.Unmarshal([]byte(r.out), &c); err != nil || len(c.Targets) != 1 {
			t.Fatalf("coverage: %v\n%s", err, r.out)
		}
		for _, g := range c.Targets[0].Gaps {
			if g.Cause == "identity-changed" {
				return true
			}
		}
		return false
	})
	if r := run(t, dir, muhafiz, "coverage", "--target", "channel").want(t, 0, "coverage"); !strings.Contains(r.out, "identity-changed") {
		t.Errorf("coverage names no gap:\n%s", r.out)
	}
	id := strconv.FormatInt(other.ID(), 10)
	if r := run(t, dir, muhafiz, "watch", "show", "channel").want(t, 0, "show"); !strings.Contains(r.out, id) {
		t.Errorf("the other channel's number is not shown:\n%s", r.out)
	}
	confirm := func(number string) ran {
		return run(t, dir, muhafiz, "watch", "confirm", "channel", "--channel", number, "--as", "amna", "--key", "amna", "--comment", "the same people say so (simulated)")
	}
	confirm("4711").want(t, exitFailed, "a channel that no finding names")
	confirm(id).want(t, 0, "confirm beside a daemon")
	if versions(7)() {
		t.Error("the other channel was read on one person's word")
	}
	run(t, dir, muhafiz, "watch", "approve", "channel", "--as", "amna", "--key", "amna").want(t, exitFailed, "the same person's approval")
	run(t, dir, muhafiz, "watch", "approve", "channel", "--as", "bilal", "--key", "bilal").want(t, 0, "approve anew")
	until("the other channel", versions(7))
}
