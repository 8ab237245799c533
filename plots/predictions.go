package plots

import (
	"fmt"
	"math"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Predictions shows predicted against true sentiment of a split, "valid" or "test".
func Predictions(run *record.Reader, split string) (Chart, error) {
	rows, scores, err := scored(run, split)
	if err != nil {
		return Chart{}, err
	}
	var points []point
	table := Table{Columns: []string{"id", "label", "prediction", "residual"}}
	limit := 3.0
	for _, row := range rows {
		points = append(points, point{float64(row.Label), float64(row.Value)})
		limit = max(limit, math.Abs(float64(row.Label)), math.Abs(float64(row.Value)))
		table.Add(row.ID, cell(row.Label), cell(row.Value), cell(row.Value-row.Label))
	}
	limit = math.Ceil(limit)
	x, y := numbersX("human label (−3 negative to 3 positive)"), numbersY("prediction")
	x.Min, x.Max, y.Min, y.Max = -limit, limit, -limit, limit
	c := newCanvas(x, y)
	c.Trigger = "item"
	c.dots("examples", points, 7, translucent)
	c.line("prediction = label", []point{{-limit, -limit}, {limit, limit}}, plainLine)
	return Chart{
		Name: "predictions-" + split, Title: "Predicted against true, " + split, Height: 440,
		Says: fmt.Sprintf("Each point is an example; on the diagonal the prediction is right. A cloud flatter than the diagonal is a "+
			"model that plays safe. MAE %s, Corr %s, n %d.", metric.Show("mae", scores.MAE), metric.Show("corr", scores.Corr), scores.N),
		Alt: fmt.Sprintf("Scatter plot of %d predictions against labels on %s; correlation %s, mean absolute error %s.",
			scores.N, split, metric.Show("corr", scores.Corr), metric.Show("mae", scores.MAE)),
		Option: c, Table: table,
	}, nil
}

// Residuals counts prediction − label of a split in steps of a quarter.
func Residuals(run *record.Reader, split string) (Chart, error) {
	rows, scores, err := scored(run, split)
	if err != nil {
		return Chart{}, err
	}
	const step = 0.25
	counts, reach, bias := map[int]int{}, 4, 0.0
	for _, row := range rows {
		residual := float64(row.Value - row.Label)
		bin := int(math.Round(residual / step))
		counts[bin]++
		reach = max(reach, bin, -bin)
		bias += residual / float64(len(rows))
	}
	var names []string
	var bars []int
	table := Table{Columns: []string{"residual", "examples"}}
	for bin := -reach; bin <= reach; bin++ {
		names, bars = append(names, fmt.Sprintf("%g", float64(bin)*step)), append(bars, counts[bin])
		table.Add(float64(bin)*step, counts[bin])
	}
	c := newCanvas(namesX("prediction − label", names), numbersY("examples"))
	c.series("bar", "examples", bars)
	c.single()
	return Chart{
		Name: "residuals-" + split, Title: "Residuals, " + split,
		Says:   fmt.Sprintf("How far predictions miss, and to which side. The mean is %+.3f: a model without bias has its hump at 0.", bias),
		Alt:    fmt.Sprintf("Histogram of %d residuals on %s, mean %+.3f, mean absolute error %.3f.", scores.N, split, bias, scores.MAE),
		Option: c, Table: table,
	}, nil
}

// scored reads a split's predictions and scores them.
func scored(run *record.Reader, split string) ([]record.Prediction, metric.Scores, error) {
	rows, err := run.Predictions(split)
	if err != nil {
		return nil, metric.Scores{}, err
	}
	scores, err := experiment.Score(rows)
	if err != nil {
		return nil, scores, fmt.Errorf("plots: predictions for %s of %s: %w", split, run.Dir(), err)
	}
	return rows, scores, nil
}
