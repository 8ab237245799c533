package plots

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var tag = regexp.MustCompile(`<[a-zA-Z/!][^>]*>`)

// FuzzChartTextIsInert puts any string into every place that takes one: there are no more tags than in any chart, and the data
// come back as they were.
func FuzzChartTextIsInert(f *testing.F) {
	for _, text := range []string{"a", "</script><script>", `"'><img src=x onerror=y>`, "<!--<script>", "\u2028", "__f__x__f__", "\x00\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := Must(Cases([]Case{{Text: text, Truth: 1, Said: map[string]float64{text: 2}}}))
		c.Name, c.Title, c.Says, c.Alt = text, text, text, text
		page, err := c.figure(nil)
		if err != nil {
			t.Fatal(err)
		}
		if found := len(tag.FindAllString(string(page), -1)); found != 12 {
			t.Fatalf("%d tags in %s", found, page)
		}
		_, block, _ := strings.Cut(string(page), `<script type="application/json">`)
		block, _, _ = strings.Cut(block, "</script>")
		var option struct{ Series []struct{ Name string } }
		if err := json.Unmarshal([]byte(block), &option); err != nil {
			t.Fatal(err)
		}
		if name := option.Series[1].Name; utf8.ValidString(text) && name != clipped(text, maxName) {
			t.Fatalf("%q became %q", text, name)
		}
	})
}
