package whatsapp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	waBinary "go.mau.fi/whatsmeow/binary"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// encodePage writes an element of the platform whose children are posts, as one JSON object a line: first the element without its children,
// then each child. It returns where the children stand. An element is {"tag":…,"attrs":{…},"content":…} with its attributes sorted; content is a
// list of elements, or bytes in standard base64, or left out. The same element always gives the same bytes.
func encodePage(n *waBinary.Node) ([]byte, []evidence.Slice) {
	var buf bytes.Buffer
	children := n.GetChildren()
	head := *n
	if len(children) > 0 {
		head.Content = nil
	}
	appendNode(&buf, &head)
	buf.WriteByte('\n')
	slices := make([]evidence.Slice, len(children))
	for i := range children {
		start := buf.Len()
		appendNode(&buf, &children[i])
		slices[i] = evidence.Slice{Offset: int64(start), Length: int64(buf.Len() - start)}
		buf.WriteByte('\n')
	}
	return buf.Bytes(), slices
}

func appendNode(buf *bytes.Buffer, n *waBinary.Node) {
	buf.WriteString(`{"tag":`)
	appendJSON(buf, n.Tag)
	if len(n.Attrs) > 0 {
		buf.WriteString(`,"attrs":{`)
		for i, k := range slices.Sorted(maps.Keys(n.Attrs)) {
			if i > 0 {
				buf.WriteByte(',')
			}
			appendJSON(buf, k)
			buf.WriteByte(':')
			appendJSON(buf, attrText(n.Attrs[k]))
		}
		buf.WriteByte('}')
	}
	switch c := n.Content.(type) {
	case nil:
	case []waBinary.Node:
		buf.WriteString(`,"content":[`)
		for i := range c {
			if i > 0 {
				buf.WriteByte(',')
			}
			appendNode(buf, &c[i])
		}
		buf.WriteByte(']')
	case []byte:
		buf.WriteString(`,"content":"`)
		buf.Write(base64.StdEncoding.AppendEncode(buf.AvailableBuffer(), c))
		buf.WriteByte('"')
	default:
		buf.WriteString(`,"content":`)
		appendJSON(buf, fmt.Sprint(c))
	}
	buf.WriteByte('}')
}

func appendJSON(buf *bytes.Buffer, s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			b, _ := json.Marshal(s) // a string always can be
			buf.Write(b)
			return
		}
	}
	buf.WriteByte('"')
	buf.WriteString(s)
	buf.WriteByte('"')
}

// attrText is an attribute's value as text, whatever type the library gave it.
func attrText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case fmt.Stringer:
		return v.String()
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}

// text is an attribute as text, empty where it is not there.
func text(n *waBinary.Node, attr string) string { return attrText(n.Attrs[attr]) }

// number is an attribute as a number; false where it is not there, none, or negative.
func number(n *waBinary.Node, attr string) (int64, bool) {
	v, err := strconv.ParseInt(text(n, attr), 10, 64)
	return v, err == nil && v >= 0
}

// child returns the first child with a tag, or nil.
func child(n *waBinary.Node, tag string) *waBinary.Node {
	list := n.GetChildren()
	for i := range list {
		if list[i].Tag == tag {
			return &list[i]
		}
	}
	return nil
}
