package vault

import (
	"runtime/debug"

	bolt "go.etcd.io/bbolt"
)

// The database is mapped into memory and bbolt trusts its pages, so that a damaged or shortened file shows itself as a fault or a
// panic. Here they become errors.

// faults makes faults of this goroutine panics until the function that it returns is called.
func faults() (restore func()) {
	before := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(before) }
}

// guard turns a panic of the caller into a call of fn. It is to be deferred.
func guard(fn func(what any)) {
	if what := recover(); what != nil {
		fn(what)
	}
}

// safely runs fn and returns as an error what a damaged page made of it.
func safely(fn func() error) (err error) {
	defer faults()()
	defer guard(func(what any) {
		err = mark(ErrDamaged, "vault.db is damaged (%v): run muhafiz fsck, restore it from a backup", what)
	})
	return fn()
}

func openBolt(file string, o *bolt.Options) (db *bolt.DB, err error) {
	err = safely(func() (err error) {
		db, err = bolt.Open(file, 0o600, o)
		return err
	})
	return db, err
}
