package daemon

import (
	"context"
	"encoding/json"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// OpenAlert is a trouble of which people were told and that is not over.
type OpenAlert struct {
	Key   string        `json:"key"`
	What  string        `json:"what"`
	Do    string        `json:"do,omitempty"`
	Since evidence.Time `json:"since"`
	Last  evidence.Time `json:"last"`  // when it was last tried to tell somebody
	Count int           `json:"count"` // messages that arrived
	Wide  bool          `json:"wide,omitempty"`
	// Untold is set where nobody could be told, or not of its end.
	Untold string `json:"untold,omitempty"` // the event
}

// applyAlerts keeps, under its key, each alert that is not over. It is what makes a restart neither repeat nor forget one.
func applyAlerts(r evidence.Record, kv evidence.KV) error {
	if r.Kind != evidence.KindAlert {
		return nil
	}
	a, err := evidence.Decode[*evidence.Alert](r)
	if err != nil {
		return nil //nolint:nilerr // a view skips what is erased or unknown
	}
	arrived := a.Arrived()
	if a.Event == evidence.AlertEnded && arrived {
		return kv.Delete(a.Key)
	}
	o := OpenAlert{Key: a.Key, What: a.What, Do: a.Do, Since: a.Since, Last: r.At, Count: a.Count, Wide: a.Wide}
	if !arrived {
		o.Untold = a.Event
		o.Count-- // this one did not arrive
	}
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return kv.Put(a.Key, b)
}

// openAlerts returns the alerts that are not over, by their key.
func (r *Rooms) openAlerts(ctx context.Context) (map[string]OpenAlert, error) {
	out := map[string]OpenAlert{}
	err := r.Vault.Each(ctx, viewAlerts, "", func(key string, value []byte, _ int64) error {
		var o OpenAlert
		if err := json.Unmarshal(value, &o); err != nil {
			return err
		}
		out[key] = o
		return nil
	})
	return out, err
}
