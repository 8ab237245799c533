package experiment

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/stat"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/taps"
	"github.com/mmiln/workbench/mmiln"
)

// Inspection is what a trained model does with one example: less than [Predictor.Look] tells, of many examples in one go.
type Inspection struct {
	Predictions map[mmiln.Task]float32
	Gates       []TappedGate
	Attention   []TappedAttention
}

// TappedGate is how open a gate is: the mean over valid steps and channels.
type TappedGate struct {
	Tap  string // such as layers.0.gate.audio.g_r
	Mean float64
}

// TappedAttention holds attention probabilities, means over heads, of valid steps alone: a row for each query, whose sum is 1.
type TappedAttention struct {
	Tap     string      // such as layers.0.sag.audio.attention
	Weights [][]float32 // [queries][keys]
}

const probabilities = ".probabilities"

// Inspect looks at some rows of examples in one batch, without dropout.
func (p *Predictor) Inspect(examples data.Examples, rows []int) ([]Inspection, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	var names []string
	done, err := p.once(examples, rows, func(scope *model.Scope, args []*Node) (nodes []*Node) {
		names, nodes = p.engine.inspectGraph(scope, args)
		return nodes
	})
	if err != nil {
		return nil, fmt.Errorf("inspection: %w", err)
	}
	return p.engine.readInspections(done.batch, names, done.out)
}

// pass is what came of a batch.
type pass struct {
	examples data.Examples // as the model reads them
	batch    *data.Batch
	out      []*tensors.Tensor
}

// once runs some rows of examples through a graph in one batch, unpadded. It compiles the graph, which is kept for no second call.
func (p *Predictor) once(examples data.Examples, rows []int, build func(*model.Scope, []*Node) []*Node) (done pass, err error) {
	if done.examples, err = p.read(some{examples, rows}); err != nil {
		return done, err
	}
	if done.batch, err = done.examples.Batch(every(len(rows)), [3]int{}); err != nil {
		return done, err
	}
	exec, err := model.NewExec(p.backend, p.engine.store, build)
	if err != nil {
		return done, err
	}
	defer exec.Finalize()
	done.out, err = exec.Exec(batchTensors(done.batch))
	return done, err
}

// some are a few rows of examples, so that nothing is done for the others.
type some struct {
	data.Examples
	rows []int
}

func (s some) Len() int { return len(s.rows) }

func (s some) Info(i int) data.Info { return s.Examples.Info(s.rows[i]) }

func (s some) Batch(rows []int, steps [3]int) (*data.Batch, error) {
	of := make([]int, len(rows))
	for i, row := range rows {
		of[i] = s.rows[row]
	}
	return s.Examples.Batch(of, steps)
}

// inspectGraph returns predictions [tasks, B], each gate's mean over valid steps [B, d_s], and each attention's mean over heads
// [B, Q, K]; names are those of the gates' and the attentions' taps.
func (e *Engine) inspectGraph(scope *model.Scope, args []*Node) (names []string, nodes []*Node) {
	t := taps.New(scope)
	out, in := e.forward(scope, args, t)
	names, means := gateMeans(t, in)
	nodes = append([]*Node{predictions(out)}, means...)
	for _, name := range t.Names() {
		if strings.HasSuffix(name, probabilities) {
			names, nodes = append(names, name), append(nodes, ReduceMean(t.Get(name), 1))
		}
	}
	return names, nodes
}

func (e *Engine) readInspections(b *data.Batch, names []string, out []*tensors.Tensor) ([]Inspection, error) {
	found := make([]Inspection, len(b.Rows))
	for k, t := range out {
		values, err := tensors.CopyFlatData[float32](t)
		if err != nil {
			return nil, err
		}
		for i := range found {
			if k == 0 {
				found[i].Predictions = map[mmiln.Task]float32{}
				for j, task := range e.model.Tasks() {
					found[i].Predictions[task] = values[j*len(found)+i]
				}
				continue
			}
			size := len(values) / len(found)
			found[i].add(names[k-1], values[i*size:(i+1)*size], b, i)
		}
	}
	return found, nil
}

// add takes one example's values of a tap.
func (n *Inspection) add(name string, values []float32, b *data.Batch, i int) {
	tap, isAttention := strings.CutSuffix(name, probabilities)
	queries, keys := attends(tap)
	ofText := strings.Contains(tap, ".sag.") && !strings.HasSuffix(tap, ".g_s") // as g_r and g_c are
	if absent(b.Sequences[queries], i) || absent(b.Sequences[keys], i) && (isAttention || !ofText) {
		return // there is nothing to look at
	}
	if !isAttention {
		wide := make([]float64, len(values))
		for k, v := range values {
			wide[k] = float64(v)
		}
		n.Gates = append(n.Gates, TappedGate{name, stat.Mean(wide, nil)})
		return
	}
	steps, keep := len(values)/stepsOf(b.Sequences[queries]), length(b.Sequences[keys], i)
	a := TappedAttention{Tap: tap}
	for q := range length(b.Sequences[queries], i) {
		a.Weights = append(a.Weights, slices.Clone(values[q*steps:][:keep]))
	}
	n.Attention = append(n.Attention, a)
}

// attends tells what a tapped attention reads: layers.<i>.gate.<n>.attention is of n to itself, layers.<i>.sag.<n>.self of text to
// itself, layers.<i>.sag.<n>.attention of text to n.
func attends(tap string) (queries, keys data.Modality) {
	parts := strings.Split(tap, ".")
	auxiliary := data.Vision
	if slices.Contains(parts, data.Audio.String()) {
		auxiliary = data.Audio
	}
	switch {
	case slices.Contains(parts, "gate"):
		return auxiliary, auxiliary
	case slices.Contains(parts, "self"):
		return data.Text, data.Text
	}
	return data.Text, auxiliary
}

// absent says whether an example lacks a modality that the model reads.
func absent(s data.Sequences, i int) bool { return s.Width > 0 && s.Lengths[i] == 0 }

// stepsOf is how many steps a batch is padded to; an absent modality has one step of zeros.
func stepsOf(s data.Sequences) int {
	if s.Width == 0 {
		return 1
	}
	return s.Steps
}

// length of example i; an absent modality has one step of zeros.
func length(s data.Sequences, i int) int {
	if s.Width == 0 {
		return 1
	}
	return max(int(s.Lengths[i]), 1)
}
