package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Backup is where copies of the vault go.
type Backup struct {
	// To is a folder that is there, outside the vault, better on another disk; or s3://BUCKET/PREFIX.
	To string `yaml:"to,required"`
	// Endpoint is the address of the S3-compatible storage, https://HOST[:PORT]. Required with s3, and for nothing else.
	Endpoint string `yaml:"endpoint"`
	// Region is the storage's region. Default us-east-1.
	Region string `yaml:"region"`
	// AccessKey and SecretKey are the credentials for the storage. Required with s3.
	AccessKey Secret `yaml:"access_key"`
	SecretKey Secret `yaml:"secret_key"`
	// Recipients are age public keys (age1…). With them every object is encrypted and only their owners can read the backup; keep their
	// identities away from this machine. Without them it can be read by whoever can read the place.
	Recipients []string `yaml:"recipients"`
	// Every is how often the daemon makes a backup; one that was missed is made once. 0 for only by hand. Default 24h, at least 5m.
	Every Interval `yaml:"every"`
	// Keep is how many finished backups stay. Default 14; 0 for all.
	Keep int `yaml:"keep"`
	// Keys is where copies of the keys and sessions go. They are never in the backup itself.
	Keys *BackupKeys `yaml:"keys"`
}

// BackupKeys is where copies of the keys and sessions go, which open what the backup of the content holds.
type BackupKeys struct {
	// To is a folder that is there, outside the vault and not that of the backup.
	To string `yaml:"to,required"`
	// Recipients are the age public keys of those who may have the keys. At least one, and none of those of the backup.
	Recipients []string `yaml:"recipients,required"`
	// Keep is how many copies stay. Default 3, at least 1.
	Keep int `yaml:"keep"`
}

func (b *Backup) setDefaults()     { *b = Backup{Every: Interval(24 * time.Hour), Keep: 14} }
func (k *BackupKeys) setDefaults() { *k = BackupKeys{Keep: 3} }

// S3 returns the bucket and the prefix of a backup to S3-compatible storage, and false where it goes to a folder.
func (b *Backup) S3() (bucket, prefix string, ok bool) { return S3Place(b.To) }

// S3Place parts s3://BUCKET/PREFIX.
func S3Place(to string) (bucket, prefix string, ok bool) {
	rest, ok := strings.CutPrefix(to, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	return bucket, strings.Trim(prefix, "/"), ok
}

var (
	bucketForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	prefixForm    = regexp.MustCompile(`^[a-zA-Z0-9._/-]*$`)
	recipientForm = regexp.MustCompile(`^age1[a-z0-9]{20,}$`)
)

func (l *loader) checkBackup(d *decoder) {
	b := l.cfg.Backup
	if bucket, prefix, ok := b.S3(); ok {
		checkS3(d, b, bucket, prefix)
	} else if b.To != "" {
		b.To = d.abs(b.To)
		l.outside(d, "backup.to", b.To)
		if b.Endpoint != "" || !b.AccessKey.IsZero() || !b.SecretKey.IsZero() {
			d.errAt("backup", "endpoint, access_key and secret_key go with to: s3://BUCKET/PREFIX; %s is a folder", b.To)
		}
	}
	checkRecipients(d, "backup.recipients", b.Recipients)
	if b.Every != 0 && b.Every < Interval(5*time.Minute) {
		d.errAt("backup.every", "must be at least 5m, or 0 for only by hand, is %s", b.Every)
	}
	if k := b.Keys; k != nil {
		l.checkBackupKeys(d, b, k)
	}
}

func checkS3(d *decoder, b *Backup, bucket, prefix string) {
	if !bucketForm.MatchString(bucket) || !prefixForm.MatchString(prefix) {
		d.errAt("backup.to", "must be a folder or s3://BUCKET/PREFIX, is %q", clip(b.To))
	}
	u, err := url.Parse(b.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" {
		d.errAt("backup.endpoint", "must be the storage's address, https://HOST[:PORT], is %q", clip(b.Endpoint))
	}
	if b.AccessKey.IsZero() || b.SecretKey.IsZero() {
		d.errAt("backup", "s3 needs access_key and secret_key, each {file: PATH} or {env: NAME}")
	}
}

// outside keeps copies away from what they are copies of.
func (l *loader) outside(d *decoder, path, dir string) {
	if v := l.cfg.Vault; v != "" && (inside(v, dir) || inside(dir, v)) {
		d.errAt(path, "%s and the vault %s lie within one another; whatever takes the one takes the other: name a folder elsewhere", dir, v)
	}
}

func (l *loader) checkBackupKeys(d *decoder, b *Backup, k *BackupKeys) {
	if k.To != "" {
		k.To = d.abs(k.To)
		l.outside(d, "backup.keys.to", k.To)
		if inside(b.To, k.To) || inside(k.To, b.To) {
			d.errAt("backup.keys.to", "lies with the backup of the content; whoever finds one would find both: name a folder elsewhere")
		}
	}
	checkRecipients(d, "backup.keys.recipients", k.Recipients)
	for i, r := range k.Recipients {
		if slices.Contains(b.Recipients, r) {
			d.errAt(at("backup.keys.recipients", i, ""), "is a recipient of the backup too; one identity must not open both")
		}
	}
	if k.Keep < 1 {
		d.errAt("backup.keys.keep", "must be at least 1, is %d", k.Keep)
	}
}

func checkRecipients(d *decoder, path string, keys []string) {
	for i, k := range keys {
		if !recipientForm.MatchString(k) {
			d.errAt(at(path, i, ""), "must be an age public key (age1…), as age-keygen prints it, is %q", clip(k))
		}
	}
}
