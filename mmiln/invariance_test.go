package mmiln_test

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln"
)

// readings are the default and, one at a time, every other option of a string or a bool.
func readings() map[string]mmiln.Config {
	all := map[string]mmiln.Config{"default": tiny()}
	for name, change := range map[string]func(*mmiln.Readings){
		"memory=last":             func(r *mmiln.Readings) { r.Memory = "last" },
		"kernel=1":                func(r *mmiln.Readings) { r.Kernel = 1 },
		"directions=average":      func(r *mmiln.Readings) { r.Directions = "average" },
		"summary_pool=all":        func(r *mmiln.Readings) { r.SummaryPool = "all" },
		"gate_scope=step":         func(r *mmiln.Readings) { r.GateScope = "step" },
		"gate_bias=false":         func(r *mmiln.Readings) { r.GateBias = false },
		"self_attention=single":   func(r *mmiln.Readings) { r.SelfAttention = "single" },
		"self_attention=residual": func(r *mmiln.Readings) { r.SelfAttention = "residual" },
		"pool=first":              func(r *mmiln.Readings) { r.Pool = "first" },
	} {
		c := tiny()
		change(&c.Readings)
		all[name] = c
	}
	for _, ablation := range mmiln.Ablations[1:] {
		c := tiny()
		c.Ablation = ablation
		all[ablation] = c
	}
	return all
}

func TestFiftyMorePaddedStepsChangeNoPrediction(t *testing.T) {
	for name, c := range readings() {
		if name == "summary_pool=all" {
			continue
		}
		before, after := run(t, c, random(), false), run(t, c, random().padded(50), false)
		assert.Less(t, distance(before.predictions, after.predictions), 1e-5, name)
		assert.InDelta(t, before.loss, after.loss, 1e-5, name)
	}
}

func TestFiftyMorePaddedStepsChangePredictionsWhereASummaryAveragesThem(t *testing.T) {
	c := tiny()
	c.Readings.SummaryPool = "all" // R4
	before, after := run(t, c, random(), false), run(t, c, random().padded(50), false)
	assert.Greater(t, distance(before.predictions, after.predictions), 1e-4)
}

func TestFiftyMorePaddedStepsChangeNoGradient(t *testing.T) {
	before, after := run(t, tiny(), random(), false), run(t, tiny(), random().padded(50), false)
	require.Len(t, after.gradients, len(before.gradients))
	for i := range before.gradients {
		assert.InDelta(t, before.gradients[i], after.gradients[i], 1e-5)
	}
}

func TestTheOrderOfABatchOnlyOrdersItsPredictions(t *testing.T) {
	rows := []int{2, 0, 3, 1}
	for name, c := range readings() {
		before, after := run(t, c, random(), false), run(t, c, random().reordered(rows), false)
		for task := range before.predictions {
			for i, row := range rows {
				assert.InDelta(t, before.predictions[task][row], after.predictions[task][i], 1e-6, name)
			}
		}
		assert.InDelta(t, before.loss, after.loss, 1e-5, name)
	}
}

func TestAnExampleDoesNotDependOnTheOthersOfItsBatch(t *testing.T) {
	b := random()
	together, alone := run(t, tiny(), b, false), run(t, tiny(), b.reordered([]int{1}), false)
	for task := range alone.predictions {
		assert.InDelta(t, together.predictions[task][1], alone.predictions[task][0], 1e-6)
	}
}

func TestTapsChangeNoBitOfPredictionsLossAndGradients(t *testing.T) {
	for name, c := range readings() {
		without, with := run(t, c, random(), false), run(t, c, random(), true)
		assert.NotEmpty(t, with.taps, name)
		assert.Equal(t, without.predictions, with.predictions, name)
		assert.Equal(t, without.loss, with.loss, name)
		assert.Equal(t, without.gradients, with.gradients, name)
	}
}

func TestGatesLieBetweenZeroAndOne(t *testing.T) {
	for name, values := range run(t, tiny(), random(), true).taps {
		if strings.Contains(name, ".g_") {
			assert.GreaterOrEqual(t, slices.Min(values), float32(0), name) // g_s is zero at padded steps
			assert.Less(t, slices.Max(values), float32(1), name)
		}
	}
}

