package table_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"pgregory.net/rapid"

	"github.com/mmiln/workbench/mmiln/experiment/table"
)

// Names that break a table, a terminal, a spreadsheet or a page where nothing is done about them.
var hostileNames = []string{
	"a|b", `a\|b`, `\`, "a\nb\r\n| x |", "\x1b[31mred\x1b[0m\x1b]0;title\a", "<script>alert(1)</script>", "[x](javascript:alert(1))",
	"`code` *bold* _it_ ~~no~~ # h", `\end{tabular}\input{/etc/passwd}`, "$x_1^2$ % & # {}", "=HYPERLINK(\"http://x\")", "+1|cmd", "-2+3(x)",
	"@SUM(1)", `"quoted", with, commas`, "\u202Eright to left", "bad \xff utf-8", "&lt; &amp;", "![i](http://x/y.png) www.x.org a@b.org", "-MRM", "",
}

func named(name string) *table.Table {
	got, err := table.Compute([]table.Group{
		{Name: name, Data: name, Paper: map[string]float64{"mae": 0.5}, PaperNote: name, Search: name},
	}, table.Options{Title: name, Metrics: []string{"mae", "corr"}})
	if err != nil {
		panic(err)
	}
	return got
}

func written(t require.TestingT, got *table.Table, format string) string {
	var out bytes.Buffer
	require.NoError(t, got.Write(&out, format))
	return out.String()
}

// normal is a name as it is shown: no control characters, blanks as Markdown and terminals have them.
func normal(name string) string { return strings.Join(strings.Fields(table.Inert(name)), " ") }

func TestHostileNamesControlNoTerminal(t *testing.T) {
	for _, name := range hostileNames {
		out := written(t, named(name), "terminal")
		assert.NotRegexp(t, regexp.MustCompile(`[\x00-\x09\x0b-\x1f\x7f\x{80}-\x9f\x{202a}-\x{202e}]`), out, name)
	}
}

// cells are the texts of the table's cells as a Markdown reader sees them, and kinds the elements of the whole page.
func cells(t require.TestingT, source string) (texts [][]string, kinds map[string]bool) {
	kinds = map[string]bool{}
	parser := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()
	root := parser.Parse(text.NewReader([]byte(source)))
	require.NoError(t, ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		kinds[n.Kind().String()] = true
		switch n.Kind() {
		case east.KindTableRow, east.KindTableHeader:
			texts = append(texts, nil)
		case east.KindTableCell:
			texts[len(texts)-1] = append(texts[len(texts)-1], plainText(n, []byte(source)))
		}
		return ast.WalkContinue, nil
	}))
	return texts, kinds
}

func plainText(n ast.Node, source []byte) string {
	var html bytes.Buffer
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		if err := goldmark.New(goldmark.WithExtensions(extension.GFM)).Renderer().Render(&html, source, child); err != nil {
			return err.Error()
		}
	}
	out := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&amp;", "&").Replace(html.String())
	return strings.Join(strings.Fields(out), " ")
}

func TestHostileNamesAreTextInMarkdown(t *testing.T) {
	for _, name := range hostileNames {
		texts, kinds := cells(t, written(t, named(name), "markdown"))
		require.Len(t, texts, 3, name) // header, heading, the paper's scores
		for _, row := range texts {
			assert.Len(t, row, 3, name)
		}
		assert.Equal(t, normal(name+", "+name+", no run"), texts[1][0])
		for _, kind := range []string{"Link", "AutoLink", "Image", "RawHTML", "HTMLBlock", "CodeSpan", "Emphasis", "Strikethrough", "CodeBlock", "List"} {
			assert.False(t, kinds[kind], "%s in %q", kind, name)
		}
	}
}

var command = regexp.MustCompile(`\\(text[a-z]+\{\}|[{}$&#_%]|\\)|\$\\pm\$|\$-\$|\{-\}|\{\[\}|\{\]\}`)

// What is left of a cell without the escapes that the writer makes has nothing that LaTeX would act on.
func TestHostileNamesAreTextInLaTeX(t *testing.T) {
	for _, name := range hostileNames {
		out := written(t, named(name), "latex")
		assert.Equal(t, 1, strings.Count(out, `\end{tabular}`), name)
		assert.NotContains(t, out, `\input`, name)
		for line := range strings.Lines(out) {
			if !strings.Contains(line, "no run") {
				continue
			}
			rest := strings.TrimPrefix(line, `\multicolumn{3}{l}{`)
			rest = strings.TrimSuffix(strings.TrimSpace(rest), `} \\`)
			assert.NotRegexp(t, `[\\{}$&#_%^~]`, command.ReplaceAllString(rest, ""), name)
		}
	}
}

func TestHostileNamesAreCellsInCSVAndNoFormulas(t *testing.T) {
	for _, name := range hostileNames {
		rows, err := csv.NewReader(strings.NewReader(written(t, named(name), "csv"))).ReadAll()
		require.NoError(t, err, name)
		require.Len(t, rows, 3, name)
		for _, row := range rows[1:] {
			for _, cell := range row {
				assert.NotRegexp(t, `^[=+@]|^-.*[(|!+=*/]`, cell)
				assert.NotContains(t, cell, "\n")
			}
		}
	}
	assert.Contains(t, written(t, named("-MRM"), "csv"), "\n-MRM,", "an ablation keeps its name")
}

func TestJSONKeepsNamesAsTheyAre(t *testing.T) {
	for _, name := range hostileNames {
		var got table.Table
		require.NoError(t, json.Unmarshal([]byte(written(t, named(name), "json")), &got))
		assert.Equal(t, strings.ToValidUTF8(name, "\uFFFD"), got.Rows[0].Name)
	}
}

func TestAnyNameLeavesTheTablesShape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := named(rapid.String().Draw(t, "name"))
		texts, _ := cells(t, written(t, got, "markdown"))
		require.Len(t, texts, 3)
		for _, row := range texts {
			assert.Len(t, row, 3)
		}
		rows, err := csv.NewReader(strings.NewReader(written(t, got, "csv"))).ReadAll()
		require.NoError(t, err)
		assert.Len(t, rows, 3)
		assert.NotContains(t, written(t, got, "terminal"), "\x1b")
	})
}
