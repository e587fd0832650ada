package diary

import (
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// part names what was damaged.
func part(what string, blob evidence.Digest, run *evidence.SeqRun) string {
	switch {
	case what == evidence.DamagedBlob:
		return "the blob " + blob.String()
	case run == nil:
		return "a record"
	case what == evidence.DamagedTree:
		return fmt.Sprintf("a hash over the records %d to %d", run.First, run.Last)
	case run.First == run.Last:
		return fmt.Sprintf("the record %d", run.First)
	}
	return fmt.Sprintf("the records %d to %d", run.First, run.Last)
}

func damaged(b *evidence.DamageFound) string {
	s := "found " + part(b.Part, b.Blob, b.Records) + " damaged: " + Visible(b.What)
	if b.Aside != "" {
		s += "; the damaged file lies at " + Visible(b.Aside)
	}
	return s
}

func mended(b *evidence.DamageEnded) string {
	what := part(b.Part, b.Blob, b.Records)
	switch b.How {
	case evidence.MendRefetched:
		return "has " + what + " whole again: " + Visible(b.By) + " was served the same bytes once more"
	case evidence.MendBackup:
		return "has " + what + " whole again, from the backup " + Visible(b.By)
	case evidence.MendNeedless:
		return "no longer needs " + what + ", which was damaged"
	}
	return "found " + what + " whole again"
}
