// Package imports is the list of who may import whom, with a reason for each rule; its test holds `go list` against it. It
// promises nothing about test files, which may use the real vault and the loopback platforms.
package imports

// Module is the module's path.
const Module = "github.com/muhafiz/muhafiz"

// Rule says what the packages below a folder may import of ours.
type Rule struct {
	Folder string   // relative to the module; the longest that fits a package counts
	May    []string // folders; a folder covers what lies below it only with a trailing /...
	Why    string
}

// Rules is the import table.
var Rules = []Rule{
	{"collectors/evidence", nil, "the vocabulary stands alone, so that everybody can speak it"},
	{"config", nil, "config is read by bots alone and translated there"},
	{"config/intake", []string{"config"}, "lists become watchlists by the rules of the configuration"},
	{"collectors", []string{"collectors/evidence"}, "contracts know the words and nothing else"},
	{"collectors/secrets", []string{"collectors/evidence"}, "keys know nothing of what they guard"},
	{"collectors/vault", []string{"collectors/evidence", "collectors/vault", "collectors"}, "the vault knows records, not sources or judgement"},
	{"collectors/pace", nil, "budgets and schedules know no platform"},
	{"collectors/room", nil, "levels and forecasts are arithmetic: they know no disk and no platform"},
	{"collectors/vault/backup", []string{"collectors/evidence", "collectors/vault"}, "copies a vault as it lies, and makes one of a copy; it knows neither sources nor judgement"},
	{"collectors/anchor", []string{"collectors/evidence", "collectors/anchor"}, "outsiders confirm a checkpoint's bytes; they know nothing of the log behind it"},
	{"collectors/telegram", []string{"collectors", "collectors/evidence", "collectors/pace", "collectors/telegram/..."}, "a source writes to the Sink it is handed"},
	{"collectors/whatsapp", []string{"collectors", "collectors/evidence", "collectors/pace", "collectors/whatsapp/..."}, "a source writes to the Sink it is handed"},
	{"collectors/whatsapp/whatsapptest", nil, "the loopback platform knows nothing of the collector that is tested with it"},
	{"collectors/chatexport", []string{"collectors", "collectors/evidence"}, "a source writes to the Sink it is handed"},
	{"reporter", []string{"collectors/evidence", "reporter/..."}, "the reporter judges records; it never collects"},
	{"reporter/review", []string{"collectors/evidence"}, "siblings are wired by the daemon"},
	{"reporter/notice", []string{"collectors/evidence"}, "siblings are wired by the daemon"},
	{"reporter/delivery", []string{"collectors/evidence"}, "siblings are wired by the daemon"},
	{"reporter/diary", []string{"collectors/evidence"}, "tells records and nothing else; the daemon hands over what the desk and the reporter know"},
	{"reporter/retention", []string{"collectors/evidence"}, "what falls due follows from the log and the terms; the daemon hands over who holds what"},
	{"reporter/audit", []string{"collectors/evidence"}, "whoever looks for misuse reads the log itself, not what the desk makes of it"},
	{"reporter/bundle", []string{"collectors/evidence", "reporter/bundle"}, "siblings are wired by the daemon"},
	{"bots", []string{"bots/...", "collectors/...", "reporter/...", "config", "config/..."}, "the only room that sees all others"},
	{"scripts", []string{"scripts/...", "bots/...", "collectors/...", "reporter/...", "config", "config/..."}, "measuring and checking tools"},
}

// Owner says which folder alone may import a third-party module.
type Owner struct {
	Module string
	Folder []string
	Why    string
}

// Owners is the table of sole owners.
var Owners = []Owner{
	{"go.yaml.in/yaml", []string{"config"}, "one strict reader of YAML"},
	{"github.com/xuri/excelize", []string{"scripts/measure"}, "writes workbooks for measurements and tests; config/intake reads them itself, because this loses rows of a damaged sheet without a word"},
	{"golang.org/x/net/html", []string{"config/intake"}, "one reader of pasted pages"},
	{"filippo.io/age", []string{"collectors/secrets", "collectors/vault", "collectors/vault/backup", "reporter/bundle", "scripts/measure"}, "sealing at rest, blobs among it, backups and envelopes for recipients"},
	{"github.com/minio/minio-go", []string{"collectors/vault/backup"}, "one client of S3 storage"},
	{"github.com/digitorus", []string{"collectors/anchor"}, "one reader of time-stamps"},
	{"github.com/transparency-dev/formats", []string{"collectors/anchor"}, "one reader of witnesses' lines"},
	{"go.etcd.io/bbolt", []string{"collectors/vault", "scripts/measure"}, "one holder of the log; what its buckets take is measured from outside"},
	{"github.com/gotd/td", []string{"collectors/telegram", "scripts/measure"}, "one Telegram client"},
	{"go.mau.fi", []string{"collectors/whatsapp", "scripts/measure"}, "one WhatsApp client; its key store and libsignal (GPL-3.0, see NOTICE) stay with it"},
	{"github.com/ncruces/go-sqlite3", []string{"collectors/whatsapp", "scripts/measure"}, "session keys only, encrypted page by page; evidence lives in the vault, which is measured against it"},
	{"github.com/robfig/cron", []string{"reporter"}, "parsing of schedules, not their running"},
	{"github.com/wneessen/go-mail", []string{"reporter/delivery"}, "one door out"},
	{"github.com/emersion/go-smtp", []string{"reporter/delivery", "bots/demo"}, "one door out; the demo's loopback mailbox"},
	{"html/template", []string{"bots/console", "reporter/bundle"}, "pages and the bundle's report"},
	{"github.com/prometheus/client_golang", []string{"bots/daemon"}, "the daemon alone is measured from outside"},
	{"rsc.io/qr", []string{"bots/muhafiz"}, "pictures for a person at a login"},
	{"golang.org/x/net/proxy", []string{"collectors/telegram"}, "one way out, of accounts that have their own"},
	{"github.com/alecthomas/kong", []string{"bots/muhafiz"}, "the command line"},
}
