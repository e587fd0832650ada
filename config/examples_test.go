package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// loadExamples loads a copy of the shipped examples, completed by the files that a user makes.
func loadExamples(t *testing.T) (*Config, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("examples")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"secrets/telegram_app_hash", "secrets/smtp_password", "keys/bundle", "keys/log.key"} {
		writeFile(t, filepath.Join(dir, name), []byte("x\n"), 0o600)
	}
	c, err := Load(filepath.Join(dir, "muhafiz.yaml"), Options{Getenv: func(name string) string {
		return map[string]string{"MUHAFIZ_TELEGRAM_PHONE": "+10000000000"}[name]
	}})
	if err != nil {
		t.Fatalf("the examples are refused:\n%v", err)
	}
	return c, dir
}

func TestExamples(t *testing.T) {
	c, _ := loadExamples(t)
	if got, want := len(c.People), 3; got != want {
		t.Errorf("%d people, want %d", got, want)
	}
	var got []string
	for _, o := range c.Organisations {
		for _, d := range o.Designations {
			got = append(got, strings.Join([]string{o.ID, d.Authority, d.Reference, d.Date}, " | "))
			if d.Note == "" || !strings.Contains(o.Name, " ") {
				t.Errorf("%s, %s: no note on how sure it is", o.ID, d.Authority)
			}
		}
	}
	want := []string{
		"ttp | UN 1267 | QDe.132 | 2011-07-29", "ttp | US FTO and SDGT | INA 219 / EO 13224 | 2010-09-01", "ttp | UK | TA 2000 Sch. 2 | 2011-01",
		"ttp | EU | Reg. 881/2002 | 2011-07-29", "ttp | Pakistan | ATA s.11-B | 2008-08-25",
		"iskp | UN 1267 | QDe.161 | 2019-05-14", "iskp | US FTO | INA 219 | 2016-01-14", "iskp | EU | Reg. 881/2002 | 2019-05-14", "iskp | Pakistan | IS/Daesh | 2015-08",
		"bla | US SDGT | EO 13224 | 2019-07-02", "bla | US FTO | INA 219 | 2025-08-11", "bla | UK | TA 2000 Sch. 2 | 2006-07", "bla | Pakistan | ATA s.11-B | 2006-04-07",
		"blf | Pakistan | ATA s.11-B | 2010-09-08",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("designations (-want +got):\n%s", diff)
	}
	for _, x := range c.Targets {
		if !strings.Contains(x.Address.Name, "fictional") {
			t.Errorf("%s is not plainly fictional", x.Address)
		}
	}
	// As shipped, without the files that a user makes, all that is missing is said.
	if _, err := Load("examples/muhafiz.yaml", Options{NoSecrets: true}); err != nil {
		t.Errorf("as shipped: %v", err)
	}
	_, err := Load("examples/muhafiz.yaml", Options{Getenv: func(string) string { return "" }})
	if got := len(AsErrors(err)); got != 4 {
		t.Errorf("%d errors as shipped, want one for each of the 4 secrets and keys that are not:\n%v", got, err)
	}
}

