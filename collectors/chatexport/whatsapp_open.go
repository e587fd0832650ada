package chatexport

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// The limits of an archive's directory.
const (
	maxDirectory = 64 << 20 // bytes
	maxChats     = 50       // text files that are looked into
)

// chatText is an opened WhatsApp export: its text, and where the files lie that it names.
type chatText struct {
	name  string // base name of the text
	whole bool   // the export was given with its files: as an archive or as a folder
	root  *os.Root
	file  *os.File // the text, or the archive
	stat  os.FileInfo
	zip   map[string]*zip.File // by name; nil: no archive
	twice map[string]bool
}

// IsWhatsApp reports whether path is a WhatsApp export, by content: an archive or a folder that holds one, or its text.
func IsWhatsApp(name string) bool {
	if st, err := os.Stat(name); err == nil && st.IsDir() {
		for _, other := range []string{"result.json", captureFile} {
			if _, err := os.Stat(filepath.Join(name, other)); err == nil {
				return false
			}
		}
	}
	x, err := openChat(name)
	if err != nil {
		return false
	}
	defer x.close()
	return x.zip != nil || x.begins()
}

// begins reports whether the text begins as an export does.
func (x *chatText) begins() bool {
	in, err := x.text()
	if err != nil {
		return false
	}
	defer in.Close()
	return beginsAsChat(in)
}

func beginsAsChat(r io.Reader) bool {
	head := make([]byte, 4<<10)
	n, _ := io.ReadFull(r, head)
	first, _, _ := strings.Cut(strings.TrimLeft(string(head[:n]), "\ufeff\r\n "), "\n")
	_, ok := readHeader([]byte(first))
	return ok
}

// openChat opens a WhatsApp export: a text, an archive, or a folder that holds the text.
func openChat(name string) (*chatText, error) {
	name, err := filepath.EvalSymlinks(name) // whoever imports may give a link; beside the text none is followed
	if err != nil {
		return nil, fmt.Errorf("open export: %w", err)
	}
	st, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("open export: %w", err)
	}
	x := &chatText{}
	dir, base := filepath.Dir(name), filepath.Base(name)
	if st.IsDir() {
		dir, base, x.whole = name, "", true
	}
	if x.root, err = os.OpenRoot(dir); err != nil {
		return nil, fmt.Errorf("open export: %w", err)
	}
	if base == "" {
		base, err = x.inFolder()
	}
	if err == nil {
		err = x.open(base)
	}
	if err != nil {
		return nil, errors.Join(err, x.close())
	}
	return x, nil
}

func (x *chatText) open(base string) (err error) {
	x.name = base
	if x.file, err = x.root.OpenFile(base, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
		return fmt.Errorf("open export: %w", err)
	}
	if x.stat, err = x.file.Stat(); err != nil {
		return fmt.Errorf("open export: %w", err)
	}
	if !x.stat.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file; save the export to one first", base)
	}
	magic := make([]byte, 4)
	if n, _ := x.file.ReadAt(magic, 0); n == 4 && string(magic) == "PK\x03\x04" {
		return x.archive()
	}
	return nil
}

// inFolder finds the one text of a folder that begins as an export does.
func (x *chatText) inFolder() (string, error) {
	list, err := fs.ReadDir(x.root.FS(), ".")
	if err != nil {
		return "", fmt.Errorf("open export: %w", err)
	}
	var found []string
	looked := 0
	for _, f := range list {
		if !f.Type().IsRegular() || !isText(f.Name()) {
			continue
		}
		if looked++; looked > maxChats {
			break
		}
		if in, err := x.root.Open(f.Name()); err == nil {
			if beginsAsChat(in) {
				found = append(found, f.Name())
			}
			in.Close()
		}
	}
	return chosen(found)
}

func isText(name string) bool { return strings.EqualFold(filepath.Ext(name), ".txt") }

func chosen(found []string) (string, error) {
	switch {
	case slices.Contains(found, "_chat.txt"):
		return "_chat.txt", nil
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return "", errors.New("there is no text in it that begins as a WhatsApp export does (_chat.txt, or WhatsApp Chat with NAME.txt); export the chat again, or name the file")
	}
	return "", fmt.Errorf("%d texts in it begin as WhatsApp exports do; put the one of the channel into a folder of its own with its files", len(found))
}

