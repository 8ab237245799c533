package experiment

import (
	"cmp"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/stat"

	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/taps"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// gateMeans picks the gates among the taps, g_r, g_c and g_s of every layer and modality, each averaged over valid steps:
// [B, d_s].
func gateMeans(t *taps.Taps, in mmiln.Inputs) (names []string, means []*Node) {
	for _, name := range t.Names() {
		parts := strings.Split(name, ".") // layers.<i>.<gate or sag>.<modality>.<tap>
		if len(parts) != 5 || !slices.Contains([]string{"g_r", "g_c", "g_s"}, parts[4]) {
			continue
		}
		over := mmiln.Text
		if parts[2] == "gate" || parts[4] == "g_s" {
			over = mmiln.Task(parts[3])
		}
		names = append(names, name)
		means = append(means, stepMean(t.Get(name), in.Of(over)))
	}
	return names, means
}

// stepMean averages x [B, T, d] over the valid steps of seq; one step, T = 1, is taken as it is.
func stepMean(x *Node, seq masked.Sequence) *Node {
	if x.Shape().Dim(1) == 1 {
		return Reshape(x, x.Shape().Dim(0), x.Shape().Dim(2))
	}
	return seq.Over(x).Mean()
}

// GateLine is one line of gates.jsonl: how open a gate is over the validation split, all examples and channels taken
// together. Gates of steps are averaged over an example's valid steps first.
type GateLine struct {
	Epoch     int        `json:"epoch"`
	Gate      string     `json:"gate"` // its tap, such as layers.0.gate.audio.g_r
	Mean      float64    `json:"mean"`
	Std       float64    `json:"std"`
	Quantiles [5]float64 `json:"quantiles"` // 5, 25, 50, 75 and 95 %
}

// recordGates writes one epoch's gates; values [N, d_s] by gate, ids in the same order.
func recordGates(run *record.Run, epoch int, names, ids []string, values map[string][]float32) error {
	var examples []record.GateExample
	for _, name := range names {
		wide := make([]float64, len(values[name]))
		for i, v := range values[name] {
			wide[i] = float64(v)
		}
		width := len(wide) / len(ids)
		for i, id := range ids {
			mean := stat.Mean(wide[i*width:(i+1)*width], nil)
			examples = append(examples, record.GateExample{Epoch: epoch, ID: id, Gate: name, Mean: float32(mean)})
		}
		if err := run.Append(record.Gates, describeGate(epoch, name, wide)); err != nil {
			return err
		}
	}
	if len(examples) == 0 {
		return nil
	}
	return run.GateExamples(examples)
}

func describeGate(epoch int, name string, values []float64) GateLine {
	line := GateLine{Epoch: epoch, Gate: name}
	line.Mean, line.Std = stat.PopMeanStdDev(values, nil)
	slices.SortFunc(values, cmp.Compare)
	for i, q := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
		line.Quantiles[i] = stat.Quantile(q, stat.Empirical, values, nil)
	}
	return line
}
