package textenc_test

import (
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/dropout"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/textenc"
)

var someTexts = [][]int32{{2, 9, 40, 7, 3}, {2, 77, 3}}

// validHidden is the hidden states of an example up to its length.
func validHidden(hidden *tensors.Tensor, example, length int) []float32 {
	steps, width := hidden.Shape().Dim(1), hidden.Shape().Dim(2)
	return flat(hidden)[example*steps*width : (example*steps+length)*width]
}

func TestPaddingChangesNothing(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store, states := loaded(t), forward(tiny(t).Config()).at("bert")
		ids, lengths := padded(someTexts, 5)
		short := run(t, backend, store, states, ids, lengths)
		ids, _ = padded(someTexts, 9)
		noise := tensors.MustCopyFlatData[int32](ids)
		noise[5], noise[17] = 33, 44
		long := run(t, backend, store, states, tensors.FromFlatDataAndDimensions(noise, 2, 9), lengths)
		for i, text := range someTexts {
			require.InDeltaSlice(t, validHidden(short[0], i, len(text)), validHidden(long[0], i, len(text)), 1e-5)
		}
		require.InDeltaSlice(t, flat(short[1]), flat(long[1]), 1e-5)
	})
}

func TestOrderOfTheBatchChangesNothing(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store, states := loaded(t), forward(tiny(t).Config()).at("bert")
		ids, lengths := padded(someTexts, 5)
		one := run(t, backend, store, states, ids, lengths)
		ids, lengths = padded([][]int32{someTexts[1], someTexts[0]}, 5)
		other := run(t, backend, store, states, ids, lengths)
		for i, text := range someTexts {
			require.InDeltaSlice(t, validHidden(one[0], i, len(text)), validHidden(other[0], 1-i, len(text)), 1e-5)
		}
	})
}

func TestPaddingIsNotTrained(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		ids, lengths := padded([][]int32{{2, 0, 9, 3}}, 4)
		got := run(t, backend, loaded(t), func(scope *model.Scope, in []*Node) []*Node {
			_, pooled := tiny(t).Config().Graph(scope.In("bert"), in[0], in[1])
			words := scope.Store().GetVariable("/bert/embeddings/word_embeddings/weight").NodeValue(in[0].Graph())
			return Gradient(ReduceAllSum(pooled), words)
		}, ids, lengths)
		assert.Zero(t, largest(flat(got[0])[:16]))
		assert.Positive(t, largest(flat(got[0])[9*16:10*16]))
	})
}

// training is forward in a training graph whose seed is the last input.
func training(config textenc.Config) graphFn {
	return func(scope *model.Scope, in []*Node) []*Node {
		scope.Store().SetTraining(in[0].Graph(), true)
		dropout.SetSeed(in[0].Graph(), in[2])
		return forward(config)(scope, in)
	}
}

func TestTrainingDropsAndEvaluationDoesNot(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store, config := loaded(t), tiny(t).Config()
		ids, lengths := padded(someTexts, 5)
		still := flat(run(t, backend, store, forward(config).at("bert"), ids, lengths)[1])
		exec, err := model.NewExec(backend, store, func(scope *model.Scope, in []*Node) []*Node { return training(config)(scope.In("bert"), in) })
		require.NoError(t, err)
		pooled := func(seed uint32) []float32 { return flat(exec.MustCall(ids, lengths, seed)[1]) }
		one := pooled(1)
		assert.Equal(t, one, pooled(1))
		assert.NotEqual(t, one, pooled(2))
		assert.NotEqual(t, one, still)
	})
}

func TestEachRateOfDropoutHasItsEffect(t *testing.T) {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	ids, lengths := padded(someTexts, 5)
	states := func(hidden, attention float64) []float32 {
		config := tiny(t).Config()
		config.Dropout, config.AttentionDropout = hidden, attention
		return flat(run(t, backend, loaded(t), training(config).at("bert"), ids, lengths, uint32(1))[1])
	}
	none := states(0, 0)
	require.Equal(t, flat(run(t, backend, loaded(t), forward(tiny(t).Config()).at("bert"), ids, lengths)[1]), none)
	require.NotEqual(t, none, states(0.1, 0))
	require.NotEqual(t, none, states(0, 0.1))
}

func TestBackendsDropTheSameElements(t *testing.T) {
	var all [][]float32
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		ids, lengths := padded(someTexts, 5)
		all = append(all, flat(run(t, backend, loaded(t), training(tiny(t).Config()).at("bert"), ids, lengths, uint32(7))[0]))
	})
	for _, other := range all {
		require.InDeltaSlice(t, all[0], other, 1e-4)
	}
}

func TestGraphRefusesTextsLongerThanTheModelTakes(t *testing.T) {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	ids, lengths := padded(someTexts, 65)
	_, err = model.CallOnceN(backend, loaded(t), (func(*model.Scope, []*Node) []*Node)(forward(tiny(t).Config()).at("bert")), ids, lengths)
	require.ErrorContains(t, err, "at most 64 steps")
}

func TestIdsBeyondTheVocabularyAreFound(t *testing.T) {
	config := tiny(t).Config()
	require.NoError(t, config.Check(someTexts))
	for message, ids := range map[string][]int32{"has the id 163": {2, 163, 3}, "has the id -1": {-1}, "has 0 word pieces": {}, "has 65 word pieces": make([]int32, 65)} {
		require.ErrorContains(t, config.Check([][]int32{ids}), message)
	}
}

func TestRandomModelIsTheSameOnEveryBackend(t *testing.T) {
	var all [][]float32
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		ids, lengths := padded(someTexts, 5)
		store := model.NewStore()
		require.NoError(t, textenc.InitRandom(store.Scope("/bert"), tiny(t).Config()))
		all = append(all, flat(run(t, backend, store, forward(tiny(t).Config()).at("bert"), ids, lengths)[0]))
	})
	for _, other := range all {
		require.InDeltaSlice(t, all[0], other, 1e-5)
	}
}

// stepGradients is, in training, the gradient of the pooler's sum for every variable.
func stepGradients(options ...textenc.Option) graphFn {
	return func(scope *model.Scope, in []*Node) []*Node {
		g := in[0].Graph()
		scope.Store().SetTraining(g, true)
		dropout.SetSeed(g, Const(g, uint32(3)))
		config := textenc.Base()
		config.Layers, config.Width, config.Heads, config.Hidden, config.Vocabulary, config.Positions = 1, 16, 4, 32, 163, 64
		_, pooled := config.Graph(scope.In("bert"), in[0], in[1], options...)
		return Gradient(ReduceAllSum(pooled), variables(scope, g)...)
	}
}

func TestLayersThatAreComputedAgainDropTheSameElements(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store := loaded(t)
		ids, lengths := padded(someTexts, 5)
		kept := run(t, backend, store, stepGradients(), ids, lengths)
		again := run(t, backend, store, stepGradients(textenc.Recompute()), ids, lengths)
		for i := range kept {
			require.InDeltaSlice(t, flat(kept[i]), flat(again[i]), 1e-5)
		}
	})
}