func TestATapIsZeroAtPaddedSteps(t *testing.T) {
	b := random()
	o := run(t, tiny(), b, true)
	for tap, m := range map[string]int{"layers.1.gate.audio.x": 1, "layers.1.sag.vision.x": 0, "layers.0.sag.audio.g_s": 1} {
		s, width := b.sequences[m], 8
		require.Len(t, o.taps[tap], b.size()*s.steps*width, tap)
		for row, n := range s.lengths {
			padding := o.taps[tap][(row*s.steps+int(n))*width : (row+1)*s.steps*width]
			assert.False(t, slices.ContainsFunc(padding, func(v float32) bool { return v != 0 }), "%s, row %d", tap, row)
		}
	}
}

func TestAnAblationRemovesExactlyItsVariables(t *testing.T) {
	for ablation, removed := range map[string]string{
		"no_mrm":         `^$`,
		"no_mfm":         `/(summary|retain|compound|select)/`,
		"no_gate_fusion": `/sag/`,
	} {
		c := tiny()
		c.Ablation = ablation
		full := run(t, tiny(), random(), false).variables
		pattern := regexp.MustCompile(removed)
		want := slices.DeleteFunc(slices.Clone(full), pattern.MatchString)
		assert.Equal(t, ablation == "no_mrm", len(want) == len(full), "%s removes something", ablation)
		assert.Equal(t, want, run(t, c, random(), false).variables, ablation)
	}
}

func TestWithoutMRMTheLossIsThatOfTheTasks(t *testing.T) {
	c := tiny()
	c.Ablation = "no_mrm"
	weightless := tiny()
	weightless.Alpha, weightless.Beta = 0, 0
	assert.Equal(t, run(t, weightless, random(), false).loss, run(t, c, random(), false).loss)
	assert.NotEqual(t, run(t, tiny(), random(), false).loss, run(t, c, random(), false).loss)
	assert.Positive(t, slices.Max(run(t, c, random(), false).sim), "ℓ_sim is measured all the same")
}

func TestOneToSixLayersBuild(t *testing.T) {
	layer := regexp.MustCompile(`^/layers/(\d)/`)
	for layers := 1; layers <= 6; layers++ {
		c := tiny()
		c.Layers = layers
		o := run(t, c, random(), false)
		assert.Len(t, o.sim, layers)
		seen := map[string]bool{}
		for _, path := range o.variables {
			if match := layer.FindStringSubmatch(path); match != nil {
				seen[match[1]] = true
			}
		}
		assert.Len(t, seen, layers)
		assert.True(t, finite(slices.Concat(o.predictions[:]...)))
	}
}

func TestADroppedModalityIsNotRead(t *testing.T) {
	for m, name := range []string{"text", "audio", "vision"} {
		c := tiny()
		c.Drop = []string{name}
		b := random()
		before := run(t, c, b, false)
		for i := range b.sequences[m].x {
			b.sequences[m].x[i] += 1
		}
		b.sequences[m].lengths = []int32{1, 1, 1, 1}
		assert.Equal(t, before.predictions, run(t, c, b, false).predictions, "without %s", name)
		assert.NotEqual(t, run(t, tiny(), random(), false).predictions, before.predictions, "%s counts where it is there", name)
	}
}

func TestTheHeadOfADroppedModalityLeavesTheLoss(t *testing.T) {
	for name, m := range map[string]int{"audio": 1, "vision": 2} { // text has no head
		c, b := tiny(), random()
		kept := run(t, c, b, false).loss
		c.Drop = []string{name}
		dropped := run(t, c, b, false).loss
		for i := range b.labels[m] {
			b.labels[m][i] += 1
		}
		assert.Equal(t, dropped, run(t, c, b, false).loss, name)
		assert.NotEqual(t, kept, run(t, tiny(), b, false).loss, name)
	}
}

