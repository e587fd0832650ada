package daemon

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// viewDamage holds, under its key, each damage that was found and has not ended.
const viewDamage = "damage"

// OpenDamage is such a damage.
type OpenDamage struct {
	Record  int64            `json:"record"` // that says so
	At      evidence.Time    `json:"at"`
	Part    string           `json:"part"`
	Blob    evidence.Digest  `json:"blob,omitzero"`
	Records *evidence.SeqRun `json:"records,omitempty"`
	What    string           `json:"what"`
	Aside   string           `json:"aside,omitempty"`
}

func damageKey(part string, blob evidence.Digest, run *evidence.SeqRun) string {
	if part == evidence.DamagedBlob || run == nil {
		return part + "/" + blob.String()
	}
	return fmt.Sprintf("%s/%020d-%020d", part, run.First, run.Last)
}

func applyDamage(r evidence.Record, kv evidence.KV) error {
	switch r.Kind {
	case evidence.KindDamageFound:
		b, err := evidence.Decode[*evidence.DamageFound](r)
		if err != nil {
			return nil //nolint:nilerr // a view skips what is erased or unknown
		}
		v, err := json.Marshal(OpenDamage{Record: r.Seq, At: r.At, Part: b.Part, Blob: b.Blob, Records: b.Records, What: b.What, Aside: b.Aside})
		if err != nil {
			return err
		}
		return kv.Put(damageKey(b.Part, b.Blob, b.Records), v)
	case evidence.KindDamageEnded:
		if b, err := evidence.Decode[*evidence.DamageEnded](r); err == nil {
			return kv.Delete(damageKey(b.Part, b.Blob, b.Records))
		}
	}
	return nil
}

// openDamage returns the damages that have not ended, blobs first.
func (r *Rooms) openDamage(ctx context.Context) (out []OpenDamage, err error) {
	err = r.Vault.Each(ctx, viewDamage, "", func(_ string, value []byte, _ int64) error {
		var o OpenDamage
		err := json.Unmarshal(value, &o)
		out = append(out, o)
		return err
	})
	return out, err
}
