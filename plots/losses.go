package plots

import (
	"fmt"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Losses shows ℓ and its parts over epochs, Eqs. (35) and (36), and the validation loss that early stopping watches.
func Losses(run *record.Reader) (Chart, error) {
	lines, err := run.Metrics()
	if err != nil {
		return Chart{}, err
	}
	if len(lines) == 0 {
		return Chart{}, missing(run, "epochs in metrics.jsonl")
	}
	keys := []string{"train/loss", "train/task", "train/sim", "train/diff", "valid/loss"}
	titles := []string{"ℓ, training", "ℓ_task, training", "ℓ_sim, training", "ℓ_diff, training", "multimodal head, validation"}
	c := newCanvas(epochsX(), numbersY("loss"))
	for i, key := range keys {
		points := overEpochs(lines, key)
		if !slices.ContainsFunc(points, func(p point) bool { return p.y != 0 }) {
			continue // a system without re-fusion
		}
		c.line(titles[i], points, bestEpoch(run, i)...)
	}
	first, last := lines[0], lines[len(lines)-1]
	return Chart{
		Name: "losses", Title: "Losses over epochs",
		Says: "The training loss should fall throughout; where the validation loss turns and rises, the model begins to learn the " +
			"training set by heart. The vertical line is the epoch whose weights were kept.",
		Alt: fmt.Sprintf("Line chart of the losses over %d epochs. The training loss goes from %.3g to %.3g, the validation loss from %.3g to %.3g.",
			len(lines), first.Values["train/loss"], last.Values["train/loss"], first.Values["valid/loss"], last.Values["valid/loss"]),
		Option: c, Table: epochTable(lines, keys),
	}, nil
}

// bestEpoch marks, on the first series of a chart, the epoch that selection chose.
func bestEpoch(run *record.Reader, series int) []charts.SeriesOpts {
	result, err := experiment.ResultOf(run.Manifest())
	if series > 0 || err != nil {
		return nil
	}
	return []charts.SeriesOpts{moment(fmt.Sprintf("best: %d", result.BestEpoch), float64(result.BestEpoch))}
}

// overEpochs are the points of one scalar; epochs that lack it are gaps.
func overEpochs(lines []record.Scalars, key string) []point {
	points := make([]point, len(lines))
	for i, line := range lines {
		v, ok := line.Values[key]
		if !ok {
			v = record.Number(math.NaN())
		}
		points[i] = point{float64(line.Epoch), float64(v)}
	}
	return points
}

func epochTable(lines []record.Scalars, keys []string) Table {
	t := Table{Columns: append([]string{"epoch"}, keys...)}
	for _, line := range lines {
		row := []any{line.Epoch}
		for _, key := range keys {
			row = append(row, cell(line.Values[key]))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// cell is a number of a table; what is no number is empty.
func cell[F ~float32 | ~float64](v F) any {
	if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
		return nil
	}
	return float64(v)
}
