package main

import (
	"fmt"
	"io"
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
		if want, ok := c.Expect[name]; ok {
			fmt.Fprintf(w, "%s\t", metric.Show(name, want))
		} else if len(c.Expect) > 0 {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
	fmt.Fprintf(out, "\nrun folder: %s\nnext: mmiln eval --run %s --split valid\n", r.Dir, r.Dir)
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
