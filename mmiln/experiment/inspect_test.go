package experiment_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
)

func inspect(t *testing.T, dir string, rows []int) ([]experiment.Inspection, *data.Split) {
	t.Helper()
	p, err := experiment.OpenPredictor(dir, open(t, "go"))
	require.NoError(t, err)
	development, _, err := data.Open(p.Config.Data.Dir)
	require.NoError(t, err)
	found, err := p.Inspect(development.Valid, rows)
	require.NoError(t, err)
	return found, development.Valid
}

// Neither what stands beside an example in the batch nor the padding matters: the run recorded all of the split.
func TestAnInspectionAgreesWithWhatTheRunRecorded(t *testing.T) {
	result := train(t, tiny(t))
	found, valid := inspect(t, result.Dir, []int{5, 2})
	recorded, err := reader(t, result.Dir).Predictions("valid")
	require.NoError(t, err)
	gates := map[string]float32{}
	for row, err := range reader(t, result.Dir).GateExamples() {
		require.NoError(t, err)
		if row.Epoch == result.BestEpoch {
			gates[row.ID+row.Gate] = row.Mean
		}
	}
	for i, row := range []int{5, 2} {
		assert.InDelta(t, recorded[row].Value, found[i].Predictions[mmiln.Multimodal], 1e-5)
		assert.InDelta(t, recorded[row].Tasks["audio"], found[i].Predictions[mmiln.Audio], 1e-5)
		require.Len(t, found[i].Gates, 10)
		for _, g := range found[i].Gates {
			assert.InDelta(t, gates[valid.Info(row).ID+g.Tap], g.Mean, 1e-5, g.Tap)
		}
	}
}

func TestAttentionIsAboutValidStepsAlone(t *testing.T) {
	found, valid := inspect(t, train(t, tiny(t)).Dir, []int{0, 1, 2, 3})
	for i, n := range found {
		lengths := valid.Info(i).Lengths
		require.Len(t, n.Attention, 6) // of audio and vision: gate, self, and across
		for _, a := range n.Attention {
			auxiliary := data.Audio
			if strings.Contains(a.Tap, "vision") {
				auxiliary = data.Vision
			}
			queries, keys := data.Text, auxiliary
			switch {
			case strings.Contains(a.Tap, ".gate."):
				queries = auxiliary
			case strings.HasSuffix(a.Tap, ".self"):
				keys = data.Text
			}
			require.Len(t, a.Weights, lengths[queries], a.Tap)
			for _, row := range a.Weights {
				require.Len(t, row, lengths[keys], a.Tap)
				sum := float32(0)
				for _, w := range row {
					sum += w
				}
				assert.InDelta(t, 1, sum, 1e-5, a.Tap)
			}
		}
	}
}

func TestAModelWithoutGatesIsInspectedForItsPredictions(t *testing.T) {
	c := tiny(t)
	c.System = "selfmm"
	result := train(t, c)
	found, _ := inspect(t, result.Dir, []int{1})
	assert.Empty(t, found[0].Gates)
	assert.Empty(t, found[0].Attention)
	assert.Len(t, found[0].Predictions, 4)
}

func TestASentenceIsInspectedWithoutWhatItLacks(t *testing.T) {
	c := reading(t, "finetune")
	p := trained(t, train(t, c).Dir)
	u, err := p.Utterances([]string{"a good film"})
	require.NoError(t, err)
	want, err := p.Predict(u)
	require.NoError(t, err)
	found, err := p.Inspect(u, []int{0})
	require.NoError(t, err)
	assert.InDelta(t, want[0].Value, found[0].Predictions[mmiln.Multimodal], 1e-5)
	require.Len(t, found[0].Gates, 4, "g_r and g_c of both pairs read text alone")
	require.NotEmpty(t, found[0].Attention)
	for _, a := range found[0].Attention {
		assert.True(t, strings.HasSuffix(a.Tap, ".self"), "%s reads audio or vision, which are not there", a.Tap)
		assert.Len(t, a.Weights, 5, "[CLS], three words, [SEP]")
	}
}

func TestALookReadsTheTextThatTheModelReads(t *testing.T) {
	for _, mode := range []string{"features", "frozen", "finetune"} {
		result := train(t, reading(t, mode))
		backend := open(t, "go")
		p, err := experiment.OpenPredictor(result.Dir, backend)
		require.NoError(t, err)
		development, _, err := data.Open(p.Config.Data.Dir)
		require.NoError(t, err)
		l, err := p.Look(development.Valid, 3)
		require.NoError(t, err, mode)
		recorded, err := reader(t, result.Dir).Predictions("valid")
		require.NoError(t, err)
		assert.Equal(t, recorded[3].ID, l.Info.ID)
		assert.InDelta(t, recorded[3].Value, l.Predictions[mmiln.Multimodal], 1e-5, mode)
	}
}
