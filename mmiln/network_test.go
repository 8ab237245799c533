package mmiln_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/taps"
	"github.com/mmiln/workbench/mmiln"
)

// tiny is a model that runs in milliseconds.
func tiny() mmiln.Config {
	c := mmiln.Default()
	c.Width, c.Heads, c.FFN, c.Layers, c.AudioHidden, c.VisionHidden, c.Dropout = 8, 2, 8, 2, 3, 4, 0
	c.Head = mmiln.Heads{
		Multimodal: mmiln.HeadConfig{Width: 6}, Audio: mmiln.HeadConfig{Width: 5}, Vision: mmiln.HeadConfig{Width: 4},
	}
	return c
}

var widths = [3]int{5, 4, 3}

// modality is one of a batch's three: x [B, steps, width], row major, and a length for each example.
type modality struct {
	x       []float32
	lengths []int32
	steps   int
}

// batch is text, audio, vision and the labels of the three tasks, [B] each.
type batch struct {
	sequences [3]modality
	labels    [3][]float32
}

func (b batch) size() int { return len(b.labels[0]) }

// random has four examples of unequal lengths; its padding holds noise.
func random() batch {
	r := rand.New(rand.NewPCG(1, 2))
	noise := func(n int) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(r.NormFloat64())
		}
		return values
	}
	lengths := [3][]int32{{4, 6, 1, 3}, {9, 2, 5, 1}, {1, 7, 3, 4}}
	var b batch
	for m := range b.sequences {
		steps := int(slices.Max(lengths[m]))
		b.sequences[m] = modality{noise(4 * steps * widths[m]), lengths[m], steps}
		b.labels[m] = noise(4)
	}
	return b
}

// padded has more steps of noise at the end of every sequence.
func (b batch) padded(more int) batch {
	r := rand.New(rand.NewPCG(3, 4))
	for m, s := range b.sequences {
		width := widths[m]
		longer := modality{lengths: s.lengths, steps: s.steps + more}
		for row := range b.size() {
			longer.x = append(longer.x, s.x[row*s.steps*width:(row+1)*s.steps*width]...)
			for range more * width {
				longer.x = append(longer.x, float32(r.NormFloat64()))
			}
		}
		b.sequences[m] = longer
	}
	return b
}

// reordered has the examples of the given rows.
func (b batch) reordered(rows []int) batch {
	for m, s := range b.sequences {
		n := s.steps * widths[m]
		moved, labels := modality{steps: s.steps}, []float32(nil)
		for _, row := range rows {
			moved.x = append(moved.x, s.x[row*n:(row+1)*n]...)
			moved.lengths = append(moved.lengths, s.lengths[row])
			labels = append(labels, b.labels[m][row])
		}
		b.sequences[m], b.labels[m] = moved, labels
	}
	return b
}

// emptied has one modality of length 0, for the given examples.
func (b batch) emptied(m int, rows ...int) batch {
	b.sequences[m].lengths = slices.Clone(b.sequences[m].lengths)
	for _, row := range rows {
		b.sequences[m].lengths[row] = 0
	}
	return b
}

func (b batch) tensors() []*tensors.Tensor {
	var all []*tensors.Tensor
	for m, s := range b.sequences {
		all = append(all, tensors.FromFlatDataAndDimensions(slices.Clone(s.x), b.size(), s.steps, widths[m]),
			tensors.FromFlatDataAndDimensions(slices.Clone(s.lengths), b.size()))
	}
	for _, labels := range b.labels {
		all = append(all, tensors.FromFlatDataAndDimensions(slices.Clone(labels), len(labels)))
	}
	return all
}

// outcome is what a model makes of a batch, with the weights of seed 0.
type outcome struct {
	predictions [3][]float32 // by task
	loss        float32
	sim         []float32            // by layer
	gradients   []float32            // of all that the loss depends on
	taps        map[string][]float32 // by name, where asked for
	variables   []string             // paths
}

// run computes predictions, loss and gradients in pure Go; with tapped, the taps too.
func run(t *testing.T, c mmiln.Config, b batch, tapped bool) outcome {
	t.Helper()
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	m, err := mmiln.New(c)
	require.NoError(t, err)
	store := model.NewStore()
	var names []string
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, args []*Node) []*Node {
		var tap *taps.Taps
		if tapped {
			tap = taps.New(scope)
		}
		results, gradients := forward(scope, m, args, tap)
		names = tap.Names()
		return append(append(results, tap.Nodes()...), gradients...)
	})
	require.NoError(t, err)
	results, err := exec.Exec(b.tensors())
	require.NoError(t, err)
	return read(results, names, store)
}

// forward returns predictions [3, B], the loss and ℓ_sim by layer (one 0 without re-fusion), then the gradients, by path.
func forward(scope *model.Scope, m *mmiln.MMILN, args []*Node, tap *taps.Taps) (results, gradients []*Node) {
	out := m.Forward(scope, mmiln.Inputs{
		Text: masked.New(args[0], args[1]), Audio: masked.New(args[2], args[3]), Vision: masked.New(args[4], args[5]),
	}, tap)
	loss := m.Loss(out, mmiln.Labels{mmiln.Multimodal: args[6], mmiln.Audio: args[7], mmiln.Vision: args[8]})
	sim := loss.SimLayers
	if sim == nil {
		sim = InsertAxes(loss.Sim, 0)
	}
	results = []*Node{
		Stack([]*Node{out.Heads[0].Prediction, out.Heads[1].Prediction, out.Heads[2].Prediction}, 0), loss.Total, sim,
	}
	var used []*model.Variable
	for v := range scope.Store().IterVariables() {
		if v.Trainable && v.InUseByGraph(loss.Total.Graph()) {
			used = append(used, v)
		}
	}
	slices.SortFunc(used, func(a, b *model.Variable) int { return strings.Compare(a.Path(), b.Path()) })
	leaves := make([]*Node, len(used))
	for i, v := range used {
		leaves[i] = v.NodeValue(loss.Total)
	}
	return results, Gradient(loss.Total, leaves...)
}

func read(results []*tensors.Tensor, names []string, store *model.Store) outcome {
	flat := make([][]float32, len(results))
	for i, result := range results {
		flat[i] = tensors.MustCopyFlatData[float32](result)
	}
	n := len(flat[0]) / 3
	o := outcome{loss: flat[1][0], sim: flat[2], taps: map[string][]float32{}}
	for i := range o.predictions {
		o.predictions[i] = flat[0][i*n : (i+1)*n]
	}
	for i, name := range names {
		o.taps[name] = flat[3+i]
	}
	o.gradients = slices.Concat(flat[3+len(names):]...)
	for v := range store.IterVariables() {
		o.variables = append(o.variables, v.Path())
	}
	slices.Sort(o.variables)
	return o
}

func finite(values []float32) bool {
	return !slices.ContainsFunc(values, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}

// distance is the largest difference of any two predictions.
func distance(a, b [3][]float32) float64 {
	worst := 0.0
	for task := range a {
		for i := range a[task] {
			worst = max(worst, math.Abs(float64(a[task][i])-float64(b[task][i])))
		}
	}
	return worst
}
