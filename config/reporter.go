package config

// Reporter is how approved cases become notices.
type Reporter struct {
	// Schedule is when notices go out: a cron expression of five fields, optionally after CRON_TZ=Area/City, or @every 1h.
	Schedule string `yaml:"schedule,required"`
	// OrganisationName is who we are, as notices say it.
	OrganisationName string `yaml:"organisation_name,required"`
	// CorrectionsContact is the mail address for people who were listed or reported wrongly. Every notice names it.
	CorrectionsContact string `yaml:"corrections_contact,required"`
	// Notifier is who we are before the law; it decides which kinds of notices we may send. Default ordinary.
	Notifier Notifier `yaml:"notifier"`
	// DailyCap is the largest number of notices a day and platform. Default 20: platforms stop listening to who floods them. Refusals
	// lower it: by the share that was refused of the notices answered in 90 days, and never below one.
	DailyCap int `yaml:"daily_cap"`
	// Routes say where notices for a platform go. At most one a platform. Without a route nothing is sent there.
	Routes []Route `yaml:"routes"`
	// SMTP is the mail server. Required as soon as a route has mail.
	SMTP *SMTP `yaml:"smtp"`
}

// Route is where notices for a platform go. One of Mail and Outbox is needed; both may be given.
type Route struct {
	// Platform is telegram, whatsapp, x, facebook or instagram.
	Platform string `yaml:"platform,required"`
	// Kind is the kind of notice that leaves here, such as platform-rules or dsa-art16; `muhafiz notice admissible` lists them, and
	// what each may rest on. Default platform-rules.
	Kind string `yaml:"kind"`
	// Mail sends the notice.
	Mail *Mail `yaml:"mail"`
	// Outbox is a folder into which each notice is written, for a person to carry on.
	Outbox string `yaml:"outbox"`
}

// The statuses of a notifier.
const (
	NotifierOrdinary       = "ordinary"
	NotifierTrustedFlagger = "trusted_flagger" // DSA Art. 22, awarded by a national coordinator
	NotifierAuthority      = "authority"
)

// Notifier is who sends notices.
type Notifier struct {
	// Status is ordinary, trusted_flagger or authority.
	Status string `yaml:"status"`
	// Country is whose authority: two capital letters of ISO 3166, such as PK or GB. Required of an authority, and of nobody else.
	Country string `yaml:"country"`
}

// RouteKinds lists the kinds of notices that a route can carry. Corrections go where the notice went.
func RouteKinds() []string {
	return []string{
		"platform-rules", "dsa-art16", "tco-referral", "pakistan-complaint", "uk-referral", "preservation", "voluntary-preservation",
	}
}

// Mail is a mail route.
type Mail struct {
	To   []string `yaml:"to,required"`
	From string   `yaml:"from,required"`
}

// How a connection to the mail server is secured.
const (
	StartTLSAlways        = "always"        // no TLS, no mail
	StartTLSOpportunistic = "opportunistic" // TLS where the server offers it
	StartTLSNever         = "never"         // for a server on the same machine
)

// SMTP is the mail server.
type SMTP struct {
	// Address is HOST:PORT.
	Address string `yaml:"address,required"`
	// Username and Password are given together or not at all.
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	// StartTLS is always, opportunistic or never. Default always.
	StartTLS string `yaml:"starttls"`
}

func (r *Reporter) setDefaults() { r.DailyCap = 20 }

func (s *SMTP) setDefaults() { s.StartTLS = StartTLSAlways }
