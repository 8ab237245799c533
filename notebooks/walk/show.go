package walk

import (
	"fmt"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
)

// Table shows rows below a cell. Numbers get four digits; whatever characters a cell has, it is text.
func Table(columns []string, rows [][]any) {
	gonbui.DisplayMarkdown(markdownTable(columns, rows))
	gonbui.Sync()
}

func markdownTable(columns []string, rows [][]any) string {
	var out strings.Builder
	line := func(cells []string) { fmt.Fprintf(&out, "| %s |\n", strings.Join(cells, " | ")) }
	line(columns)
	line(strings.Split(strings.TrimSuffix(strings.Repeat("---,", len(columns)), ","), ","))
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, value := range row {
			cells[i] = cellText(value)
		}
		line(cells)
	}
	return out.String()
}

var inert = strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;", "&", "&amp;", "*", "\\*", "_", "\\_", "$", "\\$", "`", "\\`", "[", "\\[")

func cellText(value any) string {
	switch v := value.(type) {
	case nil:
		return "–"
	case float32, float64:
		return fmt.Sprintf("%.4g", v)
	}
	return inert.Replace(fmt.Sprint(value))
}
