package daemon

import (
	"errors"
	"strings"
	"syscall"
)

type advice struct {
	errno syscall.Errno
	says  string
}

// advices are next steps for what the system says when it refuses a call.
func advices() []advice {
	return []advice{
		{syscall.ENOSPC, "the disk is full: free some space and try again"},
		{syscall.EDQUOT, "the disk quota is used up: free some space and try again"},
		{syscall.EFBIG, "a limit on the size of files forbids it: raise it (ulimit -f, LimitFSIZE of the unit) and try again"},
		{syscall.EMFILE, "too many files are open: raise the limit (ulimit -n, LimitNOFILE of the unit) and start the daemon again"},
		{syscall.ENFILE, "too many files are open on this machine: close some and try again"},
		{syscall.ENOMEM, "there is not enough memory or address space: free some, or raise the limit (ulimit -v), and try again"},
		{syscall.EROFS, "the disk is read-only: read the kernel's log (dmesg) for the reason, mount it for writing and run muhafiz fsck"},
		{syscall.EIO, "the disk reports an error: read the kernel's log (dmesg), see to the disk or a backup, and run muhafiz fsck"},
	}
}

// Advised is err with the next step where a call to the system is what failed.
func Advised(err error) error {
	if err == nil || isFatal(err) { // a vault that stopped says itself what is next
		return err
	}
	for _, a := range advices() {
		if errors.Is(err, a.errno) || strings.HasSuffix(err.Error(), ": "+a.errno.Error()) { // bbolt passes on some as text alone
			return &advised{err, a.says}
		}
	}
	return err
}

type advised struct {
	error
	says string
}

func (a *advised) Error() string { return a.error.Error() + "; " + a.says }
func (a *advised) Unwrap() error { return a.error }
