package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/bots/daemon"
)

func TestPlanSaysWhatEachTargetCanExpect(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/northhaven_front_sim")
	r := run(t, dir, muhafiz, "plan").want(t, exitIncomplete, "plan without an account")
	if !strings.Contains(r.out, "target channel has no account") {
		t.Errorf("without an account: %s", r.out)
	}
	for _, name := range []string{"hash", "phone"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("12345\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	appendTo(t, dir, "muhafiz.yaml", `session_key: session.age
telegram:
  accounts:
    - {name: main, app_id: 1, app_hash: {file: hash}, phone: {file: phone}, budget: {history_per_minute: 12}}
    - {name: second, app_id: 1, app_hash: {file: hash}, phone: {file: phone}}
`)
	r = run(t, dir, muhafiz, "plan").want(t, 0, "plan")
	for _, want := range []string{"No daemon runs", "telegram/main", "telegram/second", "channel", "poll", "The budget holds", "address not yet looked up", "messages.getHistory"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("the plan does not say %q:\n%s", want, r.out)
		}
	}
	var p daemon.Planned
	r = run(t, dir, muhafiz, "plan", "--json").want(t, 0, "plan --json")
	if err := json.Unmarshal([]byte(r.out), &p); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, a := range p.Accounts {
		for _, x := range a.Targets {
			n++
			if x.Target != "channel" || x.Mode != "poll" || x.Expected <= 0 || x.Worst < x.Expected || x.Share <= 0 {
				t.Errorf("target: %+v", x)
			}
		}
	}
	if p.Running || len(p.Accounts) != 2 || n != 1 {
		t.Errorf("plan: %+v", p)
	}
}