func TestTwoModalitiesCanBeDropped(t *testing.T) {
	for _, kept := range []string{"text", "audio", "vision"} {
		c := tiny()
		c.Drop = slices.DeleteFunc([]string{"text", "audio", "vision"}, func(name string) bool { return name == kept })
		o := run(t, c, random(), false)
		assert.True(t, finite(slices.Concat(o.predictions[:]...)) && finite(o.gradients), "only %s", kept)
	}
}

func TestAModalityOfLengthZeroGivesFinitePredictionsAndGradients(t *testing.T) {
	check := func(name string, c mmiln.Config, b batch) {
		o := run(t, c, b, false)
		assert.True(t, finite(slices.Concat(o.predictions[:]...)), name)
		assert.True(t, finite(o.gradients), name)
	}
	for m := range widths {
		check("the whole batch", tiny(), random().emptied(m, 0, 1, 2, 3))
	}
	for name, c := range readings() {
		check(name, c, random().emptied(0, 0).emptied(1, 1).emptied(2, 2))
	}
}

func TestAModalityOfLengthZeroIsNotRead(t *testing.T) {
	for m := range widths {
		b := random().emptied(m, 1)
		before := run(t, tiny(), b, false)
		n := b.sequences[m].steps * widths[m]
		for i := n; i < 2*n; i++ {
			b.sequences[m].x[i] += 1
		}
		assert.Equal(t, before.predictions, run(t, tiny(), b, false).predictions)
	}
}

func TestPaddingThatIsNoNumberChangesNoPrediction(t *testing.T) {
	b := random()
	before := run(t, tiny(), b, false)
	for m, s := range b.sequences {
		for row, n := range s.lengths {
			for i := (row*s.steps + int(n)) * widths[m]; i < (row+1)*s.steps*widths[m]; i++ {
				b.sequences[m].x[i] = float32(math.NaN())
			}
		}
	}
	assert.Equal(t, before.predictions, run(t, tiny(), b, false).predictions)
}

func TestTextIsConvolvedAsItsEncoderLeftIt(t *testing.T) {
	o := run(t, tiny(), random(), false)
	assert.False(t, slices.ContainsFunc(o.variables, func(path string) bool { return strings.HasPrefix(path, "/encoder/text") }))
	assert.Contains(t, o.variables, "/conv/text/weights", "Eq. (4) reads M_t, which is X_t as it stands")
}

func TestConfigurationsThatCannotBeAreNamedWithTheRemedy(t *testing.T) {
	for want, change := range map[string]func(*mmiln.Config){
		"width is 0; use a number from 1":                      func(c *mmiln.Config) { c.Width = 0 },
		"width is 9; it must be even and a multiple of heads":  func(c *mmiln.Config) { c.Width = 9 },
		"layers is -1; use a number from 1":                    func(c *mmiln.Config) { c.Layers = -1 },
		"dropout is 1; use a rate in [0, 1)":                   func(c *mmiln.Config) { c.Dropout = 1 },
		"dropout is NaN; use a rate in [0, 1)":                 func(c *mmiln.Config) { c.Dropout = math.NaN() },
		`fusion_loss is "l3"; use one of l2, l1`:               func(c *mmiln.Config) { c.FusionLoss = "l3" },
		`ablation is "no_mm"; use one of none, no_mrm, no_mfm`: func(c *mmiln.Config) { c.Ablation = "no_mm" },
		`drop is "video"; use one of text, audio, vision`:      func(c *mmiln.Config) { c.Drop = []string{"video"} },
		"leave the model at least one modality":                func(c *mmiln.Config) { c.Drop = []string{"text", "audio", "vision"} },
		"head.audio.width is 0; use a number from 1":           func(c *mmiln.Config) { c.Head.Audio.Width = 0 },
		"head.vision.dropout is -0.1; use a rate":              func(c *mmiln.Config) { c.Head.Vision.Dropout = -0.1 },
		"head.text: this system has no such head":              func(c *mmiln.Config) { c.Head.Text.Width = 3 },
		"readings.orders (R9)":                                 func(c *mmiln.Config) { c.Readings.Orders = 0 },
	} {
		c := mmiln.Default()
		change(&c)
		_, err := mmiln.New(c)
		assert.ErrorContains(t, err, want)
	}
}
