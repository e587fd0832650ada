package config

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// places finds where the paths of a file stand. It walks the node tree when it is asked, which is seldom: a long watchlist has a
// million paths, of which errors need a few.
type places struct {
	file string
	root *yaml.Node
}

// node returns the node at a path such as targets[3].address, or the nearest one above it, and whether it is the path's own.
func (p places) node(path string) (n *yaml.Node, own bool) {
	n = p.root
	for path != "" {
		var step string
		step, path = cutStep(path)
		next := child(n, step)
		if next == nil {
			return n, false
		}
		n = next
	}
	return n, n != nil
}

func (p places) position(path string) Position {
	n, _ := p.node(path)
	if n == nil {
		return Position{File: p.file}
	}
	return Position{p.file, n.Line, n.Column}
}

// cutStep cuts the first key or index, such as targets or [3], off a path.
func cutStep(path string) (step, rest string) {
	path = strings.TrimPrefix(path, ".")
	for i := 1; i < len(path); i++ {
		if path[i] == '.' || path[i] == '[' {
			return path[:i], path[i:]
		}
	}
	return path, ""
}

// child returns what a step leads to, nil if there is no such thing. An alias stands for its anchor only where the path goes on.
func child(n *yaml.Node, step string) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n == nil:
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := n.Content[i]; k.Kind == yaml.ScalarNode && k.Value == step {
				return n.Content[i+1]
			}
		}
	case n.Kind == yaml.SequenceNode:
		i, err := strconv.Atoi(strings.Trim(step, "[]"))
		if err == nil && strings.HasPrefix(step, "[") && i >= 0 && i < len(n.Content) {
			return n.Content[i]
		}
	}
	return nil
}
