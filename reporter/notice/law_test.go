package notice_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
)

// TestTableGolden holds every answer of the table; a change of the law as data shows here, cell by cell.
func TestTableGolden(t *testing.T) {
	var b strings.Builder
	for _, r := range notice.Table() {
		answer := "refused"
		if r.Allowed {
			answer = "allowed"
		}
		b.WriteString(strings.TrimRight(strings.Join([]string{r.Kind, string(r.Ground), r.Notifier.String(), answer, r.Sentence}, " | "), " |") + "\n")
	}
	path := filepath.Join("testdata", "admissible.txt")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// The rules of the facts, said again without the data.
func TestAdmissible(t *testing.T) {
	ordinary, pk, us, de := notice.Notifier{}, notice.Notifier{Status: "authority", Country: "PK"}, notice.Notifier{Status: "authority", Country: "US"}, notice.Notifier{Status: "authority", Country: "DE"}
	for _, c := range []struct {
		kind     string
		grounds  []notice.Ground
		n        notice.Notifier
		ok       bool
		sentence string
	}{
		{"dsa-art16", []notice.Ground{"designation/PK"}, ordinary, false, "Union or member-state law"},
		{"dsa-art16", []notice.Ground{"designation/UN", "designation/US", "rules"}, ordinary, false, "Union or member-state law"},
		{"dsa-art16", []notice.Ground{"designation/UN", "designation/EU"}, ordinary, true, ""},
		{"dsa-art16", []notice.Ground{"designation/PK", "offence/EU"}, ordinary, true, "Pakistan alone"},
		{"dsa-art16", []notice.Ground{"designation/FR"}, ordinary, true, "France alone"},
		{"tco-referral", []notice.Ground{"offence/EU"}, ordinary, false, "competent authority of an EU member state"},
		{"tco-referral", []notice.Ground{"offence/EU"}, pk, false, "competent authority of an EU member state"},
		{"tco-referral", []notice.Ground{"offence/EU"}, de, true, ""},
		{"tco-referral", []notice.Ground{"designation/EU"}, de, false, "five headings"},
		{"preservation", []notice.Ground{"rules"}, ordinary, false, "voluntary-preservation"},
		{"preservation", []notice.Ground{"rules"}, pk, false, "voluntary-preservation"},
		{"preservation", []notice.Ground{"rules"}, us, true, ""},
		{"voluntary-preservation", []notice.Ground{"rules"}, ordinary, true, ""},
		{"pakistan-complaint", []notice.Ground{"designation/GB"}, pk, false, "ATA s.11-B"},
		{"pakistan-complaint", []notice.Ground{"designation/UN", "designation/PK"}, ordinary, true, "counsel"},
		{"uk-referral", []notice.Ground{"designation/PK"}, ordinary, false, "UK proscription"},
		{"platform-rules", []notice.Ground{"designation/PK", "rules"}, ordinary, true, "Pakistan alone"},
		{"platform-rules", []notice.Ground{"designation/PK", "designation/US", "rules"}, ordinary, true, ""},
		{"platform-rules", nil, ordinary, false, "needs a ground"},
		{"correction", nil, ordinary, true, ""},
		{"removal-order", []notice.Ground{"rules"}, ordinary, false, "no kind of notice"},
		{"platform-rules", []notice.Ground{"rules"}, notice.Notifier{Status: "police"}, false, "no status"},
	} {
		ok, sentence := notice.Admissible(c.kind, c.grounds, c.n)
		if ok != c.ok || !strings.Contains(sentence, c.sentence) || c.sentence == "" && sentence != "" {
			t.Errorf("%s on %v by %s: %t, %q", c.kind, c.grounds, c.n, ok, sentence)
		}
	}
}

func TestJurisdictionOf(t *testing.T) {
	for text, want := range map[string]string{
		"UN 1267": "UN", "un": "UN", "United Nations Security Council": "UN", "EU": "EU", "UK": "GB", "United Kingdom, Home Office": "GB",
		"US FTO and SDGT": "US", "US": "US", "Pakistan": "PK", "Pakistan (NACTA)": "PK", "France": "FR", "the netherlands": "NL",
		"UNRWA": "other", "EUROPOL": "other", "Republic of Exampleland": "other", "": "other", "  ": "other", "United": "other", "\u202eUN": "other",
	} {
		if got := notice.JurisdictionOf(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestSingleState(t *testing.T) {
	for want, lists := range map[string][][]notice.Ground{
		"PK":    {{"designation/PK", "rules"}, {"designation/PK", "designation/other"}, {"designation/other", "designation/PK"}},
		"other": {{"designation/other"}, {"designation/other", "designation/other", "offence/EU"}},
		"":      {nil, {"rules"}, {"designation/PK", "designation/UN"}, {"designation/EU"}, {"designation/PK", "designation/US"}, {"designation/other", "designation/PK", "designation/GB"}},
	} {
		for _, l := range lists {
			if got := notice.SingleState(l); got != want {
				t.Errorf("%v: got %q, want %q", l, got, want)
			}
		}
	}
}

// The data must use no word that the code does not know, and every kind must be whole.
func TestLawIsWhole(t *testing.T) {
	for _, code := range notice.Kinds() {
		k, ok := notice.LawOf(code)
		if !ok || k.Title == "" || k.Basis == "" || k.Addressee == "" || k.Action == "" || k.Statement == "" || len(k.RestsOn) == 0 || !slices.Contains(k.Languages, "en") {
			t.Errorf("%s: %+v", code, k)
		}
		if len(k.Countries) > 0 && k.NotSender == "" || !slices.ContainsFunc(k.RestsOn, func(b notice.Basis) bool { return b.Ground == "any" || b.Ground == "designation" }) && k.NoGround == "" {
			t.Errorf("%s refuses without a reason", code)
		}
		empty := notice.New("V", "R", "telegram", code, date, notice.Letterhead{}, []notice.Item{{Case: "c1", Passages: []notice.Passage{{Exhibit: 1}}}})
		empty.Sender.GoodFaith = ""
		if got := empty.Missing(); len(got) != len(k.Required) {
			t.Errorf("%s requires %v and misses %v of an empty notice", code, k.Required, got)
		}
	}
	for offence, eu := range map[string]bool{
		"incites": true, "solicits_act": true, "solicits_participation": true, "instructs": true, "threatens": true, "claims": false, "glorifies": false, "fundraises": false,
	} {
		if got := len(notice.GroundsOf(nil, []notice.Passage{{Offence: offence}})) == 1; got != eu || notice.OffenceSays(offence) == offence {
			t.Errorf("%s: an EU heading: %t, says %q", offence, got, notice.OffenceSays(offence))
		}
	}
}

// Law that does not carry a notice is not cited in it.
func TestCited(t *testing.T) {
	all := []evidence.Designation{{Authority: "UN 1267"}, {Authority: "EU"}, {Authority: "Pakistan", Note: "Recalled, not confirmed."}, {Authority: "Germany"}}
	for kind, want := range map[string]string{
		"platform-rules": "UN 1267,EU,Pakistan,Germany", "dsa-art16": "EU,Germany", "pakistan-complaint": "Pakistan", "tco-referral": "", "preservation": "",
	} {
		k, _ := notice.LawOf(kind)
		var got []string
		for _, d := range k.Cited(all) {
			got = append(got, d.Authority)
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%s cites %v, want %s", kind, got, want)
		}
	}
	k, _ := notice.LawOf("pakistan-complaint")
	counsel := strings.Join(k.Counsel([]notice.Ground{"designation/PK"}, k.Cited(all)), "\n")
	if !strings.Contains(counsel, "verify with counsel: which fields") || !strings.Contains(counsel, "verify with counsel: Pakistan, : Recalled") {
		t.Errorf("counsel: %q", counsel)
	}
}

func TestNamesOf(t *testing.T) {
	it := items()[0]
	it.Affiliation = "stated by BILAL\u00a0Khan-Example in a memo"
	it.Passages[0].Quote = "a post that names Amna Example"
	if got := it.NamesOf([]string{"Amna Example", "", "Bilal Khan"}); got != "Bilal Khan" {
		t.Errorf("got %q", got)
	}
	if got := it.NamesOf([]string{"Amna Example", "Bil", " - "}); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestRedress(t *testing.T) {
	wrong := notice.Wrong{
		Reference: "REF", MessageID: "m@example.org", Title: "Notice REF: 1 account", Sent: evidence.At(date), Tickets: []string{"T-\u202e1"},
		Cases: []evidence.Ordinal{"c1"}, Accounts: []notice.Account{items()[0].Account},
	}
	for kind, want := range map[string]string{"correction": "Correction NEW: our notice REF", "withdrawal": "Withdrawal NEW: our notice REF"} {
		r := notice.NewRedress("V", "NEW", "telegram", kind, date.Add(time.Hour), head(), wrong, "it is a journalist's\r\nBcc: x")
		if r.Title() != want {
			t.Errorf("got %q", r.Title())
		}
		text := r.Text()
		for _, s := range []string{"telegram channel 1234", "m@example.org", "T-<U+202E>1", "<U+000D><U+000A>Bcc", "corrections@example.org", "c1 of the log V"} {
			if !strings.Contains(text, s) {
				t.Errorf("%s says no %q:\n%s", kind, s, text)
			}
		}
		b, err := r.Machine()
		if err != nil || !json.Valid(b) {
			t.Errorf("%v", err)
		}
	}
}

func FuzzJurisdictionOf(f *testing.F) {
	f.Add("UN 1267")
	f.Add("the\u00a0Netherlands,x")
	f.Fuzz(func(t *testing.T, s string) {
		if notice.JurisdictionOf(s) == "" {
			t.Fatal("an authority of nobody")
		}
	})
}

func FuzzReadMachine(f *testing.F) {
	f.Add([]byte(`{"items":[{"case":"c1"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := notice.ReadMachine(b); err != nil && err.Error() == "" {
			t.Fatal("an error without a word")
		}
	})
}
