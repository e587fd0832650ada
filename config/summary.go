package config

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Summary is what `muhafiz check` says of a configuration that is without error. It holds no secret.
type Summary struct {
	Vault         string                `json:"vault"`
	LegalBasis    string                `json:"legal_basis"`
	Sealed        bool                  `json:"sealed"`    // bodies, raw bytes and media, at rest
	Retention     string                `json:"retention"` // its terms, in words
	Space         string                `json:"space"`     // the limits of free room, in words
	Files         []FileSummary         `json:"files"`
	People        []PersonSummary       `json:"people"`
	Organisations []OrganisationSummary `json:"organisations"`
	Targets       []TargetSummary       `json:"targets"`
	Accounts      []string              `json:"accounts"` // PLATFORM/NAME
	Schedule      string                `json:"schedule,omitempty"`
	Routes        []RouteSummary        `json:"routes"`
	Warnings      []Warning             `json:"warnings"`
}

// FileSummary is a file as it was read.
type FileSummary struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// PersonSummary is a person and their key.
type PersonSummary struct {
	ID          string   `json:"id"`
	Roles       []string `json:"roles"`
	KeyType     string   `json:"key_type"`
	Fingerprint string   `json:"fingerprint"`
}

// OrganisationSummary is an organisation, who designates it and how many targets are said to be its own.
type OrganisationSummary struct {
	ID           string               `json:"id"`
	Name         string               `json:"name"`
	Designations []DesignationSummary `json:"designations"`
	Targets      []PlatformCount      `json:"targets"`
}

// DesignationSummary is one listing.
type DesignationSummary struct {
	Authority string `json:"authority"`
	Reference string `json:"reference"`
	Date      string `json:"date"`
	Note      string `json:"note,omitempty"`
}

// PlatformCount is a number of targets on a platform.
type PlatformCount struct {
	Platform string `json:"platform"`
	Targets  int    `json:"targets"`
	Reported int    `json:"reported"` // of them, those whose approved cases may become notices
}

// TargetSummary is a target.
type TargetSummary struct {
	ID           string `json:"id"`
	Platform     string `json:"platform"`
	Address      string `json:"address"`
	Organisation string `json:"organisation"`
	Report       bool   `json:"report"`
	ListedBy     string `json:"listed_by"`
	File         string `json:"file"`
	ListedOnly   bool   `json:"listed_only,omitempty"` // there is no collector for its platform
}

// RouteSummary is where notices for a platform go.
type RouteSummary struct {
	Platform string   `json:"platform"`
	Kind     string   `json:"kind"` // of notice; see RouteKinds
	To       []string `json:"to,omitempty"`
	Outbox   string   `json:"outbox,omitempty"`
}

// Warning is something that is allowed and probably not meant.
type Warning struct {
	At   string `json:"at"` // file:line:col
	Path string `json:"path,omitempty"`
	Text string `json:"text"`
}

// Summary summarises the configuration and warns.
func (c *Config) Summary() Summary {
	s := Summary{
		Vault: c.Vault, LegalBasis: c.LegalBasis, Sealed: c.VaultKey != nil, Retention: c.Retention.sentence(), Space: c.Space.sentence(),
		Files: []FileSummary{}, People: []PersonSummary{}, Organisations: []OrganisationSummary{}, Targets: []TargetSummary{},
		Accounts: []string{}, Routes: []RouteSummary{},
	}
	for _, f := range c.Files {
		s.Files = append(s.Files, FileSummary{f.Name, hex.EncodeToString(f.SHA256[:])})
	}
	for _, p := range c.People {
		s.People = append(s.People, PersonSummary{p.ID, p.Roles, p.SSHKey.Type, p.SSHKey.Fingerprint})
	}
	for _, o := range c.Organisations {
		s.Organisations = append(s.Organisations, c.summariseOrganisation(o))
	}
	for _, t := range c.Targets {
		s.Targets = append(s.Targets, TargetSummary{t.ID, t.Address.Platform, t.Address.Canonical, t.Organisation, t.Report, t.ListedBy, t.File, !Collectable(t.Address.Platform)})
	}
	for _, a := range c.Telegram.Accounts {
		s.Accounts = append(s.Accounts, PlatformTelegram+"/"+a.Name)
	}
	for _, a := range c.WhatsApp.Accounts {
		s.Accounts = append(s.Accounts, PlatformWhatsApp+"/"+a.Name)
	}
	if r := c.Reporter; r != nil {
		s.Schedule = r.Schedule
		for _, x := range r.Routes {
			rs := RouteSummary{Platform: x.Platform, Kind: x.Kind, Outbox: x.Outbox}
			if x.Mail != nil {
				rs.To = x.Mail.To
			}
			s.Routes = append(s.Routes, rs)
		}
	}
	s.Warnings = c.warnings()
	return s
}

