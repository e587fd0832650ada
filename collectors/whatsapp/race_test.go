//go:build race

package whatsapp_test

const detectsRaces = true
