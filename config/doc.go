// Package config reads muhafiz.yaml and the files that it names (people's keys, the organisations file, the watchlists) into one
// Config. The commented structs are the reference manual.
//
// It promises that a Config it returns is whole: every reference resolves, every address is normalised and unique, every secret was
// read from a private file or the environment. Otherwise it returns all errors at once, each with file, line, column and path, and
// never panics, whatever the bytes. A key that it does not know is refused, so a misspelt safeguard cannot be a missing one.
//
// It does not promise that what the files say is true: a designation, a citation or an affiliation basis is a statement of the
// person who wrote it. It starts nothing, creates nothing and contacts nobody.
//
// Relative paths are relative to the folder of the file in which they stand.
package config
