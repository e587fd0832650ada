package intake

import (
	"fmt"
	"strings"
)

// merge copies the value of a merged range's first cell down its first column, so that a platform or date that was merged over several
// rows counts for each of them. Copies are marked, so that a merged link is not taken for several.
func (t *Table) merge(ref string, index map[int]int) {
	from, to, ok := strings.Cut(ref, ":")
	if !ok {
		return
	}
	col, top, fromOK := coordinates(from)
	_, bottom, toOK := coordinates(to)
	first, ok := index[top]
	if !fromOK || !toOK || !ok || col > len(t.Rows[first].Cells) {
		return
	}
	value := t.Rows[first].Cells[col-1]
	for i := first + 1; i < len(t.Rows) && t.Rows[i].Number <= bottom; i++ {
		r := &t.Rows[i]
		for len(r.Cells) < col {
			r.Cells = append(r.Cells, "")
		}
		if t.copied++; t.copied > maxCopies {
			return
		}
		if r.Cells[col-1] == "" {
			r.Cells[col-1] = value
			r.mark(col-1, fmt.Sprintf("%smerged with row %d", mergedMark, top))
		}
	}
}

// maxCopies bounds the work that merged ranges make.
const maxCopies = 4 * MaxRows

// mergedMark begins the mark of a cell that shows another's value; it is no fault.
const mergedMark = "\x00"
