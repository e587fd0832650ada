package main

import (
	"strconv"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// sourceRows is the table of our own accounts and other sources, with what is to be done about each.
func sourceRows(list []daemon.SourceState) [][]string {
	rows := [][]string{{"SOURCE", "STATE", "SINCE", "UNTIL", ""}}
	for _, src := range list {
		until := src.Until
		if !src.FrozenUntil.IsZero() {
			until = src.FrozenUntil // when the platform deletes the account
		}
		what := src.Detail
		if src.Advice != "" {
			what = src.Advice
		}
		rows = append(rows, []string{src.Name, src.State, stamp(src.Since), stamp(until), what})
	}
	return rows
}

// alertRows is the table of the troubles that are not over.
func alertRows(list []daemon.OpenAlert) [][]string {
	rows := [][]string{{"ALERT", "SINCE", "MESSAGES", "LAST", ""}}
	for _, a := range list {
		told := strconv.Itoa(a.Count)
		if a.Untold != "" {
			told += ", the last one reached nobody"
		}
		rows = append(rows, []string{a.Key, stamp(a.Since), told, stamp(a.Last), a.What})
	}
	return rows
}

func stamp(t evidence.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}
