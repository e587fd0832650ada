package evidence

import (
	"fmt"
	"strings"
)

// Says tells in plain words why a file is not here, by which rule of the target's configuration, and when it
// is tried again. Only the reasons and rules that this program writes are put into words; others stand as they are.
func (m *MediaMissed) Says() string {
	thing := "it"
	if m.Thumbnail {
		thing = "its smaller rendering"
	}
	s := reasonSays(m.Reason, thing)
	if m.Rule != "" {
		s += ": " + ruleSays(m.Rule)
	}
	if m.Size > 0 {
		s += fmt.Sprintf("; %d bytes are announced", m.Size)
	}
	switch {
	case !m.Next.IsZero():
		s += "; next try " + m.Next.UTC().Format("2006-01-02 15:04 UTC")
	case m.Attempts > 0:
		s += fmt.Sprintf("; given up after %d attempts", m.Attempts)
	}
	return s
}

// Says tells in plain words what a kept file stands for; nothing where it is the file itself.
func (k *MediaKept) Says() string {
	if !k.Thumbnail {
		return ""
	}
	if k.StandsFor == "" {
		return "a smaller rendering of the file"
	}
	return "a smaller rendering, in place of the file itself: " + ruleSays(k.StandsFor)
}

func reasonSays(reason, thing string) string {
	switch reason {
	case "too-large":
		return thing + " is larger than may be kept"
	case "not-collected":
		return thing + " is of a sort that is not collected"
	case "not-included", "missing":
		return thing + " is not in the export"
	case "unreachable":
		return thing + " could not be fetched"
	case "gone":
		return "the platform no longer serves " + thing
	case "unsafe-path":
		return "its name in the export leads out of the export"
	}
	return reason
}

// ruleSays explains a rule and names it, for whoever wants to change it.
func ruleSays(rule string) string {
	said := "by the target's configuration"
	kind, one := strings.CutPrefix(rule, "collect.max_bytes_of.")
	switch {
	case rule == "collect.max_bytes":
		said = "the target's limit for one file"
	case one:
		said = "the target's limit for one file of the kind " + kind
	case rule == "collect.media":
		said = "the target keeps no files of this kind"
	case rule == "collect.mime.deny":
		said = "the target keeps no files of this type"
	case rule == "collect.mime.allow":
		said = "the type is not among those that the target keeps"
	}
	return said + " (rule " + rule + ")"
}
