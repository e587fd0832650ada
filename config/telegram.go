package config

import "time"

// Telegram is how Telegram is read.
type Telegram struct {
	// Accounts are our own accounts. Each account is used on one host only.
	Accounts []TelegramAccount `yaml:"accounts"`
	// PollEvery is the pause between two looks at a polled target for new posts, and the least one between two reads of a target in
	// rotation. Default: what the platform asks for, between 5s and 50s, and 1m in rotation. At least 5s.
	PollEvery Duration `yaml:"poll_every"`
	// RecheckEvery is the age at which a post is first looked at again, since Telegram does not deliver every edit and deletion; the
	// next looks come at 4, 24, 96, 336 and 1440 times that age. The channel's metadata is read as often as this. Default 30m, at
	// least 1m. No floor holds on a test network.
	RecheckEvery Duration `yaml:"recheck_every"`
	// RecheckAges are other ages than these at which a post is looked at again, ascending, each at least 1m.
	RecheckAges []Duration `yaml:"recheck_ages"`
	// RecheckRound is how long it takes to look once at all posts that are past the last of these ages; then the next round begins.
	// Default 2160h (90 days), at least 24h.
	RecheckRound Duration `yaml:"recheck_round"`
	// Network points the program at a Telegram server of your own. For test networks only: `muhafiz check` warns about it.
	Network *TelegramNetwork `yaml:"network"`
}

// TelegramAccount is one of our own accounts.
type TelegramAccount struct {
	// Name is its alias in records and on the command line (muhafiz login NAME), in lower case.
	Name string `yaml:"name,required"`
	// AppID and AppHash are from https://my.telegram.org.
	AppID   int    `yaml:"app_id,required"`
	AppHash Secret `yaml:"app_hash,required"`
	// Phone is the account's number with country code.
	Phone Secret `yaml:"phone,required"`
	// Vantage says where the account looks from, such as the country of its number and line, since platforms restrict by
	// country. It is written into every observation. Default: the account's name.
	Vantage string `yaml:"vantage"`
	// Proxy is the account's own way out: socks5://USER:PASSWORD@HOST:PORT, or the link of an MTProxy as Telegram's apps share it
	// (tg://proxy?server=…&port=…&secret=…). Nothing of the account goes past it. Like every secret it stands in a file or in the
	// environment. Default: the machine's own way.
	Proxy Secret `yaml:"proxy"`
	// Budget is what the account may ask of the platform. Telegram publishes no figures: the defaults stay at or below what is
	// reported to be tolerated, and an account that asks for more is first made to wait and then lost.
	Budget TelegramBudget `yaml:"budget"`
	// Device is what the account's owner reads in the list of sessions.
	Device Device `yaml:"device"`
}

// TelegramBudget is what one account may ask of the platform.
type TelegramBudget struct {
	// ResolvesPerDay is how many addresses are looked up in any 24 hours. Default 180: about 200 are tolerated, and 160 quick ones led
	// to waits of 15 to 18 hours. An address is looked up once and then known.
	ResolvesPerDay int `yaml:"resolves_per_day"`
	// HistoryPerMinute is how many pages of history are read, each of up to 100 posts; reading in rotation takes three quarters of
	// it. Default 60: about 3000 posts in 30 seconds are tolerated.
	HistoryPerMinute int `yaml:"history_per_minute"`
	// DifferencesPerMinute is how often polled and joined targets are asked for changes. Default 120.
	DifferencesPerMinute int `yaml:"differences_per_minute"`
	// MessagesPerMinute is how many rechecks of up to 100 known posts are made. Default 40.
	MessagesPerMinute int `yaml:"messages_per_minute"`
	// ChannelsPerMinute is how many channels' metadata is looked at. Default 30.
	ChannelsPerMinute int `yaml:"channels_per_minute"`
	// FilePartsPerMinute is how many parts of files, of 512 KiB each, are fetched. Default 1200.
	FilePartsPerMinute int `yaml:"file_parts_per_minute"`
	// JoinsPerDay is how many channels are joined in any 24 hours. Default 20.
	JoinsPerDay int `yaml:"joins_per_day"`
	// Joined is in how many channels the account may be; 0 forbids joining. Default 500, which is Telegram's own limit without a subscription.
	Joined int `yaml:"joined"`
}

// DefaultTelegramBudget returns the defaults.
func DefaultTelegramBudget() TelegramBudget {
	return TelegramBudget{
		ResolvesPerDay: 180, HistoryPerMinute: 60, DifferencesPerMinute: 120, MessagesPerMinute: 40, ChannelsPerMinute: 30,
		FilePartsPerMinute: 1200, JoinsPerDay: 20, Joined: 500,
	}
}

func (b *TelegramBudget) setDefaults() { *b = DefaultTelegramBudget() }

// least names the budgets without which nothing is observed.
func (b TelegramBudget) least(check func(key string, v int)) {
	check("resolves_per_day", b.ResolvesPerDay)
	check("history_per_minute", b.HistoryPerMinute)
	check("differences_per_minute", b.DifferencesPerMinute)
	check("messages_per_minute", b.MessagesPerMinute)
	check("channels_per_minute", b.ChannelsPerMinute)
	check("file_parts_per_minute", b.FilePartsPerMinute)
	check("joins_per_day", b.JoinsPerDay)
}

// Device is what the platform is told of the program that logs in. The defaults are the truth; at most 64 bytes each.
type Device struct {
	// Model defaults to Muhafiz.
	Model string `yaml:"model"`
	// System defaults to the operating system and processor, such as linux/amd64.
	System string `yaml:"system"`
	// AppVersion defaults to the program's build.
	AppVersion string `yaml:"app_version"`
	// Language defaults to en. It rules the language in which the platform writes service messages.
	Language string `yaml:"language"`
}

// TelegramNetwork is a Telegram server other than the real one. For test networks only.
type TelegramNetwork struct {
	// DC is the data centre's number.
	DC int `yaml:"dc,required"`
	// Address is IP:PORT.
	Address string `yaml:"address,required"`
	// PublicKey is a PEM file with the server's RSA public key.
	PublicKey string `yaml:"public_key,required"`
}

func (t *Telegram) setDefaults() {
	t.RecheckEvery, t.RecheckRound = Duration(30*time.Minute), Duration(90*24*time.Hour)
}
