package experiment_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

func TestTheSameSeedWritesTheSameBytes(t *testing.T) {
	for _, updateEvery := range []int{1, 3} {
		c := tiny(t)
		c.Train.UpdateEvery = updateEvery
		assertSameBytes(t, train(t, c).Dir, train(t, c).Dir)
	}
}

func TestAnotherSeedWritesOtherBytes(t *testing.T) {
	c := tiny(t)
	first := train(t, c).Dir
	c.Seed++
	second := train(t, c).Dir
	for _, name := range outputs {
		assert.NotEqual(t, read(t, first, name), read(t, second, name), name)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return string(text)
}

func TestTheTestSplitIsOpenedOnceAfterTheLastEpoch(t *testing.T) {
	o := options(t, "go")
	var dir string
	epochs := 0
	o.Reporter = watcher{begin: func(at string) { dir = at }, epoch: func(experiment.EpochReport) {
		epochs++
		assert.Empty(t, openings(t, dir), "epoch %d", epochs)
		assert.NoFileExists(t, filepath.Join(dir, "predictions", "test.csv"))
	}}
	result, err := experiment.Train(t.Context(), tiny(t), o)
	require.NoError(t, err)
	assert.Equal(t, 3, epochs)
	all := openings(t, result.Dir)
	require.Len(t, all, 1)
	assert.Equal(t, "test", all[0].Split)
	assert.Equal(t, reader(t, dir).Manifest().Data.Card, all[0].SHA256)
}

func TestAnInterruptedRunLeavesTheTestSplitSealed(t *testing.T) {
	o := options(t, "go")
	dir := interrupted(t, tiny(t), o, 10)
	assert.NoFileExists(t, filepath.Join(dir, "opened.jsonl"))
	assert.NoFileExists(t, filepath.Join(dir, "predictions", "test.csv"))
	resume(t, dir, o)
	assert.Len(t, openings(t, dir), 1)
}

func TestTrainingStopsWhenPatienceEnds(t *testing.T) {
	c := tiny(t)
	c.Train.MaxEpochs, c.Train.Patience, c.Train.Threshold = 20, 2, 1e6 // after the first epoch nothing is that much better
	result := train(t, c)
	assert.Equal(t, 1, result.BestEpoch)
	assert.Equal(t, 3, result.Epochs)
	assert.Len(t, metrics(t, result.Dir), 3)
}

func metrics(t *testing.T, dir string) []record.Scalars {
	t.Helper()
	lines, err := reader(t, dir).Metrics()
	require.NoError(t, err)
	return lines
}

func TestTheBestEpochIsTheBestOfWhatSelects(t *testing.T) {
	for selects, sign := range map[string]float64{"loss": 1, "mae": 1, "corr": -1, "has0_acc2": -1} {
		c := tiny(t)
		c.Train.MaxEpochs, c.Train.Select, c.Train.Threshold = 6, selects, 0
		result := train(t, c)
		best, score := 0, math.Inf(1)
		for _, line := range metrics(t, result.Dir) {
			if v := sign * float64(line.Values["valid/"+selects]); v <= score { // of equal ones the last, as in MMSA
				best, score = line.Epoch, v
			}
		}
		assert.Equal(t, best, result.BestEpoch, selects)
		if found, err := result.Valid.Get(selects); err == nil {
			assert.InDelta(t, sign*score, found, 1e-9, selects)
		}
	}
}

func TestTheWeightsOfTheBestEpochAreTested(t *testing.T) {
	c := tiny(t)
	c.Train.MaxEpochs, c.Train.Threshold = 3, 1e6
	first := train(t, c)
	require.Equal(t, 1, first.BestEpoch)
	c.Train.MaxEpochs = 1
	alone := train(t, c)
	for _, split := range []string{"valid", "test"} {
		name := filepath.Join("predictions", split+".csv")
		assert.Equal(t, read(t, alone.Dir, name), read(t, first.Dir, name))
	}
	lines := metrics(t, first.Dir)
	assert.InDelta(t, float64(lines[0].Values["valid/mae"]), first.Valid.MAE, 1e-9)
	assert.NotEqual(t, lines[0].Values["valid/mae"], lines[2].Values["valid/mae"])
}

func TestALossThatIsNoNumberFailsTheRunWithARemedy(t *testing.T) {
	c := tiny(t)
	c.Optimiser.Other.Rate = 1e38
	result, err := experiment.Train(t.Context(), c, options(t, "go"))
	require.ErrorContains(t, err, "in epoch 1, batch 2; lower the learning rates, or set data.normalise to standard")
	manifest := reader(t, result.Dir).Manifest()
	assert.Equal(t, record.Failed, manifest.Status)
	assert.Contains(t, manifest.Error, "the loss is NaN")
	assert.Empty(t, openings(t, result.Dir))
}

func TestWithoutDataNoRunFolderIsMade(t *testing.T) {
	c, o := tiny(t), options(t, "go")
	for dir, want := range map[string]string{
		filepath.Join(t.TempDir(), "nothing"): "make one with mmiln data planted --out",
		t.TempDir():                           "it is not the folder of a data set",
		"":                                    "[data] dir is empty; name the folder of a data set there, or with --data",
	} {
		c.Data.Dir = dir
		_, err := experiment.Train(t.Context(), c, o)
		assert.ErrorContains(t, err, want)
	}
	assertEmpty(t, o.Runs)
}

func TestABadConfigurationMakesNoRunFolder(t *testing.T) {
	c, o := tiny(t), options(t, "go")
	c.MMILN.Heads = 3
	_, err := experiment.Train(t.Context(), c, o)
	assert.ErrorContains(t, err, "[mmiln] width is 8; it must be even and a multiple of heads, 3")
	assertEmpty(t, o.Runs)
}

func assertEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestAPartialGroupIsDroppedOrSteppedOn(t *testing.T) {
	c := tiny(t)
	c.Train.UpdateEvery, c.Train.MaxEpochs = 3, 1 // four batches: the last one stands alone
	c.Train.PartialGroup = "drop"
	dropped := metrics(t, train(t, c).Dir)[0].Values
	c.Train.PartialGroup = "step"
	stepped := metrics(t, train(t, c).Dir)[0].Values
	assert.Equal(t, dropped["train/loss"], stepped["train/loss"])
	assert.NotEqual(t, dropped["valid/loss"], stepped["valid/loss"])
}

func TestWhereGroupsAreWholeThePartialOneDoesNotMatter(t *testing.T) {
	c := tiny(t)
	c.Train.UpdateEvery = 2
	dropped := train(t, c).Dir
	c.Train.PartialGroup = "step"
	assertSameBytes(t, dropped, train(t, c).Dir)
}

func TestAGroupOfAllBatchesWhoseRestIsDroppedNeverLearns(t *testing.T) {
	c := tiny(t)
	c.Train.UpdateEvery = 5 // an epoch has four batches
	c.MMILN.Dropout, c.MMILN.Head.Multimodal.Dropout = 0, 0
	lines := metrics(t, train(t, c).Dir)
	assert.Equal(t, lines[0].Values["valid/loss"], lines[2].Values["valid/loss"])
}

func TestTelemetryHasALineAnEpochForEachGate(t *testing.T) {
	c := tiny(t)
	c.MMILN.Layers = 2
	dir := train(t, c).Dir
	lines, err := record.Read[experiment.GateLine](reader(t, dir), record.Gates)
	require.NoError(t, err)
	assert.Len(t, lines, 3*2*(2*2+2*3), "epochs × layers × (g_r, g_c of two modalities and g_r, g_c, g_s of two pairs)")
	for _, line := range lines {
		assert.Greater(t, line.Quantiles[0], 0.0, line.Gate)
		assert.IsNonDecreasing(t, line.Quantiles[:], line.Gate)
		assert.Less(t, line.Quantiles[4], 1.0, line.Gate)
		assert.InDelta(t, line.Mean, line.Quantiles[2], 4*line.Std+1e-6, line.Gate)
	}
	refusion, err := record.Read[experiment.RefusionLine](reader(t, dir), record.Refusion)
	require.NoError(t, err)
	require.Len(t, refusion, 3)
	assert.Len(t, refusion[0].Sim, 2, "one a layer")
	assert.Len(t, refusion[0].Diff, 2)
}

func TestPseudoLabelsBeginAsTheLabelAndMoveInTheSecondEpoch(t *testing.T) {
	dir := train(t, tiny(t)).Dir
	moved := map[int]int{}
	for row, err := range reader(t, dir).PseudoLabels() {
		require.NoError(t, err)
		if row.Label != row.Human {
			moved[row.Epoch]++
		}
	}
	assert.Zero(t, moved[1])
	assert.Positive(t, moved[2])
}

func TestSelfMMLeavesPseudoLabelsOfTextTooAndNoGates(t *testing.T) {
	c := tiny(t)
	c.System = "selfmm"
	dir := train(t, c).Dir
	lines, err := record.Read[experiment.ULGMLine](reader(t, dir), record.ULGM)
	require.NoError(t, err)
	for _, task := range []mmiln.Task{mmiln.Text, mmiln.Audio, mmiln.Vision} {
		assert.Contains(t, lines[2].Tasks, task)
	}
	assert.NoFileExists(t, filepath.Join(dir, "gates.jsonl"))
}

// withoutVision is the shared set without one modality.
func withoutVision(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "blind")
	source, err := dataset()
	require.NoError(t, err)
	from, sealed, err := data.Open(source)
	require.NoError(t, err)
	test, err := sealed.Unseal("a copy without vision", func(data.Opening) error { return nil })
	require.NoError(t, err)
	width := from.Schema().Width
	width[data.Vision] = 0
	w, err := data.Create(dir, data.Source{Format: "test", Width: width, Limit: 3})
	require.NoError(t, err)
	defer w.Abort()
	for split, examples := range map[data.SplitName]data.Examples{data.Train: from.Train, data.Valid: from.Valid, data.Test: test} {
		for i := range examples.Len() {
			require.NoError(t, w.Add(split, blinded(t, examples, i)))
		}
	}
	_, err = w.Close()
	require.NoError(t, err)
	return dir
}

