package notice

import (
	_ "embed" // law.json
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The kinds of notices that the code itself asks for; law.json holds them all.
const (
	KindPlatformRules = "platform-rules" // what an empty kind stands for
	KindCorrection    = "correction"
	KindWithdrawal    = "withdrawal"
)

// Law is who may say what to whom, as data.
type Law struct {
	Jurisdictions   []Jurisdiction `json:"jurisdictions"`
	Offences        []Offence      `json:"offences"`
	UnverifiedWords []string       `json:"unverified_words"` // in a designation's note: to be verified with counsel
	Kinds           []Kind         `json:"kinds"`
}

// Jurisdiction is whose law an authority's listing is.
type Jurisdiction struct {
	Code    string   `json:"code"` // ISO 3166, or UN, EU
	Name    string   `json:"name"`
	Names   []string `json:"names"`             // how an authority's text may begin
	Several bool     `json:"several,omitempty"` // more than one state stands behind it
	Member  bool     `json:"member,omitempty"`  // of the European Union
}

// Offence is what a passage does.
type Offence struct {
	Code string `json:"code"`
	Says string `json:"says"`
	EU   bool   `json:"eu,omitempty"` // one of the five headings of Regulation (EU) 2021/784, Annex I section B
}

// Kind is a kind of notice.
type Kind struct {
	Code       string   `json:"code"`
	Title      string   `json:"title"`
	Basis      string   `json:"basis"`
	Redress    bool     `json:"redress,omitempty"`    // puts a notice right: needs no ground, and one person sends it
	Senders    []string `json:"senders"`              // notifier statuses
	Countries  []string `json:"countries,omitempty"`  // whose authority; empty: any
	NotSender  string   `json:"not_sender,omitempty"` // what somebody else is told
	RestsOn    []Basis  `json:"rests_on"`
	NoGround   string   `json:"no_ground,omitempty"` // what is said where no ground carries it
	Cites      []string `json:"cites,omitempty"`     // grounds that it may name; absent: those that it may rest on
	Required   []string `json:"required"`            // see Missing
	Languages  []string `json:"languages"`           // that the addressee takes; the words of this package are English
	Addressee  string   `json:"addressee"`
	Action     string   `json:"action"`
	Statement  string   `json:"statement"`
	Unverified []string `json:"unverified,omitempty"` // to be verified with counsel, whatever the ground
}

// Basis is a ground that carries a kind of notice: one of Grounds, or `designation` for every listing, or `any`.
type Basis struct {
	Ground     string `json:"ground"`
	Unverified string `json:"unverified,omitempty"` // to be verified with counsel
}

//go:embed law.json
var lawFile []byte

// law is the file, read once; a build whose own file is broken fails its tests and cannot work.
var law = sync.OnceValue(func() Law {
	var l Law
	if err := json.Unmarshal(lawFile, &l); err != nil {
		panic("notice: law.json: " + err.Error())
	}
	return l
})

// LawOf returns a kind of notice by its code; empty stands for platform-rules.
func LawOf(kind string) (Kind, bool) {
	if kind == "" {
		kind = KindPlatformRules
	}
	kinds := law().Kinds
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Code == kind })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

// Kinds lists the codes of the kinds of notices.
func Kinds() []string {
	var out []string
	for _, k := range law().Kinds {
		out = append(out, k.Code)
	}
	return out
}

// OffenceSays returns an offence's words, or its code where the law does not know it.
func OffenceSays(code string) string {
	for _, o := range law().Offences {
		if o.Code == code {
			return o.Says
		}
	}
	return code
}

// Ground is what a notice may rest on: `designation/UN`, `designation/PK` …, `designation/other` for an authority that the law
// does not know, `offence/EU`, and `rules`.
type Ground string

// The grounds that are no listing.
const (
	GroundRules   Ground = "rules"
	GroundOffence Ground = "offence/EU"
	designation          = "designation"
)

// JurisdictionOf reads an authority's text, such as `UN 1267` or `US FTO`, by how it begins. An authority that the law does
// not know is `other`.
func JurisdictionOf(authority string) string {
	words := strings.FieldsFunc(strings.ToLower(authority), func(r rune) bool {
		return r == ' ' || r == ',' || r == ':' || r == '(' || r == ')' || r == '/' || r == ';' || r == '\t' || r == '\u00a0'
	})
	for _, j := range law().Jurisdictions {
		for _, name := range j.Names {
			want := strings.Fields(strings.ToLower(name))
			if len(words) >= len(want) && slices.Equal(words[:len(want)], want) {
				return j.Code
			}
		}
	}
	return "other"
}

// GroundsOf returns what a case offers, each once: the jurisdictions that list the organisation, the offences and the rules
// that its passages break.
func GroundsOf(listed []evidence.Designation, passages []Passage) []Ground {
	var out []Ground
	add := func(g Ground) {
		if !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	for _, d := range listed {
		add(Ground(designation + "/" + JurisdictionOf(d.Authority)))
	}
	for _, p := range passages {
		if slices.ContainsFunc(law().Offences, func(o Offence) bool { return o.EU && o.Code == p.Offence }) {
			add(GroundOffence)
		}
		if strings.TrimSpace(p.Rule) != "" {
			add(GroundRules)
		}
	}
	return out
}

// jurisdiction returns the ground's, or false where it is no listing or of an authority that the law does not know.
func (g Ground) jurisdiction() (Jurisdiction, bool) {
	code, ok := strings.CutPrefix(string(g), designation+"/")
	if !ok {
		return Jurisdiction{}, false
	}
	for _, j := range law().Jurisdictions {
		if j.Code == code {
			return j, true
		}
	}
	return Jurisdiction{}, false
}

// fits reports whether the ground is what a pattern of the law names.
func (g Ground) fits(pattern string) bool {
	j, known := g.jurisdiction()
	return pattern == "any" || pattern == string(g) || pattern == designation && strings.HasPrefix(string(g), designation+"/") ||
		pattern == designation+"/EU-member" && known && j.Member
}

// Says names the ground for people.
func (g Ground) Says() string {
	j, known := g.jurisdiction()
	switch {
	case known:
		return "a listing by " + j.Name
	case g == GroundRules:
		return "the platform's rules"
	case g == GroundOffence:
		return "a content offence under EU law"
	case g == designation+"/EU-member":
		return "a listing by an EU member state"
	}
	return "a listing by another state"
}

// SingleState returns the one state on whose list alone the grounds rest, by its code, or nothing where the UN, the EU or
// several states list, or nobody does. An authority that the law does not know adds no state.
func SingleState(grounds []Ground) string {
	state := ""
	for _, g := range grounds {
		if !strings.HasPrefix(string(g), designation+"/") {
			continue
		}
		j, known := g.jurisdiction()
		switch {
		case known && j.Several, known && state != "" && state != "other" && state != j.Code:
			return ""
		case known:
			state = j.Code
		case state == "":
			state = "other"
		}
	}
	return state
}
