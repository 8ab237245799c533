package plots_test

import (
	"strings"
	"testing"

	"github.com/mmiln/workbench/plots"
)

// FuzzChartTextIsInert puts any string into every place that takes one and counts tags and pictures' parse errors.
func FuzzChartTextIsInert(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := plots.Must(plots.Cases([]plots.Case{{Text: text, Truth: 1, Said: map[string]float64{text: 2}}}))
		c.Name, c.Title, c.Says, c.Alt = text, text, text, text
		page, err := c.HTML()
		if err != nil {
			t.Fatal(err)
		}
		if found := len(tags.FindAllString(string(page), -1)); found != 13 {
			t.Fatalf("%d tags", found)
		}
		if strings.Count(string(page), "</script") != 1 {
			t.Fatal("the script ends elsewhere")
		}
		svg, err := c.SVG()
		if err != nil {
			t.Fatal(err)
		}
		elements(t, svg)
	})
}
