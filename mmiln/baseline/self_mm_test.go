package baseline_test

import (
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/baseline"
)

var (
	widths  = [3]int{5, 4, 3}
	lengths = [3][]int32{{4, 6, 1}, {9, 2, 5}, {1, 7, 3}}
)

// batch is x [3, steps, width] and lengths [3] of each modality: the same sequences whatever the steps, noise behind them.
func batch(order [3]int, steps [3]int) []*tensors.Tensor {
	var all []*tensors.Tensor
	for m, width := range widths {
		var x []float32
		var short []int32
		for _, row := range order {
			valid, padding := rand.New(rand.NewPCG(uint64(m), uint64(row))), rand.New(rand.NewPCG(9, 9))
			n := int(lengths[m][row])
			for i := range steps[m] * width {
				if i < n*width {
					x = append(x, float32(valid.NormFloat64()))
				} else {
					x = append(x, float32(padding.NormFloat64()))
				}
			}
			short = append(short, lengths[m][row])
		}
		all = append(all, tensors.FromFlatDataAndDimensions(x, 3, steps[m], width), tensors.FromFlatDataAndDimensions(short, 3))
	}
	return all
}

// predict returns [4, 3], by task, with the weights of seed 0.
func predict(t *testing.T, pool string, args []*tensors.Tensor) []float32 {
	t.Helper()
	c := baseline.DefaultSelfMM()
	c.TextPool = pool
	m, err := baseline.NewSelfMM(c)
	require.NoError(t, err)
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	exec, err := model.NewExec(backend, model.NewStore(), func(scope *model.Scope, args []*Node) *Node {
		out := m.Forward(scope, mmiln.Inputs{
			Text: masked.New(args[0], args[1]), Audio: masked.New(args[2], args[3]), Vision: masked.New(args[4], args[5]),
		}, nil)
		var all []*Node
		for _, head := range out.Heads {
			all = append(all, head.Prediction)
		}
		return Stack(all, 0)
	})
	require.NoError(t, err)
	out, err := exec.Exec(args)
	require.NoError(t, err)
	return tensors.MustCopyFlatData[float32](out[0])
}

func TestFiftyMorePaddedStepsChangeNoPrediction(t *testing.T) {
	for _, pool := range []string{"first", "mean"} {
		before := predict(t, pool, batch([3]int{0, 1, 2}, [3]int{6, 9, 7}))
		after := predict(t, pool, batch([3]int{0, 1, 2}, [3]int{56, 59, 57}))
		assert.InDeltaSlice(t, before, after, 1e-5, pool)
	}
}

func TestTheOrderOfABatchOnlyOrdersItsPredictions(t *testing.T) {
	order := [3]int{2, 0, 1}
	before, after := predict(t, "first", batch([3]int{0, 1, 2}, [3]int{6, 9, 7})), predict(t, "first", batch(order, [3]int{6, 9, 7}))
	for task := range 4 {
		for i, row := range order {
			assert.InDelta(t, before[3*task+row], after[3*task+i], 1e-6)
		}
	}
}

func TestConfigurationsThatCannotBeAreNamed(t *testing.T) {
	for want, change := range map[string]func(*baseline.SelfMMConfig){
		"audio_hidden is 0; use at least 1":                     func(c *baseline.SelfMMConfig) { c.AudioHidden = 0 },
		"vision_output is -1; use at least 1":                   func(c *baseline.SelfMMConfig) { c.VisionOutput = -1 },
		`text_pool is "last"; use one of first, mean`:           func(c *baseline.SelfMMConfig) { c.TextPool = "last" },
		`fusion_loss is "l3"; use one of l1, l2`:                func(c *baseline.SelfMMConfig) { c.FusionLoss = "l3" },
		"head.text.width is 0; use a number from 1":             func(c *baseline.SelfMMConfig) { c.Head.Text.Width = 0 },
		"head.audio.dropout is 1; use a rate in [0, 1)":         func(c *baseline.SelfMMConfig) { c.Head.Audio.Dropout = 1 },
		"head.multimodal.dropout is -0.5; use a rate in [0, 1)": func(c *baseline.SelfMMConfig) { c.Head.Multimodal.Dropout = -0.5 },
	} {
		c := baseline.DefaultSelfMM()
		change(&c)
		_, err := baseline.NewSelfMM(c)
		assert.ErrorContains(t, err, want)
	}
}
