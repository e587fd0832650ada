package config

import "time"

// WhatsApp is how WhatsApp Channels are read.
type WhatsApp struct {
	// Accounts are our own accounts, each a number of its own that serves nothing else, used on one host only. At least two: WhatsApp
	// locks numbers out without asking, and targets then move to the other.
	Accounts []WhatsAppAccount `yaml:"accounts"`
	// Version is the version of WhatsApp's web client that our accounts say they are, such as 2.3000.1031080782. When WhatsApp accepts it no
	// longer, `muhafiz login whatsapp NAME --latest-version` asks for the present one. A change takes effect with each account's next
	// connection. Default: the one that this build was made for.
	Version string `yaml:"version"`
	// PollEvery is the pause between two looks at the newest posts of a polled target. Default 1m, at least 20s.
	PollEvery Duration `yaml:"poll_every"`
	// RotateEvery is the mean one in rotation: busy channels are read more often, silent ones more rarely. Default 10m, at least 1m.
	RotateEvery Duration `yaml:"rotate_every"`
	// RecheckEvery is how often the newest 200 posts and the metadata are looked at again: two of the four forms of deletion raise no event,
	// and nothing tells of a suspended channel. Default 30m, at least 5m. None of these floors holds on a test network.
	RecheckEvery Duration `yaml:"recheck_every"`
	// Network points the program at a WhatsApp server of your own. For test networks only: `muhafiz check` warns about it.
	Network *WhatsAppNetwork `yaml:"network"`
}

// WhatsAppAccount is one of our own accounts.
type WhatsAppAccount struct {
	// Name is its alias in records and on the command line (muhafiz login whatsapp NAME), in lower case.
	Name string `yaml:"name,required"`
	// Phone is the account's number with country code, for linking by a code that is typed on the phone. Scanning a QR code needs none.
	Phone Secret `yaml:"phone"`
	// Vantage says where the account looks from, such as the country of its number and line, since platforms restrict by
	// country. It is written into every observation. Default: the account's name.
	Vantage string `yaml:"vantage"`
	// Proxy is the account's own way out: socks5://USER:PASSWORD@HOST:PORT, or http:// and https:// for a proxy that takes CONNECT.
	// Nothing of the account goes past it, not even the lookup of names. Default: the machine's own way.
	Proxy Secret `yaml:"proxy"`
	// Budget is what the account may ask of the platform. WhatsApp publishes no figures.
	Budget WhatsAppBudget `yaml:"budget"`
	// Device is what the account's owner reads in the list of linked devices.
	Device WhatsAppDevice `yaml:"device"`
}

// WhatsAppBudget is what one account may ask of the platform.
type WhatsAppBudget struct {
	// QueriesPerHour is how many queries of any kind are made, files apart; between two of them is about a second in any case. Default 3000.
	QueriesPerHour int `yaml:"queries_per_hour"`
	// Followed is how many channels the account may follow; 0 forbids following. Default 100.
	Followed int `yaml:"followed"`
}

// WhatsAppDevice is what the platform is told of our device when it is linked.
type WhatsAppDevice struct {
	// Name defaults to the truth, Muhafiz; at most 64 bytes.
	Name string `yaml:"name"`
}

// WhatsAppNetwork is a WhatsApp server other than the real one. For test networks only.
type WhatsAppNetwork struct {
	// Address is IP:PORT of the chat server, on this machine and without TLS.
	Address string `yaml:"address,required"`
	// MediaAddress is IP:PORT of the server of files, on this machine and without TLS.
	MediaAddress string `yaml:"media_address,required"`
	// RootKey is a file with the public key that signs the servers' certificates: 64 hexadecimal digits.
	RootKey string `yaml:"root_key,required"`

	Root [32]byte `yaml:"-"` // of RootKey
}

func (w *WhatsApp) setDefaults() {
	w.PollEvery, w.RotateEvery, w.RecheckEvery = Duration(time.Minute), Duration(10*time.Minute), Duration(30*time.Minute)
}

func (b *WhatsAppBudget) setDefaults() { *b = WhatsAppBudget{QueriesPerHour: 3000, Followed: 100} }
