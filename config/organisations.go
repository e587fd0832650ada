package config

// organisationsFile is the file that `organisations` names.
type organisationsFile struct {
	Organisations []Organisation `yaml:"organisations,required"`
}

// Organisation is whom targets are said to belong to. It carries at least one designation.
type Organisation struct {
	// ID is a short name in lower case that targets refer to.
	ID string `yaml:"id,required"`
	// Name is the usual name in Latin script.
	Name string `yaml:"name,required"`
	// Aliases are other names, in any script.
	Aliases []Alias `yaml:"aliases"`
	// Designations say which authority lists the organisation, at least one. There is no "banned: true".
	Designations []Designation `yaml:"designations"`

	Pos Position `yaml:"-"`
}

// Designation is one authority's listing of an organisation.
type Designation struct {
	// Authority is who lists: UN 1267, EU, UK, US FTO, US SDGT, Pakistan … Begin with the jurisdiction: `muhafiz check` tells by the
	// first word whether an organisation rests on a single state's list.
	Authority string `yaml:"authority,required"`
	// Reference is the list's own number, or the act.
	Reference string `yaml:"reference,required"`
	// Date is as precise as known: 2011-07-29, 2011-01 or 2015. Uncertainty goes into the note.
	Date string `yaml:"date,required"`
	// Source is where it was read: a link, or a publication and page.
	Source string `yaml:"source,required"`
	// Note holds doubts and conditions, in words.
	Note string `yaml:"note"`
	// Aliases are the names under which this authority lists it.
	Aliases []Alias `yaml:"aliases"`

	Pos Position `yaml:"-"`
}

// Alias is a name: plain text, or {value: …, lang: …} with a BCP 47 tag such as ur, ps, bal, ar, ur-Latn.
type Alias struct {
	Value string `yaml:"value,required"`
	Lang  string `yaml:"lang"`
}