// archive reads the directory of a zip file. Nothing is unpacked: entries are only ever looked up by name and read as streams.
func (x *chatText) archive() error {
	r := &limited{r: x.file, left: maxDirectory}
	z, err := zip.NewReader(r, x.stat.Size())
	if r.left < 0 {
		return fmt.Errorf("%w: the archive's directory is larger than %d MiB, which no export's is", ErrRefused, maxDirectory>>20)
	}
	if err != nil {
		return fmt.Errorf("the archive cannot be read (%w); export the chat again", err)
	}
	r.open = true
	x.whole, x.zip, x.twice = true, make(map[string]*zip.File, len(z.File)), map[string]bool{}
	var found []string
	looked := 0
	for _, f := range z.File {
		x.twice[f.Name] = x.zip[f.Name] != nil
		x.zip[f.Name] = f
		if !isText(f.Name) || strings.ContainsAny(f.Name, `/\`) {
			continue
		}
		if looked++; looked > maxChats {
			break
		}
		if in, err := f.Open(); err == nil {
			if beginsAsChat(in) {
				found = append(found, f.Name)
			}
			in.Close()
		}
	}
	if x.name, err = chosen(found); err == nil && x.twice[x.name] {
		err = fmt.Errorf("%w: the archive holds %s twice", ErrRefused, x.name)
	}
	return err
}

// limited bounds what is read of an archive before its entries are: only the directory is held in memory.
type limited struct {
	r    io.ReaderAt
	left int64
	open bool
}

// ReadAt implements io.ReaderAt.
func (l *limited) ReadAt(p []byte, at int64) (int, error) {
	if !l.open {
		if l.left -= int64(len(p)); l.left < 0 {
			return 0, errors.New("the directory is too large")
		}
	}
	return l.r.ReadAt(p, at)
}

// text opens the export's text from its start.
func (x *chatText) text() (io.ReadCloser, error) {
	if x.zip != nil {
		return x.zip[x.name].Open()
	}
	return io.NopCloser(io.NewSectionReader(x.file, 0, x.stat.Size())), nil
}

// medium opens a file that the text names. Anybody who writes a post can name any file: a name is plain, and where the text was
// given alone, without the word that all beside it belongs to the export, it is one that a phone gives.
func (x *chatText) medium(name string) (io.ReadCloser, int64, *missed) {
	switch {
	case strings.ContainsAny(name, "/\\\x00") || strings.HasPrefix(name, ".") || name == x.name || isText(name) && strings.Contains(strings.ToLower(name), "chat"):
		return nil, 0, &missed{MissedUnsafe, "no plain name of an attachment"}
	case !x.whole && !androidFile.MatchString(name) && !appleFile.MatchString(name):
		return nil, 0, &missed{MissedUnsafe, "not a name that WhatsApp gives; import the archive, or the folder instead of the text"}
	case x.zip != nil:
		return x.entry(name)
	}
	k := &keeper{root: x.root, plain: true}
	return k.open(name)
}

func (x *chatText) entry(name string) (io.ReadCloser, int64, *missed) {
	f := x.zip[name]
	switch {
	case f == nil:
		return nil, 0, &missed{MissedAbsent, ""}
	case x.twice[name]:
		return nil, 0, &missed{MissedUnsafe, "the archive holds it twice"}
	case !f.Mode().IsRegular():
		return nil, 0, &missed{MissedNotRegular, f.Mode().Type().String()}
	case f.Flags&1 != 0:
		return nil, 0, &missed{MissedUnreadable, "encrypted"}
	}
	in, err := f.Open()
	if err != nil {
		return nil, 0, &missed{MissedUnreadable, plain(err)}
	}
	return in, int64(min(f.UncompressedSize64, 1<<62)), nil
}

// changed reports whether the file was written to since it was opened.
func (x *chatText) changed() bool {
	st, err := x.file.Stat()
	return err != nil || st.Size() != x.stat.Size() || !st.ModTime().Equal(x.stat.ModTime())
}

func (x *chatText) close() error {
	var err error
	if x.file != nil {
		err = x.file.Close()
	}
	return errors.Join(err, x.root.Close())
}
