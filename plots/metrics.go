package plots

import (
	"fmt"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/paper"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Metric shows one of [metric.Names] over epochs on training and validation, beside the constant predictor's on test and,
// for a data set that the paper has, the paper's on test.
func Metric(run *record.Reader, name string) (Chart, error) {
	s, err := scaleOf(name)
	if err != nil {
		return Chart{}, err
	}
	lines, err := run.Metrics()
	if err != nil {
		return Chart{}, err
	}
	if len(lines) == 0 {
		return Chart{}, missing(run, "epochs in metrics.jsonl")
	}
	train, valid := "train/"+name, "valid/"+name
	c := newCanvas(epochsX(), numbersY(s.title))
	c.line("training", s.times(overEpochs(lines, train)))
	c.line("validation", s.times(overEpochs(lines, valid)), bestEpoch(run, 0)...)
	notes := ""
	if result, err := experiment.ResultOf(run.Manifest()); err == nil {
		constant, _ := result.Constant.Get(name) // the name has a scale
		c.level("constant predictor, test", constant*s.unit)
		notes = " A model has learned nothing until it beats the constant predictor."
	}
	if value, ok := papers(run.Manifest(), name); ok {
		c.level("paper, test", value*s.unit)
		notes += " The paper's line is its test score of the same system."
	}
	title, _ := metric.Title(name)
	first, last := lines[0].Values[valid], lines[len(lines)-1].Values[valid]
	return Chart{
		Name: "metric-" + name, Title: title + " over epochs",
		Says: "Where validation leaves training behind, the model learns by heart what does not carry over." + notes,
		Alt: fmt.Sprintf("Line chart of %s over %d epochs. On validation it goes from %s to %s.", title, len(lines),
			metric.Show(name, float64(first)), metric.Show(name, float64(last))),
		Option: c, Table: epochTable(lines, []string{train, valid}),
	}, nil
}

// times puts the heights of points on the scale.
func (s scale) times(points []point) []point {
	for i := range points {
		points[i].y *= s.unit
	}
	return points
}

// papers finds what Table 2 reports for a run's system on its data, if it is the paper's data.
func papers(m record.Manifest, name string) (float64, bool) {
	c, err := experiment.ConfigIn(m)
	if err != nil {
		return 0, false
	}
	scores, err := paper.Lookup(paperName(c), m.Data.Name)
	if err != nil {
		return 0, false
	}
	return scores.Get(name)
}

// paperName is what Table 2 calls a system.
func paperName(c experiment.Config) string {
	if c.System == "selfmm" {
		return "Self-MM"
	}
	return "MMILN"
}
