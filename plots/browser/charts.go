package browser

import (
	"regexp"
	"strings"
)

var (
	figureTag = regexp.MustCompile(`<figure class="mmiln-chart"`)
	shape     = regexp.MustCompile(`<(path|rect|circle|text|polyline)[ >]`)
)

// Chart is one chart of a page.
type Chart struct {
	Title  string
	Shapes int // of the living picture; 0 where it was not drawn
	Static bool
}

// Charts lists the charts of a page as they stand in its document.
func (p Page) Charts() (charts []Chart) {
	starts := figureTag.FindAllStringIndex(p.DOM, -1)
	for _, at := range starts {
		text, _, _ := strings.Cut(p.DOM[at[0]:], "</figure>")
		c := Chart{Title: between(text, "<strong>", "</strong>"), Static: strings.Contains(text, `src="data:image/svg+xml;base64,`)}
		if _, live, ok := strings.Cut(text, `class="mmiln-live"`); ok {
			c.Shapes = len(shape.FindAllString(live, -1))
		}
		charts = append(charts, c)
	}
	return charts
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}
