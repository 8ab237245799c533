package panel

import (
	"fmt"
	"html"
	"strings"
)

// Markup is HTML in which whatever came as text is escaped. (html/template would make the page's program a third larger.)
type Markup string

// attribute is one of an element.
type attribute struct{ name, value string }

func attr(name string, value any) attribute { return attribute{name, fmt.Sprint(value)} }

func class(name string) attribute { return attribute{"class", name} }

// empty elements have no end tag.
var empty = map[string]bool{"line": true, "path": true, "circle": true, "rect": true, "polyline": true}

// el is an element of parts: attributes first, then [Markup] as it is, []Markup, and everything else as text.
func el(name string, parts ...any) Markup {
	var tag, content strings.Builder
	tag.WriteString("<" + name)
	for _, part := range parts {
		switch part := part.(type) {
		case attribute:
			fmt.Fprintf(&tag, ` %s="%s"`, part.name, html.EscapeString(part.value))
		case Markup:
			content.WriteString(string(part))
		case []Markup:
			for _, m := range part {
				content.WriteString(string(m))
			}
		default:
			content.WriteString(html.EscapeString(fmt.Sprint(part)))
		}
	}
	if empty[name] {
		return Markup(tag.String() + "/>")
	}
	return Markup(tag.String() + ">" + content.String() + "</" + name + ">")
}

// drawing is an SVG that repeats what stands beside it as text, so that who listens does not hear it twice.
func drawing(width, height float64, parts ...any) Markup {
	head := []any{
		attr("viewBox", fmt.Sprintf("0 0 %g %g", width, height)), attr("width", width), attr("height", height),
		attr("aria-hidden", "true"), attr("focusable", "false"),
	}
	return el("svg", append(head, parts...)...)
}

// table has a caption, a head of column names and rows.
func table(caption Markup, columns []any, rows []Markup, foot ...Markup) Markup {
	var head []Markup
	for _, column := range columns {
		head = append(head, el("th", attr("scope", "col"), column))
	}
	parts := []any{el("caption", caption), el("thead", el("tr", head)), el("tbody", rows)}
	if len(foot) > 0 {
		parts = append(parts, el("tfoot", foot))
	}
	return el("table", parts...)
}

// row begins with its name.
func row(name any, cells ...any) Markup {
	parts := []any{el("th", attr("scope", "row"), name)}
	for _, cell := range cells {
		parts = append(parts, el("td", cell))
	}
	return el("tr", parts...)
}

func line(name string, x1, y1, x2, y2 float64) Markup {
	return el("line", class(name), attr("x1", x1), attr("y1", y1), attr("x2", x2), attr("y2", y2))
}

// mark is a shape at a place: a circle for what is predicted, a diamond for the truth, a triangle for a pseudo-label.
func mark(name string, x, y float64) Markup {
	shape := map[string]string{
		"predicted": "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z", "truth": "M0 -6L6 0L0 6L-6 0Z", "pseudo": "M0 -5L5 4L-5 4Z",
	}[name]
	return el("path", class(name), attr("d", shape), attr("transform", fmt.Sprintf("translate(%g %g)", x, y)))
}

func sub(base, index string) Markup { return el("span", base, el("sub", index)) }
