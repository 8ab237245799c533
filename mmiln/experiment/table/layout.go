package table

import (
	"fmt"
	"math"
	"slices"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// block is a row as people read it: its scores, and below them what stands behind these. Cells are in the order of the table's
// metrics; none where the line is a note.
type block []line

type line struct {
	label string
	cells []string
}

func (t *Table) blocks() (all []block) {
	for _, r := range t.Rows {
		all = append(all, t.block(r))
	}
	for _, c := range t.Constants {
		all = append(all, block{t.line("constant predictor, "+c.Data, func(k int) string {
			v, _ := c.Scores.Get(t.Metrics[k]) // the name was checked
			return metric.Show(t.Metrics[k], v)
		})})
	}
	return all
}

func (t *Table) line(label string, cell func(k int) string) line {
	l := line{label: label}
	for k := range t.Metrics {
		l.cells = append(l.cells, cell(k))
	}
	return l
}

func (t *Table) block(r Row) block {
	if len(r.Seeds) == 0 {
		return append(block{{label: r.heading()}}, t.paper(r)...)
	}
	b := block{t.line(r.heading(), func(k int) string { return r.Scores[k].main() })}
	b = append(b, t.line("  95 % interval", func(k int) string { return show(t.Metrics[k], r.Scores[k].Interval) }))
	b = append(b, t.line("  validation", func(k int) string { return r.Scores[k].Valid.show(t.Metrics[k]) }))
	if len(r.Seeds) > 1 {
		for _, s := range r.Seeds {
			b = append(b, t.line(fmt.Sprintf("  seed %d", s.Seed), func(k int) string {
				text, _ := s.Test.Format(t.Metrics[k])
				return text
			}))
		}
	}
	b = append(b, t.against(r)...)
	b = append(b, t.paper(r)...)
	if r.Search != "" {
		b = append(b, line{label: "  searched on validation: " + r.Search})
	}
	return b
}

func (r Row) heading() string {
	seeds := fmt.Sprintf("%d seeds", len(r.Seeds))
	switch len(r.Seeds) {
	case 0:
		seeds = "no run"
	case 1:
		seeds = fmt.Sprintf("seed %d only", r.Seeds[0].Seed)
	}
	return fmt.Sprintf("%s, %s, %s", r.Name, r.Data, seeds)
}

// main is the test score with its mark.
func (s Score) main() string {
	text := s.Test.show(s.Metric)
	if s.Against != nil {
		text += mark(s.Against.PHolm)
	}
	return text
}

// mark says how significant a difference is.
func mark(p record.Number) string {
	switch {
	case p < 0.01:
		return " **"
	case p < 0.05:
		return " *"
	}
	return ""
}

func (t *Table) against(r Row) block {
	if i := slices.IndexFunc(r.Scores, func(s Score) bool { return s.Against != nil }); i < 0 {
		return nil
	}
	name := t.Reference
	return block{
		t.line(fmt.Sprintf("  minus %s (d_z %s)", name, signed("", r.DZ)), func(k int) string {
			return signed(t.Metrics[k], r.Scores[k].Against.Value)
		}),
		t.line("  95 % interval of that", func(k int) string { return show(t.Metrics[k], r.Scores[k].Against.Interval) }),
		t.line("  p, Holm", func(k int) string { return showP(r.Scores[k].Against.PHolm) }),
	}
}

func (t *Table) paper(r Row) block {
	if !slices.ContainsFunc(r.Scores, func(s Score) bool { return !isNaN(s.Paper) }) {
		return nil
	}
	label := "  paper"
	if r.PaperNote != "" {
		label += ", " + r.PaperNote
	}
	b := block{t.line(label, func(k int) string {
		return orNothing(r.Scores[k].Paper, metric.Show(t.Metrics[k], float64(r.Scores[k].Paper)))
	})}
	if len(r.Seeds) > 0 {
		b = append(b, t.line("  minus paper", func(k int) string { return orNothing(r.Scores[k].Paper, signed(t.Metrics[k], r.Scores[k].VsPaper)) }))
	}
	return b
}

func (m MeanStd) show(name string) string {
	text := metric.Show(name, float64(m.Mean))
	if !isNaN(m.Std) {
		text += " ± " + metric.Show(name, float64(m.Std))
	}
	return text
}

func show(name string, interval [2]record.Number) string {
	if isNaN(interval[0]) {
		return "n/a"
	}
	return fmt.Sprintf("[%s, %s]", metric.Show(name, float64(interval[0])), metric.Show(name, float64(interval[1])))
}

// signed shows a difference of a metric, or, without a name, a number.
func signed(name string, v record.Number) string {
	text := "n/a"
	switch {
	case name != "":
		text = metric.Show(name, float64(v))
	case !isNaN(v):
		text = fmt.Sprintf("%.2f", float64(v))
	}
	if v > 0 {
		return "+" + text
	}
	return text
}

func showP(p record.Number) string {
	switch {
	case isNaN(p):
		return "n/a"
	case p < 0.001:
		return "<0.001" + mark(p)
	}
	return fmt.Sprintf("%.3f", float64(p)) + mark(p)
}

func orNothing(v record.Number, text string) string {
	if isNaN(v) {
		return ""
	}
	return text
}

func isNaN(v record.Number) bool { return math.IsNaN(float64(v)) }

// notes explain the table below it.
func (t *Table) notes() []string {
	runs := slices.ContainsFunc(t.Rows, func(r Row) bool { return len(r.Seeds) > 0 })
	if !runs {
		return nil
	}
	notes := []string{fmt.Sprintf("Test scores, mean ± standard deviation over seeds. Intervals: %d bootstrap resamples of the test examples.", t.Resamples)}
	if slices.ContainsFunc(t.Rows, func(r Row) bool { return len(r.Seeds) == 1 }) {
		notes = append(notes, "A single seed has no standard deviation: how much another seed would change is unknown.")
	}
	notes = append(notes, t.testNotes()...)
	if slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Search != "" }) {
		notes = append(notes, "What was searched was chosen on validation; the test split played no part in it.")
	}
	return notes
}

// testNotes say what the p-values mean, and what they do not.
func (t *Table) testNotes() []string {
	comparisons := 0
	for _, r := range t.Rows {
		for _, s := range r.Scores {
			if s.Against != nil && !isNaN(s.Against.P) {
				comparisons++
			}
		}
	}
	if comparisons == 0 {
		return nil
	}
	notes := []string{
		fmt.Sprintf("p: paired permutation test over examples against %s, corrected for all %d comparisons of this table (Holm). ** p < 0.01, * p < 0.05.", t.Reference, comparisons),
		"It speaks of these runs on other examples, not of other seeds: how much those differ is the standard deviation.",
		"d_z: Cohen's effect size on absolute errors, negative where the row errs less.",
	}
	if least := float64(comparisons) / float64(t.Resamples+1); least > 0.01 {
		notes = append(notes, fmt.Sprintf("So few resamples allow the smallest p to be %.3f at least; take more.", least))
	}
	return notes
}
