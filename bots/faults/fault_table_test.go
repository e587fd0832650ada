package faults

import "os"

// faults are the lines of the table for a daemon that runs.
func faults() []fault {
	return []fault{
		{call: "mkdirat", where: "a new blob's folder", errno: "ENOSPC", prepare: importingFirst, goesOn: true},
		{call: "mkdirat", where: "a new blob's folder", errno: "EROFS", prepare: importingFirst},
		{call: "write", where: "a new blob's temporary file", errno: "EFBIG", prepare: importingMuch, limit: aboveLog, goesOn: true},
		{call: "fsync", where: "a new blob's temporary file", errno: "EIO", prepare: importing(anywhere)},
		{call: "renameat", where: "a new blob into place", errno: "ENOSPC", prepare: importing(itself), goesOn: true},
		{call: "renameat", where: "a new blob into place", errno: "EIO", prepare: importing(itself)},
		{call: "fsync", where: "a new blob's folder", errno: "EIO", prepare: importing(folder)},

		{call: "pwrite64", where: "vault.db, a commit's pages", errno: "ENOSPC", prepare: ordering("vault/vault.db")},
		{call: "pwrite64", where: "vault.db, a commit's pages", errno: "EIO", prepare: ordering("vault/vault.db")},
		{call: "fdatasync", where: "vault.db, a commit", errno: "EIO", prepare: ordering("vault/vault.db")},

		{call: "fsync", where: "a new data key's file", errno: "EIO", prepare: deciding(""), says: "keyring"},
		{call: "openat", where: "a new data key's file", errno: "EROFS", prepare: deciding(""), says: "keyring"},
		{call: "openat", where: "a new data key's file", errno: "EMFILE", prepare: deciding(""), says: "keyring"},
		{call: "write", where: "a new data key's file", errno: "EFBIG", prepare: deciding(""), limit: func(*observer) uint64 { return 0 }, says: "keyring"},
		{call: "renameat", where: "a new data key into place", errno: "ENOSPC", prepare: deciding(""), says: "keyring"},
		{call: "renameat", where: "a new data key into place", errno: "EIO", prepare: deciding(""), says: "keyring"},
		{call: "fsync", where: "the key ring's folder", errno: "EIO", prepare: deciding("keyring"), says: "keyring"},

		{call: "openat", where: "what the key ring saw of the log", errno: "EROFS", prepare: signing("keyring/head.json.new"), goesOn: true},
		{call: "write", where: "what the key ring saw of the log", errno: "ENOSPC", prepare: signing("keyring/head.json.new"), goesOn: true},
		{call: "fsync", where: "what the key ring saw of the log", errno: "EIO", prepare: signing("keyring/head.json.new"), goesOn: true},
		{call: "renameat", where: "what the key ring saw of the log", errno: "EIO", prepare: signing("keyring/head.json"), goesOn: true},

		{call: "ftruncate", where: "vault.db, growth", errno: "ENOSPC", prepare: growing},
		{call: "fsync", where: "vault.db, growth", errno: "EIO", prepare: growing},
	}
}

// aboveLog is a size that the log's file does not reach soon, and a photo does.
func aboveLog(o *observer) uint64 {
	st, err := os.Stat(o.s.path("vault", "vault.db"))
	if err != nil {
		o.s.t.Fatal(err)
	}
	return uint64(st.Size()) + 200_000
}
