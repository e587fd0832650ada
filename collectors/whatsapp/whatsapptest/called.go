package whatsapptest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// CalledEnv names a folder in which every process with a server notes what was ever sent, a line each: platform and kind. scripts/test
// collects them over all tests.
const CalledEnv = "MUHAFIZ_CALLED"

// tell notes the first call of a kind to this server. One that cannot be noted stops the test, since nobody would miss it.
func tell(kind string) {
	dir := os.Getenv(CalledEnv)
	if dir == "" {
		return
	}
	name := filepath.Join(dir, "whatsapp-"+strconv.Itoa(os.Getpid()))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, "whatsapp", kind)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		panic("whatsapptest: note what was sent: " + err.Error())
	}
}
