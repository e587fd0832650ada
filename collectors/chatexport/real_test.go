package chatexport_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/chatexport"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// realExport is a public channel's export that lies beside the repository where it is at hand.
const realExport = "../../../shared/data/telegram-export"

func TestRealExport(t *testing.T) {
	if _, err := os.Stat(filepath.Join(realExport, "result.json")); err != nil {
		fmt.Println("not applicable: there is no", realExport)
		return
	}
	path := filepath.Join(t.TempDir(), "vault")
	v, err := vault.Create(path, vaulttest.Options(t))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	o := chatexport.Options{Sink: v, Target: "library", Path: realExport, Media: chatexport.AllMedia()}
	first, err := chatexport.Import(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", first)
	if first.Messages != 924 || first.Posts != 908 || first.Service != 16 || first.Unchanged != 0 || first.Skipped != 0 || !first.Complete() {
		t.Errorf("got %+v, want 908 posts and 16 service messages", first)
	}
	// 484 photos, 24 documents and 23 thumbnails are named; 284 of the names lead to a file.
	if first.MediaKept != 284 || first.MediaUnchanged != 0 || first.MediaMissed[chatexport.MissedAbsent] != 247 || first.Missed() != 247 {
		t.Errorf("got %d kept, missed %v", first.MediaKept, first.MediaMissed)
	}
	size := v.Size()
	again, err := chatexport.Import(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", again)
	if v.Size() != size || again.Records != 0 || again.Unchanged != 924 || again.MediaUnchanged != 284 {
		t.Errorf("again: the vault grew from %d to %d records, %+v", size, v.Size(), again)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if rep, err := vault.Fsck(t.Context(), path, vault.FsckOptions{}); err != nil || len(rep.Problems) > 0 {
		t.Errorf("fsck: %+v, %v", rep, err)
	}
}
