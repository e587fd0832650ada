package bundle

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"
)

// seal writes the bag as a tar archive encrypted to the recipient. The archive's member names begin with the bag's name.
func (b *builder) seal(ctx context.Context, path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".unfinished-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, unlink(f.Name()))
		}
	}()
	enc, err := age.Encrypt(f, b.o.Recipient)
	if err != nil {
		return errors.Join(fmt.Errorf("seal bundle: %w", err), f.Close())
	}
	tw := tar.NewWriter(enc)
	err = b.archive(ctx, tw)
	if err := errors.Join(err, tw.Close(), enc.Close(), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil { // unlike rename, a link never replaces
		return err
	}
	return errors.Join(unlink(f.Name()), syncDir(filepath.Dir(path)))
}

func (b *builder) archive(ctx context.Context, tw *tar.Writer) error {
	for _, p := range b.bag.paths(func(string) bool { return true }) {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := &tar.Header{Name: b.o.Name + "/" + p, Mode: 0o600, Size: b.bag.entries[p].size, ModTime: b.at, Format: tar.FormatPAX, Typeflag: tar.TypeReg}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		f, err := os.Open(filepath.Join(b.bag.dir, filepath.FromSlash(p)))
		if err != nil {
			return err
		}
		_, err = io.Copy(tw, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

func recipientText(o Options) string {
	if o.Recipient == nil {
		return ""
	}
	if s, ok := o.Recipient.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", o.Recipient)
}