func (c *Config) summariseOrganisation(o Organisation) OrganisationSummary {
	s := OrganisationSummary{ID: o.ID, Name: o.Name, Targets: []PlatformCount{}}
	for _, d := range o.Designations {
		s.Designations = append(s.Designations, DesignationSummary{d.Authority, d.Reference, d.Date, d.Note})
	}
	for _, t := range c.Targets {
		if t.Organisation != o.ID {
			continue
		}
		i := slices.IndexFunc(s.Targets, func(p PlatformCount) bool { return p.Platform == t.Address.Platform })
		if i < 0 {
			i = len(s.Targets)
			s.Targets = append(s.Targets, PlatformCount{Platform: t.Address.Platform})
		}
		s.Targets[i].Targets++
		if t.Report {
			s.Targets[i].Reported++
		}
	}
	return s
}

func (c *Config) warnings() []Warning {
	w := []Warning{}
	add := func(path, format string, args ...any) {
		w = append(w, Warning{c.Position(path).String(), path, fmt.Sprintf(format, args...)})
	}
	if c.Telegram.Network != nil {
		add("telegram.network", "points at %s instead of Telegram: for test networks only", c.Telegram.Network.Address)
	}
	if c.noLogKey {
		add("log_key", "there is no file %s yet; the vault cannot be opened without it", c.LogKey)
	}
	c.warnPeople(add)
	c.warnAccounts(add)
	if c.Alerts == nil && c.firstPlatform() != "" {
		add("alerts", "nobody is told when an account is lost or a target is no longer seen; `muhafiz status` says so to whoever asks")
	}
	if len(c.Anchors.Authorities) == 0 && len(c.Anchors.Witnesses) == 0 {
		add("anchors", "nobody outside confirms the log: whoever holds its key could rewrite what no kept checkpoint covers; name a time-stamping authority")
	}
	if c.Bundle == nil {
		add("bundle", "nobody is named who signs bundles, so none can be built")
	}
	c.warnReporter(add)
	for _, o := range c.Organisations {
		if state := onlyState(o.Designations); state != "" {
			w = append(w, Warning{o.Pos.String(), "", fmt.Sprintf("%s rests on the law of a single state (%s): its notices may cite that list only on that state's route, and otherwise the platform's own rules", o.ID, state)})
		}
	}
	return w
}

// warnAccounts says where targets have no account, or one that cannot be done without.
func (c *Config) warnAccounts(add func(path, format string, args ...any)) {
	on := map[string]bool{}
	for _, t := range c.Targets {
		on[t.Address.Platform] = true
	}
	if on[PlatformTelegram] && len(c.Telegram.Accounts) == 0 {
		add("telegram.accounts", "there is no Telegram account, so nothing is collected there; exports can be imported")
	}
	if on[PlatformWhatsApp] && len(c.WhatsApp.Accounts) == 0 {
		add("whatsapp.accounts", "there is no WhatsApp account, so nothing is collected there; exported chats can be imported once an account has read the channel")
	}
	if n := c.WhatsApp.Network; n != nil {
		add("whatsapp.network", "points at %s instead of WhatsApp: for test networks only", n.Address)
	} else if len(c.WhatsApp.Accounts) == 1 {
		add("whatsapp.accounts", "there is one number: use at least two that serve nothing else. WhatsApp locks numbers out without asking, nothing is seen while the only one is, and files are gone from its servers after about 30 days; with two, targets move to the other")
	}
}

func (c *Config) warnPeople(add func(path, format string, args ...any)) {
	decide, approve := 0, 0
	for _, p := range c.People {
		if p.CanDecide() {
			decide++
		}
		if p.CanApprove() {
			approve++
		}
	}
	if decide < 2 || approve < 1 {
		add("people", "no second person can approve: it takes two people who are analyst, reviewer or senior, one of them reviewer or senior; no target starts and no notice leaves until then")
	}
}

func (c *Config) warnReporter(add func(path, format string, args ...any)) {
	reported := 0
	for _, t := range c.Targets {
		if t.Report {
			reported++
		}
	}
	r := c.Reporter
	switch {
	case r == nil || len(r.Routes) == 0:
		add("reporter.routes", "there is no route, so no notice leaves (%d of %d targets are to be reported)", reported, len(c.Targets))
	case reported == 0 && len(c.Targets) > 0:
		add("watchlists", "no target says `report: true`, so no notice is drafted")
	}
	if r == nil || r.SMTP == nil || isLoopback(r.SMTP.Address) {
		return
	}
	switch r.SMTP.StartTLS {
	case StartTLSNever:
		add("reporter.smtp.starttls", "mail leaves this machine without TLS: notices and the password can be read on the way")
	case StartTLSOpportunistic:
		add("reporter.smtp.starttls", "mail goes without TLS where the server offers none, or where somebody on the way says so")
	}
}

// onlyState returns an authority of the one state on whose lists the designations rest, empty if there are several or the UN or EU lists too.
func onlyState(list []Designation) string {
	state, authority := "", ""
	for _, d := range list {
		j, _, _ := strings.Cut(d.Authority, " ")
		if u := strings.ToUpper(j); u == "UN" || u == "EU" || state != "" && !strings.EqualFold(j, state) {
			return ""
		}
		state, authority = j, d.Authority
	}
	return authority
}

func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}
