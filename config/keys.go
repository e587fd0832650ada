package config

import "go.yaml.in/yaml/v3"

// keySet holds the keys of a mapping that were read: a few are compared one by one, many are looked up.
type keySet struct {
	few  [16]*yaml.Node
	n    int
	many map[string]*yaml.Node
}

// first returns the key that is the word, nil where none is.
func (s *keySet) first(word string) *yaml.Node {
	if s.many != nil {
		return s.many[word]
	}
	for _, k := range s.few[:s.n] {
		if k.Value == word {
			return k
		}
	}
	return nil
}

func (s *keySet) add(k *yaml.Node) {
	switch {
	case s.many != nil:
		s.many[k.Value] = k
	case s.n < len(s.few):
		s.few[s.n] = k
		s.n++
	default:
		s.many = map[string]*yaml.Node{k.Value: k}
		for _, k := range s.few {
			s.many[k.Value] = k
		}
	}
}
