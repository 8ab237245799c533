package table

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Formats are what [Table.Write] knows.
var Formats = []string{"terminal", "markdown", "latex", "csv", "json"}

// Write writes the table as terminal text, Markdown, LaTeX (with the packages booktabs and textcomp), CSV (one line a row, seed
// and metric) or JSON. Names are data in every format, whatever characters they have.
func (t *Table) Write(w io.Writer, format string) error {
	switch format {
	case "terminal":
		return t.terminal(w)
	case "markdown":
		return t.markdown(w)
	case "latex":
		return t.latex(w)
	case "csv":
		return t.csv(w)
	case "json":
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(t)
	}
	return fmt.Errorf("format is %q; use one of %s", format, strings.Join(Formats, ", "))
}

func (t *Table) titles() []string {
	titles := make([]string, len(t.Metrics))
	for k, name := range t.Metrics {
		titles[k], _ = metric.Title(name) // the name was checked
	}
	return titles
}

// writer is the table for go-pretty, its texts made harmless by escape.
func (t *Table) writer(escape func(string) string) table.Writer {
	w := table.NewWriter()
	w.SuppressTrailingSpaces()
	w.SetStyle(table.StyleLight)
	w.Style().Format = table.FormatOptions{Header: text.FormatDefault, Row: text.FormatDefault}
	w.Style().Options.DrawBorder, w.Style().Options.SeparateColumns = false, false
	header := table.Row{""}
	for _, title := range t.titles() {
		header = append(header, escape(title))
	}
	w.AppendHeader(header)
	w.SetColumnConfigs(t.columns())
	for i, b := range t.blocks() {
		if i > 0 {
			w.AppendSeparator()
		}
		for _, l := range b {
			row := table.Row{escape(l.label)}
			for k := range t.Metrics {
				cell := ""
				if k < len(l.cells) {
					cell = escape(l.cells[k])
				}
				row = append(row, cell)
			}
			w.AppendRow(row)
		}
	}
	return w
}

