package exhibit_test

import (
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/plots/playground/exhibit"
)

func TestUntouchedControlsPredictWhatTheModelDoes(t *testing.T) {
	b := bundle(t)
	e, m := open(t, b), must(mmiln.New(b.Model))
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	store := model.NewStore()
	require.NoError(t, snapshot.Restore(store, b.Weights))
	out, err := model.CallOnceN(backend, store, func(scope *model.Scope, args []*Node) []*Node {
		heads := m.Forward(scope, inputs(args), nil).Heads
		return []*Node{heads[0].Prediction, heads[1].Prediction, heads[2].Prediction}
	}, batch(b.Sequences))
	require.NoError(t, err)
	for i := range shown {
		v := see(t, e, changed(b, func(c *exhibit.Controls) { c.Example = i }))
		for k, task := range m.Tasks() {
			assert.InDelta(t, tensors.MustCopyFlatData[float32](out[k])[i], v.Predictions[task], 1e-6)
		}
		assert.Equal(t, b.Infos[i].Label, v.Truth.Multimodal)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestAWithheldModalityIsOneThatTheModelDrops(t *testing.T) {
	for _, m := range data.Modalities {
		dropped := bundle(t)
		dropped.Model.Drop = []string{m.String()}
		b := bundle(t)
		withheld := see(t, open(t, b), changed(b, func(c *exhibit.Controls) { c.Drop = []string{m.String()} }))
		assert.Less(t, apart(see(t, open(t, dropped), dropped.Neutral()), withheld), 1e-6, m)
		assert.Greater(t, apart(see(t, open(t, b), b.Neutral()), withheld), 1e-6, m)
	}
}

func TestAllGatesSetToOneAreTheAblationWithoutMFM(t *testing.T) {
	ablated := bundle(t)
	ablated.Model.Ablation = "no_mfm"
	b := bundle(t)
	e := open(t, b)
	opened := see(t, e, changed(b, func(c *exhibit.Controls) {
		c.Gates = map[string]float64{}
		for _, name := range e.Gates() {
			c.Gates[name] = 1
		}
	}))
	assert.Less(t, apart(see(t, open(t, ablated), ablated.Neutral()), opened), 1e-6)
}

func TestAMovedGateHasTheMeanThatWasAsked(t *testing.T) {
	b := bundle(t)
	e := open(t, b)
	before := see(t, e, b.Neutral())
	for _, how := range []string{exhibit.Set, exhibit.Scale} {
		for _, name := range []string{gate(0, "gate.audio.g_r"), gate(1, "sag.vision.g_s"), gate(1, "sag.audio.g_c")} {
			v := see(t, e, changed(b, func(c *exhibit.Controls) { c.How, c.Gates = how, map[string]float64{name: 0.25} }))
			assert.InDelta(t, 0.25, v.Gates[name].Moved, 1e-5, name)
			assert.InDelta(t, before.Gates[name].Computed, v.Gates[name].Computed, 1e-6, name)
			assert.Greater(t, apart(before, v), 1e-7, "%s %s", how, name)
		}
	}
}

func TestScalingAGateToItsOwnMeanChangesNothing(t *testing.T) {
	b := bundle(t)
	e := open(t, b)
	before := see(t, e, b.Neutral())
	name := gate(0, "sag.audio.g_s")
	v := see(t, e, changed(b, func(c *exhibit.Controls) {
		c.How, c.Gates = exhibit.Scale, map[string]float64{name: float64(before.Gates[name].Computed)}
	}))
	assert.Less(t, apart(before, v), 1e-6)
}

func TestAttentionAddsUpToOneOverValidSteps(t *testing.T) {
	b := bundle(t)
	v := see(t, open(t, b), b.Neutral())
	assert.Len(t, v.Attention, 12, "of each of two layers: two GateTransformers, and twice two SAG-Transformers")
	for name, received := range v.Attention {
		length := v.Lengths[data.Text]
		for m, part := range map[data.Modality]string{data.Audio: ".audio.attention.", data.Vision: ".vision.attention."} {
			if strings.Contains(name, part) {
				length = v.Lengths[m]
			}
		}
		sum := float32(0)
		for _, share := range received[:length] {
			sum += share
		}
		assert.InDelta(t, 1, sum, 1e-5, name)
	}
}

func TestOneOwnWordsAreEmbeddedAndScoredAsTheDataSets(t *testing.T) {
	b := bundle(t)
	e := open(t, b)
	v := see(t, e, changed(b, func(c *exhibit.Controls) { c.Words = "It was NOT very good, zyzzyva!" }))
	words := []string{"it", "was", "not", "very", "good", "zyzzyva"}
	assert.Equal(t, words, v.Words)
	assert.InDelta(t, planted.Score(words), v.Truth.Text, 1e-6)
	assert.Equal(t, b.Data.Label([3]float32{v.Truth.Text, v.Truth.Audio, v.Truth.Vision}), v.Truth.Multimodal)
	assert.Equal(t, len(words), v.Lengths[data.Text])
}

func TestOneOwnWordsAreNormalisedAsInTraining(t *testing.T) {
	plain, normalised := bundle(t), bundle(t)
	normalised.Normaliser = &data.Normaliser{Mean: [3][]float32{make([]float32, 6)}, Std: [3][]float32{{2, 2, 2, 2, 2, 2}}}
	words := func(c *exhibit.Controls) { c.Words = "a good film" }
	assert.Greater(t, apart(see(t, open(t, plain), changed(plain, words)), see(t, open(t, normalised), changed(normalised, words))), 1e-6)
	normalised.Normaliser.Std[0] = []float32{1, 1, 1, 1, 1, 1}
	assert.Zero(t, apart(see(t, open(t, plain), changed(plain, words)), see(t, open(t, normalised), changed(normalised, words))))
}

func TestAudioFromATemplateIsThatOfItsExample(t *testing.T) {
	b := bundle(t)
	b.Templates[data.Audio][2] = 1
	e := open(t, b)
	v := see(t, e, changed(b, func(c *exhibit.Controls) { c.Audio = "positive" }))
	assert.Equal(t, b.Infos[1].Unimodal[data.Audio], v.Truth.Audio)
	own := see(t, e, changed(b, func(c *exhibit.Controls) { c.Example = 1 }))
	assert.InDelta(t, own.Predictions[mmiln.Audio], v.Predictions[mmiln.Audio], 1e-6, "the head of audio sees nothing else")
}

func TestPseudoLabelsFollowTheMomentumOfTheirEquations(t *testing.T) {
	b := bundle(t)
	v := see(t, open(t, b), changed(b, func(c *exhibit.Controls) { c.Label, c.Epochs = ptr(0.8), 2 }))
	require.Len(t, v.Pseudo, 2)
	for _, p := range v.Pseudo {
		require.Len(t, p.Course, exhibit.MaxEpochs)
		assert.Equal(t, 0.8, p.Course[0], "y_s¹ = y_m")
		fresh := (p.Alpha/p.Fused*0.8 + 0.8 + p.Alpha - p.Fused) / 2 // Eqs. (32)–(34)
		fresh = min(max(fresh, -3), 3)
		assert.InDelta(t, 0.8/3+2*fresh/3, p.Course[1], 1e-9)
		assert.Equal(t, p.Course[1], p.Label)
	}
}

func TestAnotherReadingOfTheDistanceGivesOtherPseudoLabels(t *testing.T) {
	b := bundle(t)
	e := open(t, b)
	plain, printed := see(t, e, b.Neutral()), see(t, e, changed(b, func(c *exhibit.Controls) { c.Distance = "printed" }))
	assert.NotEqual(t, plain.Pseudo[0].Alpha, printed.Pseudo[0].Alpha)
	assert.Zero(t, apart(plain, printed))
}

func TestLookingLeavesTheLabelGeneratorAlone(t *testing.T) {
	b := bundle(t)
	e := open(t, b)
	before, err := b.Encode()
	require.NoError(t, err)
	first := see(t, e, b.Neutral())
	assert.Equal(t, first, see(t, e, b.Neutral()))
	after, err := b.Encode()
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestMoreMomentsAddToTheSimilarityLoss(t *testing.T) {
	b := bundle(t)
	e := open(t, b)
	wide, err := e.Compare(b.Neutral())
	require.NoError(t, err)
	narrow, err := e.Compare(changed(b, func(c *exhibit.Controls) { c.Span = 1 }))
	require.NoError(t, err)
	assert.Equal(t, all-shown+1, wide.Examples)
	for layer := range b.Model.Layers {
		assert.InDelta(t, 2*wide.Similarity[0][layer], narrow.Similarity[0][layer], 1e-6, "|b−a| = 2 halves the first moment")
		for k := 1; k < len(wide.Similarity); k++ {
			assert.GreaterOrEqual(t, wide.Similarity[k][layer], wide.Similarity[k-1][layer])
		}
	}
}

func TestReFusionIsThatOfTheLossOverTheSameBatch(t *testing.T) {
	b := bundle(t)
	m := must(mmiln.New(b.Model))
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	store := model.NewStore()
	require.NoError(t, snapshot.Restore(store, b.Weights))
	rows := [3]data.Sequences{}
	for i, s := range b.Sequences {
		size := s.Steps * s.Width
		values := slices.Concat(s.Values[:size], s.Values[shown*size:])
		rows[i] = data.Sequences{Values: values, Lengths: slices.Concat(s.Lengths[:1], s.Lengths[shown:]), Steps: s.Steps, Width: s.Width}
	}
	out, err := model.CallOnceN(backend, store, func(scope *model.Scope, args []*Node) []*Node {
		output := m.Forward(scope, inputs(args), nil)
		sim, diff := m.Refusion(output.Summaries)
		return []*Node{sim, diff, output.Heads[2].Prediction, output.Heads[1].Prediction, output.Heads[0].Prediction}
	}, batch(rows))
	require.NoError(t, err)
	r, err := open(t, b).Compare(b.Neutral())
	require.NoError(t, err)
	assert.InDeltaSlice(t, tensors.MustCopyFlatData[float32](out[0]), r.Similarity[b.Model.Readings.Orders-1], 1e-6)
	assert.InDeltaSlice(t, tensors.MustCopyFlatData[float32](out[1]), r.Difference, 1e-6)
}

func TestMovedGatesReachTheWholeBatchOfReFusion(t *testing.T) {
	b := bundle(t)
	e := open(t, b)
	before, err := e.Compare(b.Neutral())
	require.NoError(t, err)
	moved, err := e.Compare(changed(b, func(c *exhibit.Controls) { c.Gates = map[string]float64{gate(0, "sag.audio.g_r"): 0} }))
	require.NoError(t, err)
	assert.NotEqual(t, before.Similarity, moved.Similarity)
	again, err := e.Compare(b.Neutral())
	require.NoError(t, err)
	assert.Equal(t, before, again)
}

func TestEveryAblationCanBeSeen(t *testing.T) {
	for _, ablation := range mmiln.Ablations {
		c := tiny()
		c.Ablation = ablation
		b, err := initial(c)
		require.NoError(t, err)
		e := open(t, b)
		v := see(t, e, b.Neutral())
		assert.Len(t, v.Gates, len(e.Gates()))
		r, err := e.Compare(b.Neutral())
		require.NoError(t, err)
		assert.Equal(t, ablation == "none" || ablation == "no_mrm", r.Similarity != nil, ablation)
	}
}

func TestEveryReadingCanBeSeen(t *testing.T) {
	for name, change := range map[string]func(*mmiln.Readings){
		"memory":         func(r *mmiln.Readings) { r.Memory = "last" },
		"directions":     func(r *mmiln.Readings) { r.Directions = "average" },
		"gate_scope":     func(r *mmiln.Readings) { r.GateScope = "step" },
		"last step":      func(r *mmiln.Readings) { r.Memory, r.GateScope = "last", "step" },
		"self_attention": func(r *mmiln.Readings) { r.SelfAttention = "residual" },
		"pool":           func(r *mmiln.Readings) { r.Pool = "first" },
		"summary_layers": func(r *mmiln.Readings) { r.SummaryLayers = "all" },
	} {
		c := tiny()
		change(&c.Readings)
		b, err := initial(c)
		require.NoError(t, err, name)
		e := open(t, b)
		see(t, e, b.Neutral())
		_, err = e.Compare(b.Neutral())
		require.NoError(t, err, name)
	}
}

func ptr(v float64) *float64 { return &v }