func TestExamplesWarn(t *testing.T) {
	c, dir := loadExamples(t)
	var got []string
	for _, w := range c.Summary().Warnings {
		got = append(got, strings.TrimPrefix(w.At, dir+"/")+" "+w.Text)
	}
	want := []string{
		"muhafiz.yaml:106:3 nobody outside confirms the log: whoever holds its key could rewrite what no kept checkpoint covers; name a time-stamping authority",
		"organisations.yaml:101:5 blf rests on the law of a single state (Pakistan): its notices may cite that list only on that state's route, and otherwise the platform's own rules",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestSummaryText compares what people read with a golden file.
func TestSummaryText(t *testing.T) {
	c, dir := loadExamples(t)
	var b bytes.Buffer
	if err := c.Summary().Write(&b); err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(b.String(), dir+"/", "")
	golden(t, "testdata/summary.txt", got)
	j, err := json.Marshal(c.Summary())
	if err != nil || bytes.Contains(j, []byte("null")) {
		t.Errorf("JSON has null where a list belongs, %v: %s", err, j)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		writeFile(t, name, []byte(got), 0o644)
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestWarnings has each warning in one configuration that deserves it.
func TestWarnings(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile("testdata/network.pem")
	if err != nil {
		t.Fatal(err)
	}
	main, orgs, watch := string(ar.Files[0].Data), string(ar.Files[1].Data), string(ar.Files[2].Data)
	network := "telegram:\n  network: {dc: 2, address: 127.0.0.1:10443, public_key: network.pem}\n"
	smtp := "{address: mail.example.org:587, username: reports, password: {file: secrets/smtp}}"
	for _, c := range []struct{ name, main, orgs, watch, want string }{
		{"none", main, orgs, watch, ""},
		{"test network", strings.Replace(main, "telegram:\n", network, 1), orgs, watch, "muhafiz.yaml:11:12: telegram.network: points at 127.0.0.1:10443 instead of Telegram: for test networks only"},
		{"nobody approves", strings.Replace(main, "roles: [reviewer]", "roles: [analyst]", 1), orgs, watch, "muhafiz.yaml:6:3: people: no second person can approve: it takes two people who are analyst, reviewer or senior, one of them reviewer or senior; no target starts and no notice leaves until then"},
		{"one person decides", strings.Replace(main, "roles: [analyst]", "roles: [operator]", 1), orgs, strings.Replace(watch, "amina", "bilal", 1), "muhafiz.yaml:6:3: people: no second person can approve: it takes two people who are analyst, reviewer or senior, one of them reviewer or senior; no target starts and no notice leaves until then"},
		{"no TLS", strings.Replace(main, smtp, "{address: mail.example.org:25, starttls: never}", 1), orgs, watch, "muhafiz.yaml:24:50: reporter.smtp.starttls: mail leaves this machine without TLS: notices and the password can be read on the way"},
		{"perhaps TLS", strings.Replace(main, smtp, "{address: mail.example.org:25, starttls: opportunistic}", 1), orgs, watch, "muhafiz.yaml:24:50: reporter.smtp.starttls: mail goes without TLS where the server offers none, or where somebody on the way says so"},
		{"no TLS on this machine", strings.Replace(main, smtp, "{address: 127.0.0.1:25, starttls: never}", 1), orgs, watch, ""},
		{"no reporter", main[:strings.Index(main, "reporter:")] + main[strings.Index(main, "bundle:"):], orgs, watch, "muhafiz.yaml:1:1: reporter.routes: there is no route, so no notice leaves (1 of 1 targets are to be reported)"},
		{"no bundle", strings.Replace(main, "bundle: {ssh_key: keys/bundle, identity: evidence@example.org}\n", "", 1), orgs, watch, "muhafiz.yaml:1:1: bundle: nobody is named who signs bundles, so none can be built"},
		{"nobody outside", main[:strings.Index(main, "anchors:")], orgs, watch, "muhafiz.yaml:1:1: anchors: nobody outside confirms the log: whoever holds its key could rewrite what no kept checkpoint covers; name a time-stamping authority"},
		{"no account", main[:strings.Index(main, "telegram:")] + main[strings.Index(main, "reporter:"):], orgs, watch, "muhafiz.yaml:1:1: telegram.accounts: there is no Telegram account, so nothing is collected there; exports can be imported"},
		{"nothing reported", main, orgs, strings.Replace(watch, "    report: true\n", "", 1), "muhafiz.yaml:9:13: watchlists: no target says `report: true`, so no notice is drafted"},
		{"a single state", main, strings.Replace(orgs, "UN 1267", "Pakistan courts", 1), watch, "organisations.yaml:2:5: front rests on the law of a single state (Pakistan): its notices may cite that list only on that state's route, and otherwise the platform's own rules"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := layOut(t, txtar.File{Name: "muhafiz.yaml", Data: []byte(c.main)}, txtar.File{Name: "organisations.yaml", Data: []byte(c.orgs)},
				txtar.File{Name: "watchlists/a.yaml", Data: []byte(c.watch)}, txtar.File{Name: "network.pem", Data: pem}, txtar.File{Name: "keys/log", Data: []byte("x")})
			cfg, err := loadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range cfg.Summary().Warnings {
				line := strings.TrimPrefix(w.At, dir+"/") + ": "
				if w.Path != "" {
					line += w.Path + ": "
				}
				got = append(got, line+w.Text)
			}
			if got := strings.Join(got, "\n"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	t.Run("no log key", func(t *testing.T) {
		c := mustLoad(t)
		if w := c.Summary().Warnings; len(w) != 1 || w[0].Path != "log_key" {
			t.Errorf("got %v", w)
		}
	})
}