func (t *Table) columns() (all []table.ColumnConfig) {
	for k := range t.Metrics {
		all = append(all, table.ColumnConfig{Number: k + 2, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	return all
}

func (t *Table) terminal(w io.Writer) error {
	parts := []string{}
	if t.Title != "" {
		parts = append(parts, Inert(t.Title)+"\n")
	}
	out := t.writer(Inert)
	out.SetColumnConfigs(append(t.columns(), table.ColumnConfig{Number: 1, WidthMax: 40, WidthMaxEnforcer: text.WrapSoft}))
	parts = append(parts, out.Render()+"\n")
	for _, note := range t.notes() {
		parts = append(parts, Inert(note))
	}
	_, err := fmt.Fprintln(w, strings.Join(parts, "\n"))
	return err
}

func (t *Table) markdown(w io.Writer) error {
	parts := []string{}
	if t.Title != "" {
		parts = append(parts, "## "+markdown(t.Title))
	}
	parts = append(parts, t.writer(markdownCell).RenderMarkdown())
	for _, note := range t.notes() {
		parts = append(parts, markdown(note))
	}
	_, err := fmt.Fprintln(w, strings.Join(parts, "\n\n"))
	return err
}

// markdownCell keeps the indent of what stands behind a row's scores.
func markdownCell(cell string) string {
	if below, ok := strings.CutPrefix(cell, "  "); ok {
		return "&emsp;" + markdown(below)
	}
	return markdown(cell)
}

func (t *Table) latex(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "%% needs \\usepackage{booktabs} and \\usepackage{textcomp}\n\\begin{table}\n\\centering\n\\caption{%s}\n", latex(t.Title))
	fmt.Fprintf(&out, "\\begin{tabular}{l%s}\n\\toprule\n", strings.Repeat("r", len(t.Metrics)))
	out.WriteString(latexRow(line{cells: t.titles()}, len(t.Metrics)))
	for _, b := range t.blocks() {
		out.WriteString("\\midrule\n")
		for _, l := range b {
			out.WriteString(latexRow(l, len(t.Metrics)))
		}
	}
	out.WriteString("\\bottomrule\n\\end{tabular}\n")
	for _, note := range t.notes() {
		fmt.Fprintf(&out, "\\par\\footnotesize %s\n", latex(note))
	}
	out.WriteString("\\end{table}\n")
	_, err := io.WriteString(w, out.String())
	return err
}

func latexRow(l line, columns int) string {
	label := latex(l.label)
	if below, ok := strings.CutPrefix(l.label, "  "); ok {
		label = `\quad ` + latex(below)
	}
	if len(l.cells) == 0 {
		return fmt.Sprintf("\\multicolumn{%d}{l}{%s} \\\\\n", columns+1, label)
	}
	cells := []string{label}
	for _, cell := range l.cells {
		cells = append(cells, latexNumber(cell))
	}
	return strings.Join(cells, " & ") + " \\\\\n"
}

// latexNumber sets a minus sign rather than a hyphen.
func latexNumber(cell string) string { return strings.ReplaceAll(latex(cell), "{-}", "$-$") }

var csvHeader = []string{
	"name", "data", "kind", "seed", "run", "metric", "valid", "valid_std", "test", "test_std", "low_95", "high_95", "paper", "paper_note",
	"minus_paper", "reference", "difference", "difference_low_95", "difference_high_95", "p_permutation", "p_permutation_holm",
	"p_bootstrap", "p_bootstrap_holm", "cohens_d_z", "examples", "seeds", "search",
}

// csv has three kinds of lines: "mean" over seeds, one "seed" each, and the "constant" predictor. What is undetermined is empty.
func (t *Table) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write(csvHeader) // errors stay until Flush
	for _, r := range t.Rows {
		for _, s := range r.Scores {
			_ = out.Write(t.csvMean(r, s))
			for _, seed := range r.Seeds {
				_ = out.Write(csvSeed(r, seed, s.Metric))
			}
		}
	}
	for _, c := range t.Constants {
		for _, name := range t.Metrics {
			v, _ := c.Scores.Get(name) // the name was checked
			_ = out.Write(csvLine(map[string]string{
				"name": "constant predictor", "data": spreadsheet(c.Data), "kind": "constant", "metric": name, "test": number(record.Number(v)),
			}))
		}
	}
	out.Flush()
	return out.Error()
}

func csvLine(cells map[string]string) []string {
	line := make([]string, len(csvHeader))
	for i, column := range csvHeader {
		line[i] = cells[column]
	}
	return line
}

func (t *Table) csvMean(r Row, s Score) []string {
	cells := map[string]string{
		"name": spreadsheet(r.Name), "data": spreadsheet(r.Data), "kind": "mean", "metric": s.Metric,
		"valid": number(s.Valid.Mean), "valid_std": number(s.Valid.Std), "test": number(s.Test.Mean), "test_std": number(s.Test.Std),
		"low_95": number(s.Interval[0]), "high_95": number(s.Interval[1]), "paper": number(s.Paper), "paper_note": spreadsheet(r.PaperNote),
		"minus_paper": number(s.VsPaper), "examples": strconv.Itoa(r.Examples), "seeds": strconv.Itoa(len(r.Seeds)), "search": spreadsheet(r.Search),
	}
	if d := s.Against; d != nil {
		cells["reference"], cells["difference"], cells["cohens_d_z"] = spreadsheet(t.Reference), number(d.Value), number(r.DZ)
		cells["difference_low_95"], cells["difference_high_95"] = number(d.Interval[0]), number(d.Interval[1])
		cells["p_permutation"], cells["p_permutation_holm"] = number(d.P), number(d.PHolm)
		cells["p_bootstrap"], cells["p_bootstrap_holm"] = number(d.PBootstrap), number(d.PBootstrapHolm)
	}
	return csvLine(cells)
}

func csvSeed(r Row, s Seed, name string) []string {
	valid, _ := s.Valid.Get(name) // the name was checked
	test, _ := s.Test.Get(name)
	return csvLine(map[string]string{
		"name": spreadsheet(r.Name), "data": spreadsheet(r.Data), "kind": "seed", "seed": strconv.FormatUint(s.Seed, 10),
		"run": spreadsheet(s.Run), "metric": name, "valid": number(record.Number(valid)), "test": number(record.Number(test)),
		"examples": strconv.Itoa(r.Examples),
	})
}

// number is the shortest decimal that reads back the same; NaN is empty.
func number(v record.Number) string {
	if math.IsNaN(float64(v)) {
		return ""
	}
	return strconv.FormatFloat(float64(v), 'g', -1, 64)
}
