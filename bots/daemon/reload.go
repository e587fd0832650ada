package daemon

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long the configuration's files must be quiet before they are read: editors write in several steps.
const settle = 300 * time.Millisecond

// watchFiles reloads the configuration on SIGHUP and when one of its files changes. Folders are watched, not files, since
// editors put a new file in the old one's place. What changes after it returned is noticed; the returned function does the work.
func (d *Daemon) watchFiles() (func(context.Context) error, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch the configuration: %w", err)
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	files := d.watched(w)
	return func(ctx context.Context) error {
		defer w.Close()
		defer signal.Stop(hup)
		return d.reloadOn(ctx, w, hup, files)
	}, nil
}

func (d *Daemon) reloadOn(ctx context.Context, w *fsnotify.Watcher, hup <-chan os.Signal, files map[string]bool) error {
	var quiet <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hup:
			quiet = d.o.After(0)
		case ev := <-w.Events:
			if files[ev.Name] || files[filepath.Dir(ev.Name)+"/*"] {
				quiet = d.o.After(settle)
			}
		case err := <-w.Errors:
			d.o.Log.Warn().Err(err).Msg("watching the configuration; send SIGHUP to reload it")
		case <-quiet:
			quiet = nil
			if _, err := d.Reload(ctx); err != nil && ctx.Err() == nil && isFatal(err) {
				return err
			}
			files = d.watched(w)
		}
	}
}

// watched makes the watcher look at every folder that holds a configuration file, and returns the files' paths, and `DIR/*` for the
// folders of watchlists, where a new file matters as well.
func (d *Daemon) watched(w *fsnotify.Watcher) map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	files := map[string]bool{}
	for i, f := range d.cfg.Files {
		files[f.Path] = true
		dir := filepath.Dir(f.Path)
		if i > 1 {
			files[dir+"/*"] = true // muhafiz.yaml and the organisations file come first
		}
		if err := w.Add(dir); err != nil {
			d.o.Log.Warn().Err(err).Str("folder", dir).Msg("cannot watch; send SIGHUP to reload")
		}
	}
	return files
}
