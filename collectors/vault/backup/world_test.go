package backup_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/rs/zerolog"
	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// world is a vault with what its key is.
type world struct {
	*testing.T
	path   string
	o      vault.Options
	v      *vault.Vault
	signer note.Signer
	n      int // posts put
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, path: filepath.Join(t.TempDir(), "vault"), o: vaulttest.Options(t, vaulttest.Tally())}
	w.signer = w.o.Signer
	v, err := vault.Create(w.path, w.o)
	if err != nil {
		t.Fatal(err)
	}
	w.v = v
	t.Cleanup(func() { w.v.Close() })
	w.put(evidence.Batch{Drafts: []evidence.Draft{vaulttest.Bind("telegram:main")}})
	return w
}

func (w *world) put(b evidence.Batch) []evidence.Record {
	w.Helper()
	recs, err := w.v.Put(context.Background(), b)
	if err != nil {
		w.Fatal(err)
	}
	return recs
}

// page puts n new posts of a channel, one blob, and a cursor.
func (w *world) page(channel, n int) {
	w.Helper()
	b, err := page(w.v, channel, w.n, n)
	if err != nil {
		w.Fatal(err)
	}
	w.put(b)
	w.n += n
}

func page(v *vault.Vault, channel, from, n int) (evidence.Batch, error) {
	acq := evidence.NewAcq(time.Now())
	raw := bytes.Repeat([]byte("simulated reply "+acq+"\n"), 100)
	d, size, err := v.Keep(context.Background(), bytes.NewReader(raw), 1<<20)
	if err != nil {
		return evidence.Batch{}, err
	}
	ch := evidence.Account("telegram", "channel", fmt.Sprint(1000+channel))
	src := evidence.Source("telegram:main")
	ds := []evidence.Draft{{ID: evidence.ID{Acq: acq}, Actor: src, Subject: ch, Accompany: true, Body: &evidence.Acquisition{
		Method: "messages.getHistory", Reply: evidence.Object{Size: size, SHA256: d},
	}}}
	for i := range n {
		ds = append(ds, evidence.Draft{ID: evidence.ID{Acq: acq, N: uint32(i + 1)}, Actor: src, Subject: ch.Post(int64(from + i + 1)), Body: &evidence.PostSeen{
			Method: evidence.MethodMTProto, Vantage: "main", Text: fmt.Sprintf("A simulated announcement, number %d of the bakers' guild.\n", from+i),
		}})
	}
	return evidence.Batch{Drafts: ds, Cursor: &evidence.Cursor{Name: fmt.Sprint("channel ", channel), Data: []byte(acq)}}, nil
}

func (w *world) backup(to backup.Store, more ...func(*backup.Options)) backup.Result {
	w.Helper()
	res, err := w.tryBackup(to, more...)
	if err != nil {
		w.Fatal(err)
	}
	return res
}

func (w *world) tryBackup(to backup.Store, more ...func(*backup.Options)) (backup.Result, error) {
	o := backup.Options{Vault: w.v, To: to, Signer: w.signer, Build: "test", Log: zerolog.Nop()}
	for _, f := range more {
		f(&o)
	}
	return backup.Run(context.Background(), o)
}

// values reads the log of a vault as it lies.
func values(t *testing.T, v *vault.Vault, to int64) [][]byte {
	t.Helper()
	var out [][]byte
	err := v.SnapshotLog(context.Background(), 0, to, func(_ int64, value []byte) error {
		out = append(out, value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func folder(t testing.TB) *backup.Folder {
	t.Helper()
	f, err := backup.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// key makes an age key and its identity file.
func key(t testing.TB) (recipients backup.Recipients, ids backup.Identities, file string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(file, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if recipients, err = backup.ParseRecipients([]string{id.Recipient().String()}); err != nil {
		t.Fatal(err)
	}
	if ids, err = backup.ParseIdentities(strings.NewReader(id.String())); err != nil {
		t.Fatal(err)
	}
	return recipients, ids, file
}

// gateway runs a real S3 server over a folder and returns its address. MUHAFIZ_VERSITYGW names the program where it is not on the PATH.
func gateway(t testing.TB) backup.S3Options {
	t.Helper()
	program := os.Getenv("MUHAFIZ_VERSITYGW")
	if program == "" {
		var err error
		if program, err = exec.LookPath("versitygw"); err != nil {
			t.Skip("versitygw is not on the PATH; scripts/test builds it")
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	cmd := exec.Command(program, "--port", addr, "posix", t.TempDir())
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY=simulated", "ROOT_SECRET_KEY=simulated-secret")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	o := backup.S3Options{Endpoint: "http://" + addr, Bucket: "evidence", Prefix: "keeper/one", AccessKey: "simulated", SecretKey: "simulated-secret"}
	c, err := minio.New(addr, &minio.Options{Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		if err = c.MakeBucket(context.Background(), o.Bucket, minio.MakeBucketOptions{}); err == nil {
			return o
		}
		if time.Now().After(deadline) {
			t.Fatalf("the gateway does not answer: %v\n%s", err, out.String())
		}
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			conn.Close()
		}
	}
}

// objects counts what lies in a store.
func objects(t *testing.T, s backup.Store) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	if err := s.List(context.Background(), "", func(o backup.Object) error { out[o.Name] = o.Size; return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, s backup.Store, name string) []byte {
	t.Helper()
	r, err := s.Get(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
