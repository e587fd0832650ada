package notice

import "strings"

// Row is one cell of the table of what is admissible.
type Row struct {
	Kind     string   `json:"kind"`
	Ground   Ground   `json:"ground"`
	Notifier Notifier `json:"notifier"`
	Allowed  bool     `json:"allowed"`
	Sentence string   `json:"sentence,omitempty"` // why not, or what it still needs
}

// Table asks Admissible for every kind of notice on every single ground from every sort of notifier.
func Table() []Row {
	var out []Row
	for _, kind := range Kinds() {
		for _, g := range tableGrounds() {
			for _, n := range tableNotifiers() {
				ok, sentence := Admissible(kind, []Ground{g}, n)
				out = append(out, Row{kind, g, n, ok, sentence})
			}
		}
	}
	return out
}

// tableGrounds are one of each sort; France stands for the member states, as Germany does among the notifiers.
func tableGrounds() []Ground {
	return []Ground{
		"designation/UN", "designation/EU", "designation/FR", "designation/GB", "designation/US", "designation/PK", "designation/other",
		GroundOffence, GroundRules,
	}
}

func tableNotifiers() []Notifier {
	return []Notifier{
		{Status: Ordinary}, {Status: TrustedFlagger}, {Authority, "DE"}, {Authority, "GB"}, {Authority, "US"}, {Authority, "PK"},
	}
}

// Folded is Table for a screen: grounds and notifiers with the same answer share a line.
func Folded() [][]string {
	rows := [][]string{{"NOTICE", "GROUND", "NOTIFIER", "ANSWER"}}
	table := Table()
	for _, kind := range Kinds() {
		var lines [][]string
		for _, g := range tableGrounds() {
			for _, l := range foldNotifiers(table, kind, g) {
				lines = join(lines, l)
			}
		}
		for _, l := range lines {
			if l[1] == all(len(tableGrounds()), func(i int) string { return string(tableGrounds()[i]) }) {
				l[1] = "any of them"
			}
			rows = append(rows, l)
		}
	}
	return rows
}

// foldNotifiers gathers the notifiers who get the same answer on one ground.
func foldNotifiers(table []Row, kind string, g Ground) [][]string {
	var lines [][]string
	for _, r := range table {
		if r.Kind != kind || r.Ground != g {
			continue
		}
		answer := "allowed"
		switch {
		case !r.Allowed:
			_, why, _ := strings.Cut(r.Sentence, ": ")
			answer = "refused: " + why
		case strings.Contains(r.Sentence, " alone"):
			answer += "; a senior approves it first, since the organisation stands on the list of one state alone"
		case r.Sentence != "":
			answer += "; " + r.Sentence
		}
		i := len(lines)
		for j, l := range lines {
			if l[3] == answer {
				i = j
			}
		}
		if i == len(lines) {
			lines = append(lines, []string{kind, string(g), r.Notifier.String(), answer})
			continue
		}
		lines[i][2] += ", " + r.Notifier.String()
	}
	for _, l := range lines {
		if l[2] == all(len(tableNotifiers()), func(i int) string { return tableNotifiers()[i].String() }) {
			l[2] = "anybody"
		}
	}
	return lines
}

// join adds a line, or its ground to the line with the same notifiers and answer.
func join(lines [][]string, l []string) [][]string {
	for _, have := range lines {
		if have[2] == l[2] && have[3] == l[3] {
			have[1] += ", " + l[1]
			return lines
		}
	}
	return append(lines, l)
}

func all(n int, name func(int) string) string {
	var out []string
	for i := range n {
		out = append(out, name(i))
	}
	return strings.Join(out, ", ")
}
