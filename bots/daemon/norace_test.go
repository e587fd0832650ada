//go:build !race

package daemon

const detectsRaces = false
