package main

import "runtime/debug"

// build names this program in records: module version and revision, as the Go tool chain stamped them.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "muhafiz (unknown build)"
	}
	v := "muhafiz " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v += " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return v + " " + info.GoVersion
}
