package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/scripts/measure/lab"
)

// message is one of the messages, and the line that it makes.
type message struct {
	ID   int64     `json:"message_id"`
	Date time.Time `json:"date"`
	Text string    `json:"text"`
	line []byte
}

// read returns the messages of each file.
func read(folder string) ([][]message, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_messages.json"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s holds no *_messages.json", folder)
	}
	if err != nil {
		return nil, err
	}
	out := make([][]message, 0, len(files))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		var lines []json.RawMessage
		if err := json.Unmarshal(b, &lines); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		channel := make([]message, len(lines))
		for i, l := range lines {
			if err := json.Unmarshal(l, &channel[i]); err != nil {
				return nil, fmt.Errorf("%s: message %d: %w", f, i, err)
			}
			var line bytes.Buffer
			if err := json.Compact(&line, l); err != nil {
				return nil, err
			}
			channel[i].line = line.Bytes()
		}
		sort.Slice(channel, func(i, j int) bool { return channel[i].ID < channel[j].ID })
		out = append(out, channel)
	}
	return out, nil
}

const source = "bench/main"

// fill puts the messages and returns the bytes of the raw replies.
func fill(ctx context.Context, path string, channels [][]message, page int, sealed bool) (raw int64, err error) {
	v, err := lab.Make(path, sealed)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	_, err = v.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(time.Now()), Actor: evidence.Source(source), Subject: evidence.Source(source), Body: &evidence.Collector{Key: source, State: "starting"},
	}}})
	if err != nil {
		return 0, err
	}
	for i, channel := range channels {
		account := evidence.Account("telegram", "channel", fmt.Sprint(1_000_000+i))
		for len(channel) > 0 {
			n := min(page, len(channel))
			size, err := put(ctx, v, account, channel[:n])
			if err != nil {
				return 0, err
			}
			raw, channel = raw+size, channel[n:]
		}
	}
	return raw, nil
}

// put makes a page durable: its reply, its acquisition, its posts.
func put(ctx context.Context, v *vault.Vault, account evidence.Name, page []message) (int64, error) {
	var reply bytes.Buffer
	slices := make([]evidence.Slice, len(page))
	for i, m := range page {
		slices[i] = evidence.Slice{Offset: int64(reply.Len()), Length: int64(len(m.line))}
		reply.Write(m.line)
		reply.WriteByte('\n')
	}
	d, size, err := v.Keep(ctx, &reply, int64(reply.Len()))
	if err != nil {
		return 0, err
	}
	now := evidence.At(time.Now())
	acq, seen := evidence.NewAcq(now.Time), evidence.Span{From: now, To: now}
	b := evidence.Batch{Cursor: &evidence.Cursor{Name: account.Key, Data: []byte(acq)}, Drafts: []evidence.Draft{{
		ID: evidence.ID{Acq: acq}, Actor: evidence.Source(source), Subject: account, Accompany: true, Body: &evidence.Acquisition{
			Method: "messages.getHistory", Request: json.RawMessage(fmt.Sprintf(`{"limit":%d,"offset_id":%d}`, len(page), page[len(page)-1].ID+1)),
			Reply: evidence.Object{SHA256: d, Size: size}, Alias: "main", Vantage: "main", Observed: seen, ServerDate: now, Build: "bench", Layer: 214,
		},
	}}}
	for i, m := range page {
		b.Drafts = append(b.Drafts, evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(i + 1)}, Actor: evidence.Source(source), Subject: account.Post(m.ID), Body: &evidence.PostSeen{
				Method: evidence.MethodMTProto, Vantage: "main", Acquisition: evidence.ID{Acq: acq}, Observed: seen, ClaimedAt: evidence.At(m.Date), Text: m.Text,
				Raw: &slices[i], RawExact: true,
			},
		})
	}
	_, err = v.Put(ctx, b)
	return size, err
}

// bucket is what one bucket takes.
type bucket struct {
	Name  string `json:"name"`
	Keys  int    `json:"keys"`
	Alloc int64  `json:"alloc"` // bytes of its pages
	Inuse int64  `json:"inuse"` // of these, in use
}

// buckets lists what each takes of a database, the largest first, without those that take no page of their own.
func buckets(file string) (out []bucket, err error) {
	db, err := bolt.Open(file, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			if s := b.Stats(); s.LeafAlloc > 0 {
				out = append(out, bucket{string(name), s.KeyN, int64(s.LeafAlloc + s.BranchAlloc), int64(s.LeafInuse + s.BranchInuse)})
			}
			return nil
		})
	})
	sort.Slice(out, func(i, j int) bool { return out[i].Alloc > out[j].Alloc })
	return out, err
}
