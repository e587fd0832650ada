package telegram

import (
	"context"

	"github.com/gotd/log"
	"github.com/rs/zerolog"
)

// bridge writes the client library's log records to ours, one level lower: what matters to people is logged by this package.
type bridge struct{ log zerolog.Logger }

func (b bridge) level(l log.Level) zerolog.Level {
	switch {
	case l < log.LevelInfo:
		return zerolog.TraceLevel
	case l < log.LevelError:
		return zerolog.DebugLevel
	}
	return zerolog.WarnLevel
}

// Enabled implements log.Logger.
func (b bridge) Enabled(_ context.Context, l log.Level) bool {
	return b.log.GetLevel() <= b.level(l) && zerolog.GlobalLevel() <= b.level(l)
}

// Log implements log.Logger.
func (b bridge) Log(_ context.Context, l log.Level, msg string, attrs ...log.Attr) {
	e := b.log.WithLevel(b.level(l))
	if !b.Enabled(context.Background(), l) || e == nil {
		return
	}
	for _, a := range attrs {
		switch a.Value.Kind() {
		case log.KindInt64:
			e = e.Int64(a.Key, a.Value.Int64())
		case log.KindBool:
			e = e.Bool(a.Key, a.Value.Bool())
		case log.KindDuration:
			e = e.Dur(a.Key, a.Value.Duration())
		case log.KindError:
			e = e.AnErr(a.Key, a.Value.Error())
		default:
			e = e.Str(a.Key, a.Value.String())
		}
	}
	e.Msg(msg)
}
