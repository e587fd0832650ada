package main

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

const schema = `
PRAGMA synchronous = FULL;
PRAGMA cache_size = -65536;
CREATE TABLE log (seq INTEGER PRIMARY KEY, envelope BLOB NOT NULL, body BLOB);
CREATE TABLE tree (at INTEGER PRIMARY KEY, hash BLOB NOT NULL);
CREATE TABLE ids (acq TEXT NOT NULL, n INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (acq, n)) WITHOUT ROWID;
CREATE TABLE subjects (subject BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (subject, seq)) WITHOUT ROWID;
CREATE TABLE slots (subject BLOB NOT NULL, slot TEXT NOT NULL, value BLOB, seq INTEGER NOT NULL, PRIMARY KEY (subject, slot)) WITHOUT ROWID;
CREATE TABLE cursors (name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;`

// db is a database with its statements.
type db struct {
	c                                        *sqlite3.Conn
	log, tree, ids, subjects, slots, cursors *sqlite3.Stmt
}

func create(file string) (*db, error) {
	c, err := sqlite3.Open(file)
	if err != nil {
		return nil, err
	}
	d := &db{c: c}
	if mode, err := d.text(`PRAGMA journal_mode = WAL`); err != nil || mode != "wal" {
		return nil, errors.Join(fmt.Errorf("the journal's mode is %q, not wal (%w)", mode, err), c.Close())
	}
	if err := c.Exec(schema); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if full, err := d.text(`PRAGMA synchronous`); err != nil || full != "2" {
		return nil, errors.Join(fmt.Errorf("synchronous is %q, not 2 (%w)", full, err), c.Close())
	}
	for _, s := range []struct {
		to  **sqlite3.Stmt
		sql string
	}{
		{&d.log, `INSERT INTO log VALUES (?, ?, ?)`},
		{&d.tree, `INSERT INTO tree VALUES (?, ?)`},
		{&d.ids, `INSERT INTO ids VALUES (?, ?, ?)`},
		{&d.subjects, `INSERT INTO subjects VALUES (?, ?)`},
		{&d.slots, `INSERT OR REPLACE INTO slots VALUES (?, ?, ?, ?)`},
		{&d.cursors, `INSERT OR REPLACE INTO cursors VALUES (?, ?)`},
	} {
		if *s.to, _, err = c.PrepareFlags(s.sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return d, nil
}

func (d *db) close() error { return d.c.Close() }

// text returns the one value of a query.
func (d *db) text(sql string) (string, error) {
	s, _, err := d.c.Prepare(sql)
	if err != nil {
		return "", err
	}
	defer s.Close()
	if !s.Step() {
		return "", s.Err()
	}
	return s.ColumnText(0), nil
}

func (d *db) count() (n int, err error) {
	text, err := d.text(`SELECT count(*) FROM log`)
	if err == nil {
		_, err = fmt.Sscan(text, &n)
	}
	return n, err
}

// write makes rows durable in one transaction.
func (d *db) write(rows []row) (err error) {
	tx := d.c.Begin()
	defer tx.End(&err)
	for i := range rows {
		if err := d.insert(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func (d *db) insert(r *row) error {
	if err := exec(d.log, d.log.BindInt64(1, r.seq), d.log.BindBlob(2, r.envelope), d.log.BindBlob(3, r.body)); err != nil {
		return err
	}
	for i := range r.hashes {
		if err := exec(d.tree, d.tree.BindInt64(1, r.at+int64(i)), d.tree.BindBlob(2, r.hashes[i][:])); err != nil {
			return err
		}
	}
	if err := exec(d.ids, d.ids.BindText(1, r.id.Acq), d.ids.BindInt64(2, int64(r.id.N)), d.ids.BindInt64(3, r.seq)); err != nil {
		return err
	}
	if err := exec(d.subjects, d.subjects.BindBlob(1, r.subject), d.subjects.BindInt64(2, r.seq)); err != nil {
		return err
	}
	for _, f := range r.facets {
		value := f.Value[:]
		if f.Default {
			value = nil // as in the vault, which stores only that it is the default
		}
		if err := exec(d.slots, d.slots.BindBlob(1, r.subject), d.slots.BindText(2, f.Slot), d.slots.BindBlob(3, value), d.slots.BindInt64(4, r.seq)); err != nil {
			return err
		}
	}
	if r.cursor == nil {
		return nil
	}
	return exec(d.cursors, d.cursors.BindText(1, r.cursor.Name), d.cursors.BindBlob(2, r.cursor.Data))
}

// exec runs a statement whose values were bound with the given outcome.
func exec(s *sqlite3.Stmt, bound ...error) error {
	for _, err := range bound {
		if err != nil {
			return err
		}
	}
	return s.Exec()
}
