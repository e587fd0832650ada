package chatexport

import (
	"errors"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// reactions become counts: they change all the time and are no version.
func (e *entry) reactions(raw []byte) {
	if isNull(raw) {
		return
	}
	counts := map[string]int64{}
	s := over(raw)
	err := s.array(func() error {
		var emoji, document, typ, count []byte
		err := s.object(func(key []byte) error {
			v, err := s.next()
			switch string(key) {
			case "emoji":
				emoji = v
			case "document_id":
				document = v
			case "type":
				typ = v
			case "count":
				count = v
			}
			return err
		})
		n, bad := number(count)
		if err != nil || bad != nil || n < 0 {
			return errors.Join(err, bad, errText)
		}
		name, _, _ := unquote(emoji)
		if name == "" {
			name, _, _ = unquote(typ)
			if d, err := number(document); err == nil {
				name = "custom " + decimal(d)
			}
		}
		counts[name] += n
		return nil
	}, nil)
	if err != nil {
		e.lose("reactions", strings.ReplaceAll(err.Error(), "\n", ": "))
	}
	if len(counts) > 0 {
		e.counts = &evidence.Post{Post: decimal(e.number), Views: -1, Forwards: -1, Replies: -1, Reactions: counts}
	}
}
