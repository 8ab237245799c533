package experiment_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// assertSamePredictions compares with what the run recorded.
func assertSamePredictions(t *testing.T, dir, split string, got []record.Prediction) {
	t.Helper()
	want, err := reader(t, dir).Predictions(split)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i := range want {
		assert.Equal(t, want[i].ID, got[i].ID)
		assert.Equal(t, want[i].Label, got[i].Label)
		assert.InDelta(t, want[i].Value, got[i].Value, 1e-6)
		for task, value := range want[i].Tasks {
			assert.InDelta(t, value, got[i].Tasks[task], 1e-6, task)
		}
	}
}

func TestAPredictorSaysWhatTheRunRecorded(t *testing.T) {
	for _, system := range []string{"mmiln", "selfmm"} {
		c := tiny(t)
		c.System = system
		c.Train.MaxEpochs, c.Train.Threshold = 3, 1e6 // the best epoch is the first, the last checkpoint another
		result := train(t, c)
		p, err := experiment.OpenPredictor(result.Dir, open(t, "go"))
		require.NoError(t, err)
		assert.Equal(t, 1, p.Epoch)
		development, sealed, err := data.Open(c.Data.Dir)
		require.NoError(t, err)
		rows, err := p.Predict(development.Valid)
		require.NoError(t, err)
		assertSamePredictions(t, result.Dir, "valid", rows)
		scores, err := experiment.Score(rows)
		require.NoError(t, err)
		assert.InDelta(t, result.Valid.MAE, scores.MAE, 1e-6)

		test, err := experiment.OpenTest(result.Dir, sealed, "a second look")
		require.NoError(t, err)
		rows, err = p.Predict(test)
		require.NoError(t, err)
		assertSamePredictions(t, result.Dir, "test", rows)
		all := openings(t, result.Dir)
		require.Len(t, all, 2, "the second opening is on record too")
		assert.Equal(t, "a second look", all[1].Reason)
	}
}

func TestAPredictionDoesNotDependOnItsCompany(t *testing.T) {
	c := tiny(t)
	p, err := experiment.OpenPredictor(train(t, c).Dir, open(t, "go"))
	require.NoError(t, err)
	development, _, err := data.Open(c.Data.Dir)
	require.NoError(t, err)
	all, err := p.Predict(development.Valid)
	require.NoError(t, err)
	for i := range all {
		alone, err := p.Predict(one{development.Valid, i})
		require.NoError(t, err)
		assert.InDelta(t, all[i].Value, alone[0].Value, 1e-5)
	}
}

// one is a single example of a split.
type one struct {
	data.Examples
	row int
}

func (o one) Len() int           { return 1 }
func (o one) Info(int) data.Info { return o.Examples.Info(o.row) }

func (o one) Batch(rows []int, steps [3]int) (*data.Batch, error) {
	same := slices.Repeat([]int{o.row}, len(rows))
	return o.Examples.Batch(same, steps)
}

func TestARunWithoutATrainedModelSaysSo(t *testing.T) {
	dir := interrupted(t, tiny(t), options(t, "go"), 2)
	_, err := experiment.OpenPredictor(dir, open(t, "go"))
	assert.ErrorContains(t, err, dir+" has no trained model")
	_, err = experiment.Export(dir)
	assert.ErrorContains(t, err, dir+" has no trained model")
}

func TestDataOfOtherWidthsAreRefused(t *testing.T) {
	other := small(1)
	other.Width = [3]int{6, 7, 5}
	dir := filepath.Join(t.TempDir(), "other")
	_, err := other.Save(dir)
	require.NoError(t, err)
	development, _, err := data.Open(dir)
	require.NoError(t, err)
	for _, normalise := range []string{"standard", "none"} {
		c := tiny(t)
		c.Data.Normalise = normalise
		p, err := experiment.OpenPredictor(train(t, c).Dir, open(t, "go"))
		require.NoError(t, err)
		_, err = p.Predict(development.Valid)
		require.Error(t, err)
		assert.Contains(t, err.Error(), "audio has 7 features", normalise)
		assert.Contains(t, err.Error(), "use the data set of training", normalise)
		assert.NotContains(t, err.Error(), "\n")
	}
}

