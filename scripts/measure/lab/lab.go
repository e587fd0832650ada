// Package lab is what the measuring programs share: a fresh vault with the views that the program itself keeps, profiles, and
// figures with their spread. It promises nothing about the machine: only ratios within one run can be compared.
package lab

import (
	"crypto/rand"
	"fmt"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"

	"github.com/rs/zerolog"
	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// Options are those of a vault with a throw-away key and all of the program's views.
func Options() (vault.Options, error) {
	skey, vkey, err := note.GenerateKey(rand.Reader, "bench.example/simulated")
	if err != nil {
		return vault.Options{}, err
	}
	signer, err := note.NewSigner(skey)
	return vault.Options{Views: daemon.Views(), Signer: signer, LogKey: vkey, Build: "bench", Log: zerolog.Nop()}, err
}

// Vault makes a vault with Options.
func Vault(path string) (*vault.Vault, error) { return create(path, nil) }

// SealedVault makes one that is sealed. Its vault key is an age identity beside it, called path.key.
func SealedVault(path string) (*vault.Vault, error) {
	if _, err := secrets.WriteVaultKey(path + ".key"); err != nil {
		return nil, err
	}
	keys, err := Keys(path)
	if err != nil {
		return nil, err
	}
	return create(path, keys)
}

// Make makes a fresh vault, sealed or not.
func Make(path string, sealed bool) (*vault.Vault, error) {
	if sealed {
		return SealedVault(path)
	}
	return Vault(path)
}

// Keys are those of a vault that SealedVault made.
func Keys(path string) (*vault.Keys, error) {
	key, err := secrets.LoadVaultKey(path+".key", "")
	if err != nil {
		return nil, err
	}
	return &vault.Keys{Sealer: key}, nil
}

func create(path string, keys *vault.Keys) (*vault.Vault, error) {
	o, err := Options()
	if err != nil {
		return nil, err
	}
	o.Keys = keys
	return vault.Create(path, o)
}

// Profile writes a CPU profile to a file until the returned function is called; without a file it does nothing.
func Profile(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

// Figures are the values of several runs, ascending.
type Figures struct {
	All    []float64 `json:"all"`
	Min    float64   `json:"min"`
	Median float64   `json:"median"`
	Max    float64   `json:"max"`
}

// Summarise sorts a copy of the values, of which there must be one at least.
func Summarise(all []float64) Figures {
	all = slices.Clone(all)
	slices.Sort(all)
	return Figures{all, all[0], all[len(all)/2], all[len(all)-1]}
}

// Memory returns a part of the resident set in MB, as /proc/self/status names it: VmRSS, RssAnon, VmHWM. A log's file is mapped and counts
// in VmRSS as far as it was read.
func Memory(part string) (float64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), part+":")
	var kb float64
	_, err = fmt.Sscan(rest, &kb)
	return kb / 1024, err
}

// CPU returns the processor time that this process has used in all its threads, in microseconds: unlike a rate it hardly depends on
// what else the machine does.
func CPU() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e3
}
