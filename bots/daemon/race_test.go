//go:build race

package daemon

const detectsRaces = true
