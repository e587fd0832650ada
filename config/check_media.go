package config

import "regexp"

// mediaTypes checks types such as application/pdf and image/*.
func (d *decoder) mediaTypes(path string, got []string) {
	form := regexp.MustCompile(`^[a-z]+/(\*|[a-z0-9][a-z0-9.+-]{0,126})$`)
	seen := map[string]bool{}
	for i, t := range got {
		switch {
		case !form.MatchString(t):
			d.errAt(at(path, i, ""), "must be a media type in lower case such as application/pdf, or a family such as image/*, is %q", clip(t))
		case seen[t]:
			d.errAt(at(path, i, ""), "%q is given twice", clip(t))
		}
		seen[t] = true
	}
}
