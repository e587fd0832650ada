package bundletest

import (
	"errors"
	"regexp"
)

// Words lists damages to what a third person and a relisting were signed over, which a verifier must refuse as it does Damages. The bag
// must hold one of each.
func Words() []Damage {
	return []Damage{
		remade("another refusal under a third person's word", relead("adjudicates")),
		remade("another mark under a relisting", relead("lifts")),
	}
}

// relead changes the leaf hash that a signed statement gives for the record which a field names.
func relead(field string) edit {
	leaf := regexp.MustCompile(`\\"` + field + `\\":\{\\"seq\\":[0-9]+,\\"leaf\\":\\"[0-9a-f]`)
	return change(bodies, func(b []byte) ([]byte, error) {
		at := leaf.FindIndex(b)
		if at == nil {
			return nil, errors.New("no statement names " + field)
		}
		if last := &b[at[1]-1]; *last == '0' {
			*last = '1'
		} else {
			*last = '0'
		}
		return b, nil
	})
}