// exported writes a run's weights and reads them back.
func exported(t *testing.T, dir string) *safetensors.File {
	t.Helper()
	file, err := experiment.Export(dir)
	require.NoError(t, err)
	var content bytes.Buffer
	require.NoError(t, safetensors.Write(&content, file))
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	require.NoError(t, os.WriteFile(path, content.Bytes(), 0o644))
	again, err := safetensors.ReadFile(path)
	require.NoError(t, err)
	return again
}

func TestTheExportedWeightsAreAllThatTheModelNeeds(t *testing.T) {
	c := tiny(t)
	c.Data.Normalise = "none"
	result := train(t, c)
	file := exported(t, result.Dir)
	kept, err := experiment.Parse("exported", []byte(file.Metadata["config"]))
	require.NoError(t, err)
	m, err := kept.Model()
	require.NoError(t, err)

	store := model.NewStore()
	for name := range file.Tensors {
		values, dims, err := file.Float32(name)
		require.NoError(t, err)
		store.VariableWithValue("/"+strings.ReplaceAll(name, ".", "/"), tensors.FromFlatDataAndDimensions(values, dims...))
	}
	before := store.NumVariables()
	got := forward(t, store, m, c.Data.Dir)
	assert.Equal(t, before, store.NumVariables(), "the model makes no variable of its own")
	want, err := reader(t, result.Dir).Predictions("valid")
	require.NoError(t, err)
	for i := range want {
		assert.InDelta(t, want[i].Value, got[i], 1e-6)
	}
}

// forward predicts the validation split with nothing but a model and its variables.
func forward(t *testing.T, store *model.Store, m mmiln.Model, dir string) []float32 {
	t.Helper()
	development, _, err := data.Open(dir)
	require.NoError(t, err)
	rows := make([]int, development.Valid.Len())
	for i := range rows {
		rows[i] = i
	}
	b, err := development.Valid.Batch(rows, [3]int{})
	require.NoError(t, err)
	exec, err := model.NewExec(open(t, "go"), store, func(scope *model.Scope, args []*Node) *Node {
		out := m.Forward(scope, mmiln.Inputs{
			Text: masked.New(args[0], args[1]), Audio: masked.New(args[2], args[3]), Vision: masked.New(args[4], args[5]),
		}, nil)
		return Stack([]*Node{out.Heads[0].Prediction, out.Heads[1].Prediction, out.Heads[2].Prediction}, 0)
	})
	require.NoError(t, err)
	var args []*tensors.Tensor
	for _, s := range b.Sequences {
		args = append(args, tensors.FromFlatDataAndDimensions(s.Values, len(rows), s.Steps, s.Width), tensors.FromFlatDataAndDimensions(s.Lengths, len(rows)))
	}
	out, err := exec.Exec(args)
	require.NoError(t, err)
	return tensors.MustCopyFlatData[float32](out[0])[:len(rows)]
}

func TestExportedNamesAreReadable(t *testing.T) {
	file := exported(t, train(t, tiny(t)).Dir)
	assert.Contains(t, file.Tensors, "layers.0.gate.audio.retain.weights")
	for name, tensor := range file.Tensors {
		assert.NotContains(t, name, "adam")
		assert.NotContains(t, name, "#")
		assert.Equal(t, "F32", tensor.DType, name)
	}
	assert.Equal(t, "mmiln", file.Metadata["system"])
}

func TestScoresOfNothingAreAnError(t *testing.T) {
	_, err := experiment.Score(nil)
	assert.Error(t, err)
	_, err = experiment.Score([]record.Prediction{{Value: float32(math.NaN())}})
	assert.Error(t, err)
}
