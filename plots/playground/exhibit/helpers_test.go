package exhibit_test

import (
	"fmt"
	"maps"
	"math"
	"sync"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/plots/playground/exhibit"
)

const shown, all = 3, 9

// tiny is a model that runs in milliseconds.
func tiny() mmiln.Config {
	c := mmiln.Default()
	c.Width, c.Heads, c.FFN, c.Layers, c.AudioHidden, c.VisionHidden = 8, 2, 8, 2, 3, 4
	c.Head = mmiln.Heads{
		Multimodal: mmiln.HeadConfig{Width: 6}, Audio: mmiln.HeadConfig{Width: 5}, Vision: mmiln.HeadConfig{Width: 4},
	}
	return c
}

// untrained is a bundle of the model with the weights of seed 0 and a label generator that has seen four batches.
var untrained = sync.OnceValues(func() (*exhibit.Bundle, error) { return initial(tiny()) })

func initial(c mmiln.Config) (*exhibit.Bundle, error) {
	generated := planted.Config{
		Seed: 1, Train: 20, Valid: all, Test: 1, Width: [3]int{6, 4, 5}, Length: [3]int{8, 10, 12},
		Correlation: 0.3, Weights: [3]float64{0.55, 0.4, 0.4}, Noise: [3]float64{0.1, 0.1, 0.1},
	}
	set, err := planted.Generate(generated)
	if err != nil {
		return nil, err
	}
	b := &exhibit.Bundle{Sequences: set.Valid.Sequences, Header: exhibit.Header{
		Run: "untrained", Epoch: 3, Model: c, ULGM: mmiln.DefaultULGM(), Data: generated, Infos: set.Valid.Infos, Shown: shown,
		Templates: [3][3]int{1: {3, 4, 5}, 2: {6, 7, 8}},
	}}
	return b, initialise(b, set.Train)
}

func initialise(b *exhibit.Bundle, train planted.Split) error {
	m, err := mmiln.New(b.Model)
	if err != nil {
		return err
	}
	backend, _, err := device.Open("go")
	if err != nil {
		return err
	}
	store := model.NewStore()
	out, err := model.CallOnceN(backend, store, func(scope *model.Scope, args []*Node) []*Node {
		var features, predictions []*Node
		for _, head := range m.Forward(scope, inputs(args), nil).Heads {
			features, predictions = append(features, head.Feature), append(predictions, head.Prediction)
		}
		return append(features, predictions...)
	}, batch(train.Sequences))
	if err != nil {
		return err
	}
	if b.Weights, err = snapshot.Capture(store); err != nil {
		return err
	}
	truth := make([]float32, len(train.Infos))
	for i, info := range train.Infos {
		truth[i] = info.Label
	}
	width := map[mmiln.Task]int{}
	for _, task := range m.Tasks() {
		width[task] = b.Model.Head.Of(task).Width
	}
	b.ULGM = mmiln.NewULGM(b.Header.ULGM, truth, m.Tasks(), width)
	return learn(b.ULGM, out)
}

// learn shows the label generator the features of every training example.
func learn(u *mmiln.ULGM, out []*tensors.Tensor) error {
	features := map[mmiln.Task][]float32{}
	for i, task := range u.Tasks {
		flat, err := tensors.CopyFlatData[float32](out[i])
		if err != nil {
			return err
		}
		features[task] = flat
	}
	rows := make([]int, len(u.Seen))
	for i := range rows {
		rows[i] = i
	}
	u.Step(1, rows, features)
	u.Step(2, rows, features)
	return nil
}

func inputs(args []*Node) mmiln.Inputs {
	return mmiln.Inputs{
		Text: masked.New(args[0], args[1]), Audio: masked.New(args[2], args[3]), Vision: masked.New(args[4], args[5]),
	}
}

func batch(sequences [3]data.Sequences) []*tensors.Tensor {
	var all []*tensors.Tensor
	for _, s := range sequences {
		n := len(s.Lengths)
		all = append(all, tensors.FromFlatDataAndDimensions(append([]float32{}, s.Values...), n, s.Steps, s.Width),
			tensors.FromFlatDataAndDimensions(append([]int32{}, s.Lengths...), n))
	}
	return all
}

// bundle is a copy of the untrained one whose header may be changed.
func bundle(t *testing.T) *exhibit.Bundle {
	t.Helper()
	b, err := untrained()
	require.NoError(t, err)
	copied := *b
	copied.Weights = maps.Clone(b.Weights)
	return &copied
}

func open(t *testing.T, b *exhibit.Bundle) *exhibit.Exhibit {
	t.Helper()
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	e, err := exhibit.Open(b, backend)
	require.NoError(t, err)
	return e
}

func see(t *testing.T, e *exhibit.Exhibit, c exhibit.Controls) *exhibit.View {
	t.Helper()
	v, err := e.See(c)
	require.NoError(t, err)
	return v
}

// apart is the largest difference between the predictions of two views.
func apart(a, b *exhibit.View) float64 {
	worst := 0.0
	for task, value := range a.Predictions {
		worst = max(worst, math.Abs(float64(value-b.Predictions[task])))
	}
	return worst
}

// changed is the neutral controls with a change.
func changed(b *exhibit.Bundle, change func(*exhibit.Controls)) exhibit.Controls {
	c := b.Neutral()
	change(&c)
	return c
}

func gate(layer int, rest string) string { return fmt.Sprintf("layers.%d.%s", layer, rest) }