func blinded(t *testing.T, examples data.Examples, row int) data.Example {
	t.Helper()
	info := examples.Info(row)
	b, err := examples.Batch([]int{row}, info.Lengths)
	require.NoError(t, err)
	e := data.Example{Info: info}
	for _, m := range []data.Modality{data.Text, data.Audio} {
		e.Values[m] = b.Sequences[m].Values
	}
	e.Info.Lengths[data.Vision] = 0
	e.Info.Unimodal[data.Vision] = float32(math.NaN())
	return e
}

func TestAModalityThatTheDataLacksIsDroppedAndOnRecord(t *testing.T) {
	c := tiny(t)
	c.Data.Dir = withoutVision(t)
	result := train(t, c)
	kept, err := experiment.ConfigOf(result.Dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"vision"}, kept.MMILN.Drop)
	assert.False(t, math.IsNaN(result.Test.MAE))
	p, err := experiment.OpenPredictor(result.Dir, open(t, "go"))
	require.NoError(t, err)
	development, _, err := data.Open(c.Data.Dir)
	require.NoError(t, err)
	rows, err := p.Predict(development.Valid)
	require.NoError(t, err)
	assert.Len(t, rows, 8)
}

func TestTheConstantPredictorIsTheMedianOfTraining(t *testing.T) {
	result := train(t, tiny(t))
	dir, err := dataset()
	require.NoError(t, err)
	development, _, err := data.Open(dir)
	require.NoError(t, err)
	labels := make([]float32, development.Train.Len())
	for i := range labels {
		labels[i] = development.Train.Info(i).Label
	}
	constant, err := metric.FitConstant(labels)
	require.NoError(t, err)
	rows, err := reader(t, result.Dir).Predictions("test")
	require.NoError(t, err)
	sum := 0.0
	for _, row := range rows {
		sum += math.Abs(float64(constant.Median)-float64(row.Label)) / float64(len(rows))
	}
	assert.InDelta(t, sum, result.Constant.MAE, 1e-6)
}

func TestEveryReadingAndAblationTrains(t *testing.T) {
	settings := []string{`mmiln.drop=["audio"]`, `mmiln.drop=["text", "vision"]`, "mmiln.fusion_loss=l1", "ulgm.guard=0"}
	for _, ablation := range mmiln.Ablations[1:] {
		settings = append(settings, "mmiln.ablation="+ablation)
	}
	for _, row := range mmiln.ReadingTable() {
		for _, option := range row.Options[1:] {
			if row.ID != "R9" { // CMD has one form
				settings = append(settings, "mmiln.readings."+row.Key+"="+option)
			}
		}
	}
	text, err := tiny(t).TOML()
	require.NoError(t, err)
	path := write(t, string(text))
	for _, setting := range settings {
		c, err := experiment.Load(path, setting, "train.max_epochs=1")
		require.NoError(t, err)
		assert.False(t, math.IsNaN(train(t, c).Valid.MAE), setting)
	}
}
