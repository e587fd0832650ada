package config

import "time"

// Telegram is how Telegram is read.
type Telegram struct {
	// Accounts are our own accounts. Each account is used on one host only.
	Accounts []TelegramAccount `yaml:"accounts"`
	// PollEvery is the pause between two looks at a target for new posts. Default: what the platform asks for, between 5s and 5m.
	// At least 5s.
	PollEvery Duration `yaml:"poll_every"`
	// RecheckEvery is how often known posts are looked at again, since Telegram does not deliver every edit and deletion.
	// Default 30m, at least 1m. Neither floor holds on a test network.
	RecheckEvery Duration `yaml:"recheck_every"`
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
	// Device is what the account's owner reads in the list of sessions.
	Device Device `yaml:"device"`
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
	t.RecheckEvery = Duration(30 * time.Minute)
}
