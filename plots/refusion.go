package plots

import (
	"fmt"
	"slices"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Similarity shows CMD between ĥ_ta and ĥ_tv of every layer over epochs, Eqs. (24) and (25).
func Similarity(run *record.Reader) (Chart, error) {
	c, err := byLayer(run, "CMD (0: same distribution)", func(l experiment.RefusionLine) []float64 { return l.Sim })
	c.Name, c.Title = "similarity", "Similarity: CMD of ĥ_ta and ĥ_tv by layer"
	c.Says = "Lower is more alike: ℓ_sim pulls the two fused summaries of the last layer together. Only that layer is in the " +
		"loss; what the others do is a consequence."
	return c, err
}

// Orthogonality shows ℓ_diff of every layer over epochs, Eq. (26).
func Orthogonality(run *record.Reader) (Chart, error) {
	c, err := byLayer(run, "orthogonality loss", func(l experiment.RefusionLine) []float64 { return l.Diff })
	c.Name, c.Title = "orthogonality", "Difference: orthogonality of fused and single summaries by layer"
	c.Says = "Lower means that ĥ_ta says what ĥ_a does not, and ĥ_tv what ĥ_v does not. Only the last layer is in the loss."
	return c, err
}

func byLayer(run *record.Reader, axis string, of func(experiment.RefusionLine) []float64) (Chart, error) {
	lines, err := record.Read[experiment.RefusionLine](run, record.Refusion)
	if err != nil {
		return Chart{}, err
	}
	if len(lines) == 0 || len(of(lines[0])) == 0 {
		return Chart{}, missing(run, "re-fusion losses in refusion.jsonl")
	}
	if !slices.ContainsFunc(lines, func(l experiment.RefusionLine) bool { return slices.ContainsFunc(of(l), isNotZero) }) {
		return Chart{}, missing(run, "re-fusion losses but zeros: its model has no re-fusion")
	}
	c := newCanvas(epochsX(), numbersY(axis))
	table := Table{Columns: []string{"epoch"}}
	layers := len(of(lines[0]))
	for layer := range layers {
		points := make([]point, len(lines))
		for i, line := range lines {
			points[i] = point{float64(line.Epoch), of(line)[layer]}
		}
		c.line(fmt.Sprintf("layer %d", layer+1), points, bestEpoch(run, layer)...)
		table.Columns = append(table.Columns, fmt.Sprintf("layer %d", layer+1))
	}
	for _, line := range lines {
		row := []any{line.Epoch}
		for _, v := range of(line) {
			row = append(row, cell(v))
		}
		table.Rows = append(table.Rows, row)
	}
	first, last := of(lines[0])[layers-1], of(lines[len(lines)-1])[layers-1]
	return Chart{
		Alt: fmt.Sprintf("Line chart over %d epochs, one line for each of %d layers. The last layer goes from %.3g to %.3g.",
			len(lines), layers, first, last),
		Option: c, Table: table,
	}, nil
}

func isNotZero(v float64) bool { return v != 0 }
