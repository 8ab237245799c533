package plots_test

import (
	"encoding/base64"
	"encoding/csv"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/plots"
)

// hostile are strings that have broken other pages.
var hostile = []string{
	"</script><script>document.title=1</script>", `"><img src=x onerror=document.title=2>`, "a\u2028b\u2029c", `'"` + "`${alert(1)}", "__f__alert(1)__f__",
	"<!--<script>", "{b}{c|d}", "\x00\x0b\x1b[31m", "=HYPERLINK(\"http://x\")", "]]>", "&lt;b&gt;", "\xff\xfe", "javascript:alert(1)", "image://http://x/y.png",
}

func hostileChart() plots.Chart {
	var cases []plots.Case
	for i, text := range hostile {
		cases = append(cases, plots.Case{Text: text, Truth: float64(i % 3), Said: map[string]float64{text: 1}})
	}
	c := plots.Must(plots.Cases(cases))
	all := strings.Join(hostile, " ")
	c.Name, c.Title, c.Says, c.Alt = all, all, all, all
	return c
}

var tags = regexp.MustCompile(`<[a-zA-Z/!][^>]*>`)

func TestHostileStringsAreTextAndNothingElse(t *testing.T) {
	page, err := hostileChart().HTML()
	require.NoError(t, err)
	harmless := plots.Must(plots.Cases(plots.PaperCases()))
	want, err := harmless.HTML()
	require.NoError(t, err)
	assert.Len(t, tags.FindAllString(string(page), -1), len(tags.FindAllString(string(want), -1)), "no more tags than without")
	_, block, _ := strings.Cut(string(page), `<script type="application/json">`)
	block, _, _ = strings.Cut(block, "</script>")
	assert.False(t, strings.ContainsAny(block, "<>\u2028\u2029"), "and the data holds nothing that a parser of HTML or scripts would stop at")
}

func TestHostileStringsReachTheOptionUnchanged(t *testing.T) {
	names := option(t, hostileChart())["yAxis"].([]any)[0].(map[string]any)["data"].([]any)
	assert.Equal(t, "1  </script><script>document.title=1</script>", names[0])
	assert.Equal(t, "5  __f__alert(1)__f__", names[4])
}

func TestThePictureOfHostileStringsIsWellFormed(t *testing.T) {
	svg, err := hostileChart().SVG()
	require.NoError(t, err)
	found := elements(t, svg)
	assert.Zero(t, found["script"])
	assert.Zero(t, found["image"])
	assert.Zero(t, found["foreignObject"])
}

func TestTheDataOfAChartIsInThePageAsCSV(t *testing.T) {
	c := plots.Must(plots.Cases(plots.PaperCases()))
	page, err := c.HTML()
	require.NoError(t, err)
	found := regexp.MustCompile(`download="cases.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"`).FindStringSubmatch(string(page))
	require.NotNil(t, found)
	text, err := base64.StdEncoding.DecodeString(html.UnescapeString(found[1]))
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 1+len(c.Table.Rows))
	assert.Equal(t, c.Table.Columns, rows[0])
}

func TestNoSpreadsheetRunsACell(t *testing.T) {
	table := plots.Table{Columns: []string{"a"}}
	table.Add("=1+1")
	table.Add("@x")
	table.Add(-1.5)
	assert.Equal(t, "a\n'=1+1\n'@x\n-1.5\n", string(table.CSV()))
}

func TestTheScriptEndsNowhereBeforeItsEnd(t *testing.T) {
	assert.False(t, strings.Contains(strings.ToLower(plots.Script()), "</script"))
	assert.False(t, strings.Contains(plots.Script(), "\r"))
}

func TestTheScriptAsksForNothing(t *testing.T) {
	for _, asking := range []string{"XMLHttpRequest", "fetch(", "importScripts", "navigator.sendBeacon", "WebSocket"} {
		assert.False(t, strings.Contains(plots.Script(), asking), asking)
	}
}
