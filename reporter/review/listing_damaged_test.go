package review_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// A list that is not there as it was signed holds nobody up but those who would rest on it.
func TestAListThatIsMissingOrDamaged(t *testing.T) {
	front := targetSet("front", "ana", "https://t.me/front_simulated", true)
	moved := *front
	moved.Address = "https://t.me/moved_simulated"
	for name, c := range map[string]struct {
		spoil func(file string) error
		says  string
	}{
		"missing": {os.Remove, "is missing"},
		"damaged": {func(f string) error { return os.WriteFile(f, []byte("simulated harm\n"), 0o600) }, "is damaged"},
		// Whoever can write the file would have a target listed that nobody signed for.
		"another list": {func(f string) error { return os.WriteFile(f, []byte(listOf(&moved).Text()), 0o600) }, "is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.list("ana", front)
			d.unsigned(front)
			if name == "another list" {
				d.unsigned(&moved)
				d.list("ana", front) // of after the change: it does not hold the target as it is set
			}
			sum := evidence.Sum([]byte(listOf(front).Text())).String()
			file := filepath.Join(d.vault.Path(), "blobs", "sha256", sum[:2], sum)
			whole, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(file); err != nil {
				t.Fatal(err)
			}
			refused(t, d.approveTarget("bilal", "front"), review.ListDamaged, "")
			s := d.Signings()
			refused(t, s.Unsigned(t.Context(), d.target("front")), review.ListDamaged, "")
			if says := s.Damaged(); len(says) == 0 || !strings.Contains(says[0], sum+") "+c.says) || !strings.Contains(says[0], "muhafiz scrub --from BACKUP") {
				t.Errorf("got %q", says)
			}
			if err := os.WriteFile(file, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := d.approveTarget("bilal", "front"); (err == nil) != (name != "another list") {
				t.Errorf("with the list back: %v", err)
			}
		})
	}
}
