package whatsapp

import (
	"fmt"

	"github.com/rs/zerolog"
	waLog "go.mau.fi/whatsmeow/util/log"
)

// bridge writes the client library's log to ours, one level lower: what matters to people is logged by this package. Its debug lines hold
// whole elements, with the text of posts and keys, and are dropped; so are the arguments of the others, which may quote an element.
type bridge struct{ log zerolog.Logger }

var _ waLog.Logger = bridge{}

// Errorf implements waLog.Logger.
func (b bridge) Errorf(msg string, args ...any) { b.write(zerolog.WarnLevel, msg, args) }

// Warnf implements waLog.Logger.
func (b bridge) Warnf(msg string, args ...any) { b.write(zerolog.DebugLevel, msg, args) }

// Infof implements waLog.Logger.
func (b bridge) Infof(msg string, args ...any) { b.write(zerolog.TraceLevel, msg, args) }

// Debugf implements waLog.Logger.
func (bridge) Debugf(string, ...any) {}

// Sub implements waLog.Logger.
func (b bridge) Sub(module string) waLog.Logger {
	return bridge{b.log.With().Str("module", module).Logger()}
}

func (b bridge) write(l zerolog.Level, msg string, args []any) {
	e := b.log.WithLevel(l)
	if b.log.GetLevel() > l || zerolog.GlobalLevel() > l {
		return
	}
	for i, a := range args {
		if err, ok := a.(error); ok {
			e = e.AnErr(fmt.Sprintf("arg%d", i), err)
		}
	}
	e.Str("said", msg).Msg("client library")
}
