package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

func TestFsckNamesWhatIsDamagedInTheDatabase(t *testing.T) {
	path, _, o := damaged(t)
	rep := clean(t, path, o.Views...)
	if rep.Records != 90 || rep.Checkpoints != 1 || rep.Blobs != 2 || rep.BlobBytes != 31 || rep.Unreferenced != 1 || len(rep.Views) != 1 || rep.Views[0].Keys == 0 {
		t.Fatalf("%+v", rep)
	}
	inner := tlog.StoredHashIndex(2, 1)
	for name, c := range map[string]struct {
		do   func(*bolt.Tx) error
		want string // a problem begins so
	}{
		"body":                   {change("log", be(4), flip(-10)), "record 4: its body is not the one that was recorded"},
		"body gone":              {change("log", be(4), func(v []byte) []byte { return v[:bytes.IndexByte(v, '\n')+1] }), "record 4: its body is gone"},
		"envelope":               {change("log", be(4), swap(`"actor":"s1"`, `"actor":"v0"`)), "record 4: its envelope gives the leaf hash"},
		"envelope's form":        {change("log", be(4), swap(`"seq":4`, `"seq": 4`)), "record 4: not an envelope: not in canonical form"},
		"envelope's number":      {change("log", be(4), swap(`"seq":4`, `"seq":5`)), "record 4: its envelope says that it is record 5"},
		"time goes back":         {change("log", be(4), swap(`"at":"2`, `"at":"1`)), "record 4: it is dated 1"},
		"no line feed":           {change("log", be(4), func(v []byte) []byte { return bytes.ReplaceAll(v, []byte("\n"), nil) }), "record 4: it is not an envelope and a body"},
		"record in the middle":   {change("log", be(4), remove), "bucket log: where record 4 should stand"},
		"last record":            {change("log", be(89), remove), "bucket meta: the last commit left 90 records, but the log has 89"},
		"record 0":               {change("log", be(0), remove), "bucket log: where record 0 should stand"},
		"an added record":        {add("log", be(90), []byte("x")), "record 90: it is not an envelope"},
		"leaf hash":              {change("tree", be(0), flip(0)), "record 0: its envelope gives the leaf hash"},
		"inner hash":             {change("tree", be(inner/16), flip(int(inner%16)*32)), fmt.Sprintf("bucket tree: stored hash %d (level 2, number 1, over the records 4 to 7)", inner)},
		"chunk of hashes":        {change("tree", be(1), remove), "bucket tree: stored hash 16 and others of its chunk 1 are missing"},
		"last hash":              {change("tree", be((tlog.StoredHashCount(90)-1)/16), func(v []byte) []byte { return v[:len(v)-32] }), "bucket tree: stored hash"},
		"hashes too many":        {add("tree", be(99), make([]byte, 32)), "bucket tree: it holds"},
		"root":                   {change("meta", []byte("head"), flip(9)), "bucket meta: the last commit left a tree with the root"},
		"head":                   {change("meta", []byte("head"), remove), "bucket meta: the tree head of the last commit is missing"},
		"facet's value":          {change("subjects", subject(t, "a1/2"), flip(12)), `bucket subjects: the latest state of a1/2 holds another value of "mtproto" than record 4`},
		"facet's record":         {change("subjects", subject(t, "a1/3"), func(v []byte) []byte { v[2+7+32]--; return v }), `bucket subjects: the latest state of a1/3 takes "mtproto" from record 8`},
		"facet from the future":  {change("subjects", subject(t, "a1/2"), func(v []byte) []byte { v[2+7+32]++; return v }), "bucket subjects: it holds"},
		"facets cut":             {change("subjects", subject(t, "a1/2"), func(v []byte) []byte { return v[:20] }), "bucket subjects: a1/2: damaged entry"},
		"facets gone":            {change("subjects", subject(t, "a1/2"), remove), `bucket subjects: the latest state of a1/2 lacks "mtproto"`},
		"listing":                {change("subjects", subject(t, "a1/1", 7), remove), "bucket subjects: record 7 is not listed under its subject a1/1"},
		"first listing":          {change("subjects", subject(t, "a1/2"), func(v []byte) []byte { v[0]++; return v }), "bucket subjects: record 4 is not listed under its subject a1/2"},
		"listing of nothing":     {add("subjects", subject(t, "a1/2", 7), nil), "bucket subjects: it lists 91 records"},
		"strange subject":        {add("subjects", []byte("a"), nil), "bucket subjects: the key 61"},
		"name":                   {change("names", []byte("atelegram channel 1"), func([]byte) []byte { return be(2) }), "bucket names: the name of a1 leads to a2"},
		"name gone":              {change("names", []byte("stelegram/main"), remove), "bucket names: the name of s1 leads to s0"},
		"name of nothing":        {add("names", []byte("atelegram channel 999"), be(99)), "bucket names: it holds"},
		"ordinal":                {change("ordinals", append([]byte("a"), be(1)...), swap("1", "2")), "bucket ordinals: a1 leads to another name"},
		"view's value":           {change("view/tally", []byte("last a1/4"), flip(-1)), `view tally: the key "last a1/4" holds another value`},
		"view's version":         {change("view/tally", []byte("last a1/4"), flip(7)), `view tally: the key "last a1/4" has the version 6`},
		"view's key":             {change("view/tally", []byte("last a1/4"), remove), `view tally: the key "last a1/4" is missing`},
		"view's added key":       {add("view/tally", []byte("zzz"), append(be(3), 1)), `view tally: the key "zzz" is there, but`},
		"view's tombstone":       {change("view/tally", []byte("last a1/4"), flip(8)), `view tally: the key "last a1/4" is there: false`},
		"view's bucket":          {func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("view/tally")) }, "view tally: its keys are gone"},
		"a bucket":               {func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("cursors")) }, `vault.db: bucket "cursors" is missing`},
		"a rewritten log":        {rewrite(4), "record 8: the checkpoint signed the root"},
		"ids of a batch":         {removeID(4), "bucket ids: the id"},
		"ids leading elsewhere":  {changeIDs, "bucket ids: the id"},
		"an id leading to later": {add("ids", append([]byte(evidence.NewAcq(time.Now())), 0, 0, 0, 0), []byte{1, 0x80, 0x10}), "bucket ids: the ids from"},
		"broken ids":             {add("ids", []byte("x"), []byte{1, 1}), `bucket ids: key "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			copied := copyVault(t, path)
			doTo(t, copied, c.do)
			finds(t, copied, c.want, o)
		})
	}
}

// removeID takes away the ids of the batch that holds record seq.
func removeID(seq int64) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		v := tx.Bucket([]byte("log")).Get(be(seq))
		e, err := evidence.ParseEnvelope(v[:bytes.IndexByte(v, '\n')])
		if err != nil {
			return err
		}
		return tx.Bucket([]byte("ids")).Delete(append([]byte(e.ID.Acq), 0, 0, 0, 0))
	}
}

func changeIDs(tx *bolt.Tx) error {
	b := tx.Bucket([]byte("ids"))
	k, v := b.Cursor().Last()
	v = bytes.Clone(v)
	v[len(v)-1]--
	return b.Put(bytes.Clone(k), v)
}

// rewrite does what a forger with the folder but without the log's key would do: it changes a body and makes everything fit.
func rewrite(seq int64) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		log, tree, head := tx.Bucket([]byte("log")), tx.Bucket([]byte("tree")), tx.Bucket([]byte("meta"))
		envelope, body, _ := bytes.Cut(bytes.Clone(log.Get(be(seq))), []byte("\n"))
		e, err := evidence.ParseEnvelope(envelope)
		if err != nil {
			return err
		}
		body = bytes.Replace(body, []byte(`"raw_exact":false`), []byte(`"raw_exact":true`), 1)
		e.Body = evidence.Sum(body)
		if err := log.Put(be(seq), append(append(e.Append(nil), '\n'), body...)); err != nil {
			return err
		}
		var all []tlog.Hash
		reader := tlog.HashReaderFunc(func(ix []int64) (out []tlog.Hash, err error) {
			for _, x := range ix {
				out = append(out, all[x])
			}
			return out, nil
		})
		size := int64(0)
		err = log.ForEach(func(k, v []byte) error {
			hs, err := tlog.StoredHashes(size, v[:bytes.IndexByte(v, '\n')], reader)
			all, size = append(all, hs...), size+1
			return err
		})
		if err != nil {
			return err
		}
		for at := 0; at < len(all); at += 16 {
			var chunk []byte
			for _, h := range all[at:min(at+16, len(all))] {
				chunk = append(chunk, h[:]...)
			}
			if err := tree.Put(be(int64(at/16)), chunk); err != nil {
				return err
			}
		}
		root, err := tlog.TreeHash(size, reader)
		if err != nil {
			return err
		}
		return head.Put([]byte("head"), append(be(size), root[:]...))
	}
}

func TestFsckNamesWhatIsDamagedAmongTheBlobs(t *testing.T) {
	path, blob, o := damaged(t)
	at := filepath.Join("blobs", "sha256", blob.String()[:2], blob.String())
	for name, c := range map[string]struct {
		do   func(vault string) error
		want string
	}{
		"changed": {func(v string) error { return os.WriteFile(filepath.Join(v, at), []byte("simulated phot0"), 0o600) }, "blob " + blob.String() + ": its 15 bytes have the SHA-256"},
		"cut":     {func(v string) error { return os.Truncate(filepath.Join(v, at), 3) }, "blob " + blob.String() + ": it has 3 bytes, record 7 says 15"},
		"gone":    {func(v string) error { return os.Remove(filepath.Join(v, at)) }, "blob " + blob.String() + ": it is missing, and record 7 names it"},
		"elsewhere": {func(v string) error {
			return os.Rename(filepath.Join(v, at), filepath.Join(v, "blobs", "sha256", blob.String()))
		}, "blobs/sha256/" + blob.String() + ": this does not belong here"},
		"linked": {func(v string) error {
			return errors.Join(os.Remove(filepath.Join(v, at)), os.Symlink("/dev/null", filepath.Join(v, at)))
		}, "blobs/" + filepath.ToSlash(at[len("blobs/"):]) + ": this does not belong here"},
		"strange":       {func(v string) error { return os.WriteFile(filepath.Join(v, "blobs", "notes.txt"), nil, 0o600) }, "blobs/notes.txt: this does not belong here"},
		"all of them":   {func(v string) error { return os.RemoveAll(filepath.Join(v, "blobs")) }, "blob " + blob.String() + ": it is missing"},
		"database cut":  {func(v string) error { return os.Truncate(filepath.Join(v, "vault.db"), 40<<10) }, "vault.db: it is cut short"},
		"database gone": {func(v string) error { return os.WriteFile(filepath.Join(v, "vault.db"), []byte("simulated"), 0o600) }, "vault.db: it cannot be opened"},
		"pages overwritten": {func(v string) error {
			f, err := os.OpenFile(filepath.Join(v, "vault.db"), os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			st, err := f.Stat()
			if err != nil {
				return err
			}
			_, err = f.WriteAt(bytes.Repeat([]byte{0xff}, int(st.Size())-2*os.Getpagesize()), 2*int64(os.Getpagesize()))
			return errors.Join(err, f.Close())
		}, "vault.db: "},
	} {
		t.Run(name, func(t *testing.T) {
			copied := copyVault(t, path)
			if err := c.do(copied); err != nil {
				t.Fatal(err)
			}
			finds(t, copied, c.want, o)
		})
	}
}

func finds(t *testing.T, path, want string, o vault.Options) {
	t.Helper()
	rep, err := vault.Fsck(t.Context(), path, vault.FsckOptions{Views: o.Views, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, p := range rep.Problems {
		found = found || strings.HasPrefix(p.String(), want)
	}
	if !found {
		t.Errorf("want %s…", want)
	}
	if !found || len(rep.Problems) > 12 && !strings.HasPrefix(want, "vault.db") {
		for _, p := range rep.Problems {
			t.Error("found:", p)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(path, "fsck-*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestFsckNeedsTheLock(t *testing.T) {
	v := vaulttest.New(t)
	if _, err := vault.Fsck(t.Context(), v.Path(), vault.FsckOptions{}); !errors.Is(err, vault.ErrLocked) {
		t.Errorf("got %v", err)
	}
	if _, err := vault.Fsck(t.Context(), t.TempDir(), vault.FsckOptions{}); !errors.Is(err, vault.ErrNotVault) {
		t.Errorf("got %v", err)
	}
}

func TestFsckTellsHowFarItHasCome(t *testing.T) {
	path, _, o := damaged(t)
	stages := map[string]int64{}
	_, err := vault.Fsck(t.Context(), path, vault.FsckOptions{Views: o.Views, Progress: func(stage string, done, total int64) {
		if done > total && total > 0 {
			t.Errorf("%s: %d of %d", stage, done, total)
		}
		stages[stage] = done
	}})
	if err != nil {
		t.Fatal(err)
	}
	for stage, want := range map[string]int64{"records": 90, "views": 90, "blobs": 31, "pages": 1} {
		if stages[stage] != want {
			t.Errorf("%s came to %d, want %d", stage, stages[stage], want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := vault.Fsck(ctx, path, vault.FsckOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
