package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
)

// printResult is the end of a run: scores on both splits beside the constant predictor and what the configuration expects.
func printResult(out io.Writer, c experiment.Config, r experiment.Result) {
	fmt.Fprintf(out, "\nbest epoch %d of %d, seed %d\n\n", r.BestEpoch, r.Epochs, c.Seed)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\tvalid\ttest\tconstant\t")
	if len(c.Expect) > 0 {
		fmt.Fprint(w, "expected\t")
	}
	fmt.Fprintln(w)
	for _, name := range metric.Names() {
		title, _ := metric.Title(name) // name is one of Names
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t", title, format(r.Valid, name), format(r.Test, name), format(r.Constant, name))
		if _, ok := c.Expect[name]; ok {
			fmt.Fprintf(w, "%s\t", expected(c, name))
		} else if len(c.Expect) > 0 {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
	fmt.Fprint(out, verdict(c, r.Test))
	fmt.Fprintf(out, "\nrun folder: %s\nnext: mmiln eval --run %s --split valid\n", r.Dir, r.Dir)
}

// expected is a score that the configuration expects, with how far from it is no fault.
func expected(c experiment.Config, name string) string {
	text := metric.Show(name, c.Expect[name])
	if within, ok := c.Within[name]; ok {
		text += " ± " + metric.Show(name, within)
	}
	return text
}

// verdict says whether the scores are those that the configuration expects; empty where it does not say how near they must be.
func verdict(c experiment.Config, test metric.Scores) string {
	var off []string
	for _, name := range metric.Names() {
		within, ok := c.Within[name]
		if got, err := test.Get(name); ok && (err != nil || !(math.Abs(got-c.Expect[name]) <= within)) {
			title, _ := metric.Title(name) // name is one of Names
			off = append(off, fmt.Sprintf("%s is %s and not %s", title, format(test, name), expected(c, name)))
		}
	}
	switch {
	case len(c.Within) == 0:
		return ""
	case len(off) > 0:
		return "\nnot as expected: " + strings.Join(off, ", ") + "; mmiln doctor says what this machine runs on\n"
	}
	return "\nas expected\n"
}

func format(s metric.Scores, name string) string {
	text, _ := s.Format(name) // name is one of Names
	return text
}

// printSummary shows mean ± standard deviation over seeds.
func printSummary(out io.Writer, c experiment.Config, results []experiment.Result) error {
	var valid, test []metric.Scores
	for _, r := range results {
		valid, test = append(valid, r.Valid), append(test, r.Test)
	}
	v, err := metric.Summarize(valid)
	if err != nil {
		return err
	}
	t, err := metric.Summarize(test)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s, %d seeds from %d, mean ± standard deviation\n\n", c.Name, len(results), c.Seed-uint64(len(results))+1)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tvalid\ttest\tconstant\t")
	for _, name := range metric.Names() {
		title, _ := metric.Title(name)
		onValid, _ := v.Format(name)
		onTest, _ := t.Format(name)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", title, onValid, onTest, format(results[0].Constant, name))
	}
	return w.Flush()
}
